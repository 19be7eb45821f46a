"""Weights as pictures, what a layer gives, and what a unit sees: notebook 01's exercises, solved.

Pictures (1, 3, H, W) in [0, 1]. Nothing here changes the network, or what is passed in.
"""

import torch
from torch import nn

from ..methods.field import Box, crop, windows
from ..models import activations, find_layer
from ..require import (require_at_most, require_batch, require_filters, require_layers, require_one,
                       require_positions, require_reached, require_unit, require_whole)


def filters_to_images(weight: torch.Tensor) -> torch.Tensor:
    """Each filter of a first layer as a picture in [0, 1], (F, 3, kh, kw).

    (w - min) / (max - min), both over all values of one filter, its three colours together; a
    filter whose values are all equal becomes 0. A new tensor without a graph, like weight
    (F, 3, kh, kw) in dtype and device; weight stays as it was.
    Raises TypeError or ValueError for other shapes, or values that are not finite.
    """
    require_filters(weight)
    low, high = weight.detach().flatten(1).aminmax(dim=1)  # (F,) each
    span = torch.where(high > low, high - low, 1)
    return (weight.detach() - low.view(-1, 1, 1, 1)) / span.view(-1, 1, 1, 1)


def activation_maps(model: nn.Module, image: torch.Tensor, layer: str) -> torch.Tensor:
    """What `layer` gives for one image (1, 3, H, W): its maps, (C, h, w).

    They are read by a forward hook, which is gone on return, also after an error, and are a copy:
    a later layer that writes in place does not reach them. The network stays as it was.
    Raises TypeError or ValueError for another shape, or a layer that is not there or not used.
    """
    require_one(image)
    found = []

    def keep(module, inputs, output):
        require_positions(output, layer)
        found.append(output.detach().clone())

    hook = find_layer(model, layer).register_forward_hook(keep)
    try:
        with torch.no_grad():
            model(image)
    finally:
        hook.remove()
    require_reached(found, layer)
    return found[0][0]


def receptive_field(layers: list[tuple[int, int, int]]) -> tuple[int, int, int]:
    """(size, stride, start): unit (row, col) sees rows start + row · stride … + size, end excluded.

    Araujo, Norris and Sim 2019. layers: (kernel, stride, padding) of each layer, from the first to
    the one that is asked; columns are as rows. A negative start: padding is seen. No layer at all
    gives (1, 1, 0), a pixel. Raises TypeError or ValueError for what are no such numbers.
    """
    require_layers(layers)
    size, stride, start = 1, 1, 0
    for kernel, step, padding in layers:
        size += (kernel - 1) * stride
        start -= padding * stride
        stride *= step
    return size, stride, start


def max_activating_patches(model: nn.Module, images: torch.Tensor, layer: str, channel: int,
                           k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """What `channel` of `layer` sees where it is largest: patches (k, 3, size, size) and places.

    Of each of the images (N, 3, H, W) the position with the largest value counts, the first of
    equals; of these the k largest, strongest first. A patch is what the position can see, white
    outside the picture. places (k, 3), long: image, row and col. All is left untouched.
    Raises TypeError or ValueError for other shapes, or a layer, channel or k that is not there.
    """
    require_batch(images)
    require_whole(k=k, at_least=1)
    require_at_most("k", k, len(images), "images")
    with torch.no_grad():
        maps = activations(model, images, layer)[layer]  # (N, C, h, w)
    require_positions(maps, layer)
    channel, = require_unit((channel,), maps.shape, "channel")
    best, where = maps[:, channel].flatten(1).max(dim=1)  # (N,) each
    chosen = best.argsort(descending=True, stable=True)[:k]
    width = maps.shape[3]
    places = torch.stack([chosen, where[chosen] // width, where[chosen] % width], dim=1)
    size, stride, start = receptive_field(windows(model, layer))
    patches = [crop(images[i:i + 1], Box(top, top + size, left, left + size))
               for i, row, col in places.tolist()
               for top, left in [(start + row * stride, start + col * stride)]]
    return torch.cat(patches), places
