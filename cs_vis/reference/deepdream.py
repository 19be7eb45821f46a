"""What a network sees, made stronger: the three exercises of notebook 08, solved.

Pictures (1, 3, H, W) in [0, 1]. Nothing here changes the network, its weights' gradients, or what
is passed in.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from ..models import activations
from ..require import (require_function, require_guide, require_number, require_octaves,
                       require_one, require_same_shape, require_whole)

FASTEST = 1e6  # the largest rate
STEEPEST = 16  # the most by which an octave shrinks


def deepdream_step(img: torch.Tensor, model: nn.Module, layer: str, learning_rate: float,
                   ox: int, oy: int) -> torch.Tensor:
    """A new picture in which `layer` sees more of what it saw already.

    Mordvintsev, Olah and Tyka 2015. img (1, 3, H, W) is rolled ox columns right and oy rows down;
    there g is the gradient of ½ Σ a², a what the layer computes, so that the gradient at the layer
    is a itself. learning_rate · g / mean|g| is added, all is rolled back and clipped to [0, 1].
    Where g is 0 the picture stays. img and the network are left untouched.
    Raises TypeError or ValueError for other shapes, layers, rates below 0, or parts of a pixel.
    """
    require_one(img, "img")
    learning_rate = require_number("learning_rate", learning_rate, 0, FASTEST)
    require_whole(ox=ox, oy=oy)
    moved = img.detach().roll((oy, ox), dims=(2, 3)).requires_grad_()
    a = activations(model, moved, layer)[layer]  # (1, C, h, w), or (1, K)
    gradient, = torch.autograd.grad(0.5 * a.square().sum(), moved)  # (1, 3, H, W)
    mean = gradient.abs().mean().clamp(min=torch.finfo(img.dtype).tiny)
    dreamed = moved.detach() + learning_rate * gradient / mean
    return dreamed.roll((-oy, -ox), dims=(2, 3)).clamp(0, 1)


def octave_pyramid(img: torch.Tensor, dream: Callable[[torch.Tensor], torch.Tensor], octaves: int,
                   scale: float) -> torch.Tensor:
    """What `dream` makes of img from small to large, with the detail that shrinking had lost.

    Mordvintsev, Olah and Tyka 2015. dream: a picture -> one as large; called once for each octave
    k = octaves - 1 … 0, on img at H / scale**k by W / scale**k pixels, rounded, plus what the
    dream before had added, enlarged. Returns the last dream, (1, 3, H, W). img stays as it was.
    Raises TypeError or ValueError for other shapes, no octave, a scale outside 1 to 16, octaves
    without a pixel, or a dream of another size.
    """
    require_one(img, "img")
    require_function(dream, "dream")
    scale = require_number("scale", scale, 1, STEEPEST)
    require_octaves(octaves, scale, img.shape[2:])
    detail = torch.zeros_like(img)
    for k in reversed(range(octaves)):
        size = [round(side / scale ** k) for side in img.shape[2:]]
        base = resized(img.detach(), size)
        dreamed = dream(base + resized(detail, size))
        require_same_shape(dreamed, base, "dream(picture)", "the picture")
        detail = dreamed - base
    return dreamed


def resized(img: torch.Tensor, size: list[int]) -> torch.Tensor:
    """img in another size, each pixel the mean of what it covers."""
    return F.interpolate(img, size=size, mode="bilinear", antialias=True, align_corners=False)


def match_guide(features: torch.Tensor, guide: torch.Tensor) -> torch.Tensor:
    """At each position of features the vector of the guide that fits best there.

    Mordvintsev, Olah and Tyka 2015. features (1, C, h, w), guide (1, C, gh, gw); of all the
    guide's vectors that with the largest inner product, the first of equals. Returns a new tensor
    (1, C, h, w), through which no gradient flows.
    Raises TypeError or ValueError for other shapes, or another number of channels.
    """
    require_guide(guide, features)
    vectors = guide.detach().flatten(2)  # (1, C, gh · gw)
    products = torch.einsum("ncp,ncq->npq", features.detach().flatten(2), vectors)
    best = products.argmax(dim=2)  # (1, h · w)
    return vectors[0, :, best[0]].view_as(features)
