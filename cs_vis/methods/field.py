"""What a neuron can see of a picture: the box outside which no pixel reaches it."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from ..models import activations
from ..require import require_images, require_one, require_unit
from .saliency import every_relu


class Box(NamedTuple):
    """Rows top to bottom and columns left to right, the ends excluded; it may leave the picture."""
    top: int
    bottom: int
    left: int
    right: int


class PassAll(torch.autograd.Function):
    """A ReLU that lets everything through both ways, so that no path to a pixel is closed."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient


def field_of_view(model: nn.Module, image: torch.Tensor, neuron, layer: str, *,
                  generator: torch.Generator) -> Box:
    """The pixels of `image` that can reach one neuron (channel, row, col) of a layer.

    It is measured: the gradient of the neuron, with every ReLU open, on pictures of noise; where
    it is zero, no path leads. At a border the box is as large as in the picture's middle, and
    part of it lies outside. image (1, 3, H, W) gives size and device. Raises ValueError for a
    neuron that the layer does not have. Network and image stay as they were.
    """
    require_one(image)
    noise = torch.rand(2, *image.shape[1:], generator=generator, device=generator.device).to(image)
    with torch.enable_grad(), every_relu(PassAll):
        found = activations(model, noise.requires_grad_(), layer)[layer]  # (2, C, h, w)
        channel, row, col = require_unit(neuron, found.shape)
        seen = _seen(found[:, channel, row, col], noise)
        if any(low == 0 or high == side for (low, high), side in zip(seen, image.shape[2:])):
            central = _seen(found[:, channel, found.shape[2] // 2, found.shape[3] // 2], noise)
            seen = map(_as_long, seen, central, image.shape[2:])
    (top, bottom), (left, right) = seen
    return Box(top, bottom, left, right)


def _seen(asked: torch.Tensor, noise: torch.Tensor) -> list[tuple[int, int]]:
    """(top, bottom) and (left, right) of the pixels that have a gradient."""
    gradient, = torch.autograd.grad(asked.sum(), noise, retain_graph=True)
    inside = (gradient != 0).flatten(0, 1).any(dim=0)  # (2, 3, H, W) -> (H, W)
    lines = [inside.any(dim=axis).nonzero().flatten() for axis in (1, 0)]
    return [(int(line[0]), int(line[-1]) + 1) for line in lines]


def _as_long(ends: tuple[int, int], central: tuple[int, int], side: int) -> tuple[int, int]:
    """What a border has cut off is put on again."""
    (low, high), length = ends, central[1] - central[0]
    if low == 0 and high < side:
        return high - length, high
    return (low, low + length) if high == side else (low, high)


def crop(images: torch.Tensor, box: Box, outside: float = 1.0) -> torch.Tensor:
    """The box cut out of pictures (N, 3, H, W); where it leaves them, `outside`: white is 1."""
    require_images(images)
    height, width = images.shape[2:]
    missing = [max(-box.left, 0), max(box.right - width, 0),
               max(-box.top, 0), max(box.bottom - height, 0)]
    inside = images[:, :, max(box.top, 0):box.bottom, max(box.left, 0):box.right]
    return F.pad(inside, missing, value=outside)
