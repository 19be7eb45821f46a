"""Layers by name, and what they compute: the one way into the inside of a network."""

from collections.abc import Iterable
from difflib import get_close_matches

import torch
from torch import nn


class _Enough(Exception):
    """Ends a forward pass: every layer asked for has computed its output."""


def layer_names(model: nn.Module) -> list[str]:
    """The names of the layers of `model`, in the order of its forward pass.

    Networks of load_model know their order; any other module lists its submodules in the order
    in which they were registered.
    """
    return list(getattr(model, "layer_names", None) or _modules(model))


def activations(model: nn.Module, images: torch.Tensor, layers) -> dict[str, torch.Tensor]:
    """What the named layers compute for `images` (N, 3, H, W): a dict, layer name -> tensor.

    `layers` is one name or several. Gradients flow from the tensors back to the images, and from
    later layers back to earlier ones of the same call. A layer used several times gives its
    first output, one that returns a tuple the first tensor in it. The pass ends at the deepest
    layer asked for; afterwards, also after an error, the model is as it was before.
    Raises ValueError for an unknown layer, or one that the forward pass does not reach.
    """
    several = isinstance(layers, Iterable) and not isinstance(layers, str)
    names = list(dict.fromkeys(layers)) if several else [layers]
    found, hooks = {}, []

    def keep(name):
        def hook(module, inputs, output):
            if name in found:
                return None
            # A clone, for a later in-place ReLU would write into `output`; and the pass goes on
            # with a clone of that, so that what follows depends on the tensor we hand out.
            found[name] = _tensor(output, name).clone()
            if len(found) == len(names):
                raise _Enough
            return found[name].clone() if isinstance(output, torch.Tensor) else None
        return hook

    modules = [find_layer(model, name, "layers") for name in names]
    try:
        for name, module in zip(names, modules):
            hooks.append(module.register_forward_hook(keep(name)))
        if names:
            model(images)
    except _Enough:
        pass
    finally:
        for hook in hooks:
            hook.remove()
    _check_reached(names, found)
    return {name: found[name] for name in names}


def find_layer(model: nn.Module, layer: str, name: str = "layer") -> nn.Module:
    """The module that `model` calls `layer`; a ValueError that names the nearest if it has none.

    `name` is how the message calls the argument.
    """
    if not isinstance(layer, str):
        raise TypeError(f"{name}={layer!r} must be the name of a layer; "
                        f"layer_names(model) lists all")
    modules = _modules(model)
    if layer not in modules:
        near = get_close_matches(layer, modules, n=3, cutoff=0.4) or list(modules)[:3]
        raise ValueError(f"{name}={layer!r} is not in this network; the nearest are "
                         f"{', '.join(map(repr, near))}; layer_names(model) lists all")
    return modules[layer]


def _modules(model):
    # Networks wrapped by imagenet.py call their layers otherwise than torch does.
    paths = getattr(model, "layer_paths", None)
    if paths is not None:
        return {name: model.get_submodule(path) for name, path in paths.items()}
    return {name: module for name, module in model.named_modules() if name}


def _tensor(output, name):
    while isinstance(output, (tuple, list)) and output:
        output = output[0]
    if not isinstance(output, torch.Tensor):
        raise TypeError(f"layers={name!r} returns a {type(output).__name__}, not a tensor; "
                        f"ask for one of the layers inside it")
    return output


def _check_reached(names, found):
    missing = [name for name in names if name not in found]
    if missing:
        raise ValueError(f"layers={missing[0]!r} is in this network, but its forward pass does "
                         f"not use it; choose another of layer_names(model)")
