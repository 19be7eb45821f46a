"""What would the network like to see? The five exercises of notebook 05, solved.

The picture moves around 0, which is what the penalty and both clips draw it to; what colour 0
stands for is up to who shows it. Nothing here changes the network's mode or its weights' gradients.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from ..require import (require_batch, require_number, require_one, require_same_shape,
                       require_scores, require_target, require_whole)

LARGEST = 1e6  # of a weight or a rate
WIDEST = 1000  # pixels, the largest sigma of a blur


def class_visualization_update_step(img: torch.Tensor, model: nn.Module, target_y: int,
                                    l2_reg: float, learning_rate: float) -> None:
    """Move img, in place, one step up the score of target_y minus l2_reg · ‖img‖².

    Simonyan, Vedaldi and Zisserman 2014, section 2. img (1, 3, H, W); g is the gradient of that
    difference at img, the score raw; img grows by learning_rate · g / ‖g‖₂. Nothing is clamped.
    Where g is 0, img stays as it is. Its .grad is neither read nor written.
    Raises TypeError or ValueError for other shapes, dtypes, classes, or numbers below 0.
    """
    require_one(img, "img")
    l2_reg = require_number("l2_reg", l2_reg, 0, LARGEST)
    learning_rate = require_number("learning_rate", learning_rate, 0, LARGEST)
    leaf = img.detach().requires_grad_()  # the same memory, and no history
    scores = model(leaf)  # (1, K)
    require_scores(scores)
    require_target(target_y, *scores.shape, name="target_y")
    objective = scores[0, target_y] - l2_reg * leaf.square().sum()
    gradient, = torch.autograd.grad(objective, leaf)  # (1, 3, H, W)
    length = gradient.norm().clamp(min=torch.finfo(img.dtype).tiny)
    with torch.no_grad():
        img += learning_rate * gradient / length


def jitter(img: torch.Tensor, ox: int, oy: int) -> torch.Tensor:
    """Roll the pictures ox columns to the right and oy rows down; what leaves enters opposite.

    Mordvintsev et al. 2015. img (N, 3, H, W); negative numbers roll to the left and up, so
    jitter(img, -ox, -oy) takes it back. Returns a new tensor (N, 3, H, W).
    Raises TypeError or ValueError for other shapes or dtypes, or offsets that are not whole.
    """
    require_batch(img, "img")
    require_whole(ox=ox, oy=oy)
    return img.detach().roll((oy, ox), dims=(2, 3))


def blur(img: torch.Tensor, sigma: float) -> torch.Tensor:
    """Blur each colour by a Gaussian of sigma pixels: first down the columns, then along the rows.

    Yosinski et al. 2015. img (N, 3, H, W); the kernel exp(-k² / (2 sigma²)), k from -r to r with
    r = ceil(3 sigma), is divided by its sum; beyond the border its last pixel goes on.
    Returns a new tensor (N, 3, H, W); with sigma 0 a copy.
    Raises TypeError or ValueError for other shapes or dtypes, or a sigma outside 0 to 1000.
    """
    require_batch(img, "img")
    sigma = require_number("sigma", sigma, 0, WIDEST)
    if sigma == 0:
        return img.detach().clone()
    reach = math.ceil(3 * sigma)
    k = torch.arange(-reach, reach + 1, dtype=img.dtype, device=img.device)
    kernel = torch.exp(-(k ** 2) / (2 * sigma ** 2))
    kernel = (kernel / kernel.sum()).expand(3, 1, -1)  # (3, 1, 2r + 1), one for each colour
    padded = F.pad(img.detach(), (reach,) * 4, mode="replicate")  # (N, 3, H + 2r, W + 2r)
    down = F.conv2d(padded, kernel[..., None], groups=3)  # (N, 3, H, W + 2r)
    return F.conv2d(down, kernel[:, :, None], groups=3)  # (N, 3, H, W)


def clip_small_pixels(img: torch.Tensor, fraction: float) -> torch.Tensor:
    """Set to 0 the pixels that are close to 0 already: those with the smallest norms.

    Yosinski et al. 2015. img (N, 3, H, W); a pixel's norm is its L2 norm over the colours, and 0
    where it lies below the fraction-quantile of its own picture's norms. Returns a new tensor.
    Raises TypeError or ValueError for other shapes or dtypes, or a fraction outside 0 to 1.
    """
    require_batch(img, "img")
    return without_smallest(img.detach(), img.detach().norm(dim=1), fraction)


def clip_small_gradients(img: torch.Tensor, gradient: torch.Tensor,
                         fraction: float) -> torch.Tensor:
    """Set to 0 the pixels that the score would miss least: those of the smallest contribution.

    Yosinski et al. 2015. img and gradient (N, 3, H, W); a pixel's contribution is
    abs(Σ_c img_c · gradient_c), to first order the change of the score without it. It becomes 0
    where that lies below the fraction-quantile of its own picture. Returns a new tensor.
    Raises TypeError or ValueError for other shapes or dtypes, or a fraction outside 0 to 1.
    """
    require_batch(img, "img")
    require_same_shape(gradient, img, "gradient", "img")
    contribution = (img.detach() * gradient.detach()).sum(dim=1).abs()  # (N, H, W)
    return without_smallest(img.detach(), contribution, fraction)


def without_smallest(img: torch.Tensor, measure: torch.Tensor, fraction: float) -> torch.Tensor:
    """img (N, 3, H, W) with 0 where the measure (N, H, W) is below its picture's quantile."""
    fraction = require_number("fraction", fraction, 0, 1)
    bound = measure.flatten(1).quantile(fraction, dim=1).view(-1, 1, 1)
    return torch.where((measure >= bound)[:, None], img, 0)  # (N, 1, H, W) for all colours
