"""What a neuron can see of a picture: the box outside which no pixel reaches it, and the windows
of the convolutions and pools that lead there."""

from collections import defaultdict
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode

from ..models import activations, find_layer
from ..require import require_batch, require_generator, require_images, require_one, require_unit
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


class open_pools(TorchFunctionMode):
    """While active, max-pools take the mean instead: it lets every pixel of a window through."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function in (F.max_pool2d, torch.max_pool2d):
            return averaged(*args, **kwargs)
        return function(*args, **kwargs)


def averaged(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False,
             return_indices=False):
    """An average pool with the arguments of a max-pool; one with gaps stays what it is."""
    if dilation not in (1, (1, 1), [1, 1]):
        return F.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode)
    return F.avg_pool2d(input, kernel_size, stride, padding, ceil_mode)


def field_of_view(model: nn.Module, image: torch.Tensor, neuron, layer: str, *,
                  generator: torch.Generator) -> Box:
    """The pixels of `image` that can reach one neuron (channel, row, col) of a layer.

    It is measured: the gradient of the neuron on a picture of noise, with every ReLU and pool
    open; where it is zero, no path leads. At a border the box is as large as in the picture's
    middle, and part of it lies outside. image (1, 3, H, W) gives size and device. Raises
    ValueError for a neuron or a layer that is not there. Network and image stay as they were.
    """
    find_layer(model, layer)  # refuses what is no network, and a name that it does not have
    require_one(image)
    require_batch(image, "image")
    require_generator(generator)
    noise = torch.rand(image.shape, generator=generator, device=generator.device).to(image)
    with torch.enable_grad(), every_relu(PassAll), open_pools():
        found = activations(model, noise.requires_grad_(), layer)[layer]  # (1, C, h, w)
        unit = require_unit(neuron, found.shape, "neuron")
        if len(unit) != 3:
            raise ValueError(f"neuron={neuron!r} must be one neuron (channel, row, col): a whole "
                             f"channel, or a layer without places, sees all of the picture")
        channel, row, col = unit
        seen = _seen(found[:, channel, row, col], noise)
        if any(low == 0 or high == side for (low, high), side in zip(seen, image.shape[2:])):
            central = _seen(found[:, channel, found.shape[2] // 2, found.shape[3] // 2], noise)
            seen = map(_as_long, seen, central, image.shape[2:])
    (top, bottom), (left, right) = seen
    return Box(top, bottom, left, right)


def _seen(asked: torch.Tensor, noise: torch.Tensor) -> list[tuple[int, int]]:
    """(top, bottom) and (left, right) of the pixels that have a gradient."""
    gradient, = torch.autograd.grad(asked.sum(), noise, retain_graph=True)
    inside = (gradient[0] != 0).any(dim=0)  # (3, H, W) -> (H, W)
    if not inside.any():
        raise ValueError("this neuron sees nothing: no pixel reaches it, so its weights, or those "
                         "before it, are zero; choose another")
    lines = [inside.any(dim=axis).nonzero().flatten() for axis in (1, 0)]
    return [(int(line[0]), int(line[-1]) + 1) for line in lines]


def _as_long(ends: tuple[int, int], central: tuple[int, int], side: int) -> tuple[int, int]:
    """What a border has cut off is put on again."""
    (low, high), length = ends, central[1] - central[0]
    if low == 0 and high < side:
        return high - length, high
    return (low, low + length) if high == side else (low, high)


def windows(model: nn.Module, layer: str) -> list[tuple[int, int, int]]:
    """(kernel, stride, padding) of every convolution and pool up to `layer`, the first one first.

    They are read while a black picture passes through the network. Where branches run side by
    side, they are those of the branch that sees most; a dilated kernel counts from end to end.
    Raises ValueError for a layer that is not there, one that sees all of the picture because an
    average over all places or a linear layer comes before it, and windows that are not square.
    Network and random numbers stay as they were.
    """
    find_layer(model, layer)
    own = next(model.parameters(), torch.zeros(()))
    side = getattr(model, "side", None) or max(getattr(model, "smallest", 32), 32)
    picture = own.new_zeros(1, 3, side, side)
    picture.way = []
    with torch.no_grad(), ways():
        found = activations(model, picture, layer)[layer]
    if found.ndim != 4 or found.way is None:
        raise ValueError(f"layer={layer!r} sees all of the picture, however large that is, so it "
                         f"has no window; choose a layer of maps, before the network's average "
                         f"over all places")
    return list(found.way)


class ways(TorchFunctionMode):
    """While active, a tensor computed from others has in `way` the windows on its way from the
    picture: of several ways that which sees most; None where it sees all."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        before = [x.way for x in _tensors([*args, *(kwargs or {}).values()]) if hasattr(x, "way")]
        if before:
            way = None if None in before or function in EVERYWHERE else (
                max(before, key=_width) + [w(*args, **(kwargs or {})) for w in WINDOWS[function]])
            for x in _tensors(result):
                x.way = way
        return result


def _tensors(values) -> list[torch.Tensor]:
    """The tensors among them, also in lists and tuples."""
    if isinstance(values, torch.Tensor):
        return [values]
    return [x for value in values for x in _tensors(value)] if type(values) in (list, tuple) else []


def _width(way) -> int:
    """How many pixels side by side one unit sees: spread out to them, and counted."""
    seen = torch.ones(1, 1, 1)
    for kernel, stride, _ in reversed(way):
        seen = F.conv_transpose1d(seen, torch.ones(1, 1, kernel), stride=stride)
    return seen.shape[2]


def _of_convolution(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    kernel = [1 + d * (k - 1) for d, k in zip(_pair(dilation), weight.shape[2:])]
    if isinstance(padding, str):  # "valid", or "same", which pads less at the top
        padding = [(k - 1) // 2 * (padding == "same") for k in kernel]
    return _window(kernel, stride, padding)


def _of_max_pool(input, kernel_size, stride=None, padding=0, dilation=1, *_, **__):
    kernel = [1 + d * (k - 1) for d, k in zip(_pair(dilation), _pair(kernel_size))]
    return _window(kernel, stride or kernel_size, padding)


def _of_average_pool(input, kernel_size, stride=None, padding=0, *_, **__):
    return _window(kernel_size, stride or kernel_size, padding)


def _of_padding(input, pad, *_, **__):
    return _window(1, 1, (pad[2], pad[0]))  # left, right, top, bottom


def _window(*each) -> tuple[int, int, int]:
    rows, columns = zip(*map(_pair, each))
    if rows != columns:
        raise ValueError(f"this network has a window whose (kernel, stride, padding) is {rows} "
                         f"down the rows and {columns} along them: only square ones are told here")
    return rows


def _pair(value) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value) * (3 - len(value))


WINDOWS = defaultdict(tuple, {
    torch.conv2d: (_of_convolution,), F.pad: (_of_padding,), F.avg_pool2d: (_of_average_pool,),
    F.max_pool2d: (_of_max_pool,), torch.max_pool2d: (_of_max_pool,)})
EVERYWHERE = (F.adaptive_avg_pool2d, F.adaptive_max_pool2d, torch.adaptive_avg_pool1d, F.linear,
              torch.mean, torch.Tensor.mean)


def crop(images: torch.Tensor, box: Box, outside: float = 1.0) -> torch.Tensor:
    """The box cut out of pictures (N, 3, H, W); where it leaves them, `outside`: white is 1."""
    require_images(images)
    height, width = images.shape[2:]
    missing = [max(-box.left, 0), max(box.right - width, 0),
               max(-box.top, 0), max(box.bottom - height, 0)]
    around = F.pad(images, missing, value=outside)
    return around[:, :, box.top + missing[2]:box.bottom + missing[2],
                  box.left + missing[0]:box.right + missing[0]]
