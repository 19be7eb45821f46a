"""Layers by name, and what they compute: the one way into the inside of a network."""

from collections.abc import Iterable
from difflib import get_close_matches

import torch
from torch import nn
from torch.func import functional_call

from ..require import require_model, require_reached


class Enough(BaseException):
    """Ends a forward pass, or a student's loop around it: no `except Exception` may catch it."""


def layer_names(model: nn.Module) -> list[str]:
    """The names of the layers of `model`, in the order of its forward pass.

    Networks of load_model know their order; any other module lists its submodules in the order
    in which they were registered.
    """
    require_model(model)
    return list(getattr(model, "layer_names", None) or _modules(model))


def activations(model: nn.Module, images: torch.Tensor, layers) -> dict[str, torch.Tensor]:
    """What the named layers compute for `images` (N, 3, H, W): a dict, layer name -> tensor.

    `layers` is one name or several. Gradients flow from the tensors back to the images, and from
    later layers back to earlier ones of the same call. A layer used several times gives its
    first output, one that returns a tuple, nested or not, the first tensor in it. The pass ends
    at the deepest layer asked for; it runs in the mode that the model is in, and afterwards, also
    after an error, the model is as it was before, and so are the random numbers.
    Raises ValueError for an unknown layer, or one that the forward pass does not reach.
    """
    require_model(model)
    one = isinstance(layers, (str, bytes)) or not isinstance(layers, Iterable) or (
        getattr(layers, "ndim", 1) == 0)
    modules = {name: find_layer(model, name, "layers") for name in ([layers] if one else layers)}
    names, found, hooks = list(modules), {}, []

    def keep(name):
        def hook(module, inputs, output):
            if name in found:
                return None
            # A clone, for a later in-place ReLU would write into `output`; and the pass goes on
            # with a clone of that, so that what follows depends on the tensor we hand out.
            found[name], follows = _exchanged(output, name)
            if len(found) == len(names):
                raise Enough
            return follows
        return hook

    try:
        for name, module in modules.items():
            hooks.append(module.register_forward_hook(keep(name)))
        if names:
            untouched(model, images)
    except Enough:
        pass
    finally:
        for hook in hooks:
            hook.remove()
    for name in names:
        require_reached(name in found, name, "layers")
    return {name: found[name] for name in names}


def untouched(model: nn.Module, images: torch.Tensor):
    """model(images), in the mode it is in, without the traces that train mode leaves.

    The pass works on copies of the buffers, such as batch norm's running statistics, and the
    random numbers that dropout draws are put back.
    """
    if not any(module.training for module in model.modules()):
        return model(images)
    copies = {name: value.clone() for name, value in model.named_buffers()}
    with torch.random.fork_rng(devices=[images.device] if images.is_cuda else []):
        return functional_call(model, copies, (images,))


def find_layer(model: nn.Module, layer: str, name: str = "layer") -> nn.Module:
    """The module that `model` calls `layer`; a ValueError that names the nearest if it has none.

    `name` is how the message calls the argument.
    """
    require_model(model)
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


def _exchanged(output, name):
    """A clone of the first tensor in `output`, and `output` with a clone of that in its place."""
    if isinstance(output, torch.Tensor):
        found = output.clone()
        return found, found.clone()
    place, first = _first(output)
    if place is None:
        raise TypeError(f"layers={name!r} returns a {type(output).__name__}, not a tensor; "
                        f"ask for one of the layers inside it")
    found, follows = _exchanged(first, name)
    items = [*output[:place], follows, *output[place + 1:]]
    return found, type(output)(*items) if hasattr(output, "_fields") else type(output)(items)


def _first(output):
    """Place and value of the first entry of a tuple or list that is, or holds, a tensor."""
    if isinstance(output, (tuple, list)):
        for place, item in enumerate(output):
            if isinstance(item, torch.Tensor) or _first(item)[0] is not None:
                return place, item
    return None, None
