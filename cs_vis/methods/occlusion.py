"""What comes after an occlusion map: the probability lost, back from patch positions to pixels."""

import math
from itertools import product

import torch
from torch import nn

from ..models.layers import untouched
from ..require import (require_batch, require_finite, require_fit, require_function, require_model,
                       require_scores, require_sides, require_target, require_tensor)


@torch.no_grad()
def occlusion_loss(images: torch.Tensor, y, model: nn.Module, occlusion_map, *, patch: int = 32,
                   stride: int = 16) -> torch.Tensor:
    """For each pixel, the probability of class y that is lost while something hides it.

    images (N, 3, H, W) in [0, 1]; y (N,) class indices, or an int for every image.
    occlusion_map(image, y, model, patch, stride) is the step, as in the exercise. What it leaves
    is taken from the probability on the whole image; a gain counts 0; then each pixel gets the
    mean over the windows that cover it. Returns (N, H, W) in [0, 1]; images stay as they were.
    Raises TypeError or ValueError for other shapes or classes, or a patch that does not fit.
    """
    require_batch(images)
    require_model(model)
    require_function(occlusion_map, "occlusion_map")
    for side in images.shape[2:]:
        require_fit(side, patch, stride)
    scores = untouched(model, images)
    require_scores(scores)
    chances = scores.softmax(dim=1)  # (N, K)
    y = require_target(y, *chances.shape, name="y").to(images.device)
    whole = chances.gather(1, y.view(-1, 1))  # (N, 1)
    maps = images.new_empty(len(images), *images.shape[2:])
    for n, label in enumerate(y.tolist()):
        left = occlusion_map(images[n:n + 1], label, model, patch, stride)  # (rows, cols)
        # Clamped before spreading, or what one window gains would hide what its neighbour loses.
        maps[n] = spread((whole[n] - left).clamp(min=0), images.shape[2:], patch, stride)
    return maps


def spread(values: torch.Tensor, size: tuple[int, int], patch: int, stride: int) -> torch.Tensor:
    """For each pixel the mean of `values` over the windows that cover it.

    values: (rows, cols), one number for each position of a patch × patch window that steps by
    `stride`, the last one flush with the border, as in the exercise `occlusion_map`.
    Returns (H, W) with size = (H, W). Raises ValueError where rows and cols do not fit.
    """
    require_tensor(values, "values", "(rows, cols)")
    require_finite(values, "values")
    size = require_sides(size)
    for side in size:
        require_fit(side, patch, stride)
    wanted = tuple(math.ceil((side - patch) / stride) + 1 for side in size)
    if tuple(values.shape) != wanted:
        raise ValueError(f"values has shape {tuple(values.shape)}, but a {patch}-pixel patch in "
                         f"steps of {stride} has {wanted[0]} × {wanted[1]} positions on an image "
                         f"of {size[0]} × {size[1]}: use the map's own patch and stride")
    total, count = values.new_zeros(size), values.new_zeros(size)
    for r, c in product(*map(range, wanted)):
        top, left = (min(place * stride, side - patch) for place, side in zip((r, c), size))
        window = slice(top, top + patch), slice(left, left + patch)
        total[window] += values[r, c]
        count[window] += 1
    return total / count.clamp(min=1)  # a stride wider than the patch leaves pixels uncovered
