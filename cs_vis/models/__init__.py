"""Networks in one convention: images (N, 3, H, W) in [0, 1] in, raw class scores (N, K) out."""

from difflib import get_close_matches

import torch
from torch import nn

from ..require import require_device, require_dtype, require_generator
from . import specimen_net
from .layers import activations, find_layer, layer_names
from .specimen_net import SpecimenNet

__all__ = ["load_model", "untrained", "layer_names", "activations", "find_layer",
           "SpecimenNet", "NAMES"]


def __getattr__(name):
    """NAMES, on demand: torchvision, which lists the networks, takes seconds to import."""
    if name != "NAMES":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import imagenet
    return specimen_net.NAMES + imagenet.NAMES


def load_model(name: str, *, device="cpu", dtype: torch.dtype = torch.float32) -> nn.Module:
    """A trained network, in eval mode and with frozen weights.

    "specimens" and "specimens-robust" ship with the course; any classification network of
    torchvision ("squeezenet1_1", "vgg16", ...) is read from the folder CS_VIS_WEIGHTS, from
    torchvision's cache, or downloaded. Images (N, 3, H, W) in [0, 1] become raw scores (N, K);
    normalisation is inside. Attributes: class_names, layer_names, mean_color (3,) in [0, 1].
    Raises ValueError or TypeError for an unknown name, device or dtype, FileNotFoundError where
    no weights are to be had.
    """
    device = require_device(device)
    require_dtype(dtype)
    with torch.random.fork_rng(devices=[]):  # building draws numbers that the weights replace
        network = _family(name).load(name)
    return network.eval().requires_grad_(False).to(device, dtype)


def untrained(name: str, *, generator: torch.Generator, device="cpu",
              dtype: torch.dtype = torch.float32) -> nn.Module:
    """The network `name` with He-normal random weights (arXiv:1502.01852) instead of trained ones.

    What a method shows of it comes from the picture and the architecture alone. Raises
    ValueError or TypeError for an unknown name, device or dtype, or without a generator.
    """
    require_generator(generator)
    device = require_device(device)
    require_dtype(dtype)
    with torch.random.fork_rng(devices=[]):
        network = _family(name).architecture(name)
    network.eval().requires_grad_(False)
    for path, weight in network.named_parameters():
        if weight.ndim > 1:
            noise = torch.randn(weight.shape, generator=generator, device=generator.device)
            weight.copy_(noise * (2 / weight[0].numel()) ** 0.5)
        else:
            weight.fill_(path.endswith("weight"))  # the scales of norms are 1, all biases 0
    return network.to(device, dtype)


def _family(name):
    """The module that builds and loads the network."""
    if isinstance(name, str) and name in specimen_net.NAMES:
        return specimen_net
    from . import imagenet
    if isinstance(name, str) and name in imagenet.NAMES:
        return imagenet
    names = specimen_net.NAMES + imagenet.NAMES
    near = get_close_matches(str(name), names, n=3, cutoff=0.3) or names[:3]
    raise ValueError(f"name={name!r} is no network of this course; the nearest are "
                     f"{', '.join(map(repr, near))}; cs_vis.models.NAMES lists all")
