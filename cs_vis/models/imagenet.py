"""torchvision's ImageNet networks in the course's convention: images in [0, 1], raw scores out."""

import copy
import re

import torch
import torchvision
from torch import nn

from ..require import require_images, require_like, require_side
from . import weights

NAMES = tuple(torchvision.models.list_models(module=torchvision.models))
SMALLEST = {"alexnet": 63, "inception_v3": 75}  # pixels; all others take 32 ...
ONE_SIZE = ("vit", "maxvit")  # ... but for these, whose tokens are counted beforehand
AUXILIARY = ("aux1.", "aux2.", "AuxLogits.")  # heads that help in training only


class ImageNetNetwork(nn.Module):
    """A torchvision network with its normalisation in front.

    Images (N, 3, H, W) in [0, 1] become raw class scores (N, 1000). Layers have VGG-style names
    in VGG and AlexNet, torchvision's dotted names in all others. Takes any size from `smallest`
    pixels, or, where `side` is not None (ViT, MaxViT), that many squared alone.
    """

    def __init__(self, name: str, network: nn.Module):
        super().__init__()
        facts = weights.published(name)
        self.network = network
        self.smallest, self.side = SMALLEST.get(name, 32), only_side(name)
        self.class_names = list(facts.meta["categories"])
        preset = facts.transforms()
        self.register_buffer("mean_color", torch.tensor(preset.mean), persistent=False)
        self.register_buffer("spread", torch.tensor(preset.std), persistent=False)
        names = _plain_names(network) if name.startswith(("vgg", "alexnet")) else {}
        paths = names or {path: path for path in _order(network, self.side or 224)}
        self.layer_paths = {layer: f"network.{path}" for layer, path in paths.items()}
        self.layer_names = list(self.layer_paths)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        require_images(images, smallest=self.smallest)
        require_side(images, self.side)
        require_like(images, self.mean_color)
        mean, spread = (color[:, None, None] for color in (self.mean_color, self.spread))
        return self.network((images - mean) / spread)


def only_side(name: str) -> int | None:
    """The one side in pixels that the network takes, None if it takes many."""
    return weights.published(name).meta["min_size"][0] if name.startswith(ONE_SIZE) else None


def load(name: str) -> ImageNetNetwork:
    """The network with its published weights, from file, cache or download (weights.find)."""
    state, source = weights.find(name, NAMES)
    network = _build(name)
    try:
        network.load_state_dict(_familiar(state))
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"name={name!r}: the weights in {source} are not those of torchvision's "
                         f"{name}; give that file another name, or put the right one in its "
                         f"place. torch says: {str(error)[:300]}") from None
    return ImageNetNetwork(name, network)


def architecture(name: str) -> ImageNetNetwork:
    """The network `name` as it is before training."""
    return ImageNetNetwork(name, _build(name))


def _build(name):
    options = {}
    if name in ("googlenet", "inception_v3"):
        # Their published weights expect the input in another range, which they see to themselves.
        options = {"aux_logits": False, "transform_input": True}
    if name.startswith(("googlenet", "inception", "vgg")):
        options["init_weights"] = False  # slow, and replaced at once
    if name.startswith("vit"):
        options["image_size"] = only_side(name)  # of the published weights, 518 in the largest
    return torchvision.models.get_model(name, weights=None, **options)


def _familiar(state):
    """Published files hold auxiliary heads, and DenseNet's layers under their names of 2017.

    The dictionary is changed in place, because it also carries torch's version marks.
    """
    for key in list(state):
        if key.startswith(AUXILIARY):
            del state[key]
        elif re.search(r"denselayer\d+\.(norm|conv)\.[12]\.", key):
            state[re.sub(r"\.(norm|conv)\.([12])\.", r".\1\2.", key)] = state.pop(key)
    return state


def _plain_names(network):
    """Layer name -> path in VGG and AlexNet: conv3_2 in the one, conv4 in the other, then fc6.

    VGG counts convolutions from pool to pool, AlexNet all through; dropout has no name.
    """
    alexnet = isinstance(network, torchvision.models.AlexNet)
    names, block, place = {}, 1, 0
    for index, layer in enumerate(network.features):
        place += isinstance(layer, nn.Conv2d)
        kind = _kind(layer)
        if kind == "pool":
            names[f"pool{place if alexnet else block}"] = f"features.{index}"
            block, place = block + 1, place if alexnet else 0
        else:
            names[f"{kind}{place}" if alexnet else f"{kind}{block}_{place}"] = f"features.{index}"
    names["avgpool"], number = "avgpool", 5
    for index, layer in enumerate(network.classifier):
        number += isinstance(layer, nn.Linear)
        if not isinstance(layer, nn.Dropout):
            names[f"{_kind(layer)}{number}"] = f"classifier.{index}"
    return names


def _kind(layer):
    kinds = {nn.Conv2d: "conv", nn.BatchNorm2d: "bn", nn.ReLU: "relu", nn.MaxPool2d: "pool",
             nn.Linear: "fc"}
    return kinds[type(layer)]


def _order(network, side):
    """The paths of all submodules, in the order in which a forward pass first finishes them."""
    # A copy without memory ("meta"): it computes shapes only, and takes our hooks with it.
    memo = {id(value): nn.Parameter(value.to("meta"), requires_grad=False)
            for value in network.parameters()}
    memo |= {id(value): value.to("meta") for value in network.buffers()}
    twin = copy.deepcopy(network, memo).eval()
    order = {}  # a dict keeps the order; setdefault returns None, which leaves the output alone
    for path, module in twin.named_modules():
        if path:
            module.register_forward_hook(lambda *_, path=path: order.setdefault(path))
    with torch.no_grad():
        twin(torch.zeros(1, 3, side, side, device="meta"))
    return list(order)
