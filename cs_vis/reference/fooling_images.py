"""How little must change until the network says something else? Notebook 04, solved.

Nothing here changes its inputs, the network's mode, or its weights' gradients.
"""

import torch
import torch.nn.functional as F
from torch import nn

from ..require import (require_above_0, require_batch, require_norm, require_one,
                       require_same_shape, require_target)

STEPS = 100  # at most
RATE = 1.0  # the length of a step


def make_fooling_image(X: torch.Tensor, target_y: int, model: nn.Module) -> torch.Tensor:
    """Change X step by step until the network takes it for class target_y: X + g / ‖g‖₂.

    After Szegedy et al. 2014. X (1, 3, H, W) in [0, 1]; g is the gradient of the raw score of
    target_y. Tested before each step; at most 100 steps, each of length 1; nothing is clamped.
    Returns a new tensor (1, 3, H, W), equal to X where the network says target_y already.
    Raises TypeError or ValueError for other shapes, dtypes, or classes. X stays as it was.
    """
    require_one(X, "X")
    fooling = X.detach().clone()
    for _ in range(STEPS):
        leaf = fooling.detach().requires_grad_()
        scores = model(leaf)  # (1, K)
        require_target(target_y, *scores.shape, name="target_y")
        if scores.argmax(dim=1) == target_y:
            break
        gradient, = torch.autograd.grad(scores[0, target_y], leaf)  # (1, 3, H, W)
        fooling = fooling + RATE * gradient / lengths(gradient)
    return fooling


def attack_step(X: torch.Tensor, original: torch.Tensor, y: torch.Tensor, model: nn.Module,
                rate: float, radius: float, norm: str) -> torch.Tensor:
    """One step away from the classes y that stays near the original: projected gradient ascent.

    Madry et al. 2018, Kurakin et al. 2017. X, original (N, 3, H, W) in [0, 1], y (N,). X moves by
    rate · sign(g) for norm "linf", by rate · g / ‖g‖₂ for "l2", g the gradient of the image's
    cross-entropy; then its distance from the original is cut to radius in that norm, image by
    image; then its values to [0, 1]. Returns a new tensor (N, 3, H, W); X stays as it was.
    Raises TypeError or ValueError for other shapes, dtypes, classes, norms, or what is not above 0.
    """
    require_batch(X, "X")
    require_same_shape(original, X, "original", "X")
    require_norm(norm)
    require_above_0(rate=rate, radius=radius)
    leaf = X.detach().requires_grad_()
    scores = model(leaf)  # (N, K)
    y = require_target(y, *scores.shape, name="y").to(X.device)
    loss = F.cross_entropy(scores, y, reduction="sum")
    gradient, = torch.autograd.grad(loss, leaf)  # (N, 3, H, W)
    step = gradient.sign() if norm == "linf" else gradient / lengths(gradient)
    change = X.detach() + rate * step - original.detach()
    if norm == "linf":
        change = change.clamp(-radius, radius)
    else:
        change = change * (radius / lengths(change)).clamp(max=1)
    return (original.detach() + change).clamp(0, 1)


def lengths(images: torch.Tensor) -> torch.Tensor:
    """The L2 norm of each image, (N, 1, 1, 1); above 0, so that one may divide by it."""
    norms = images.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    return norms.clamp(min=torch.finfo(images.dtype).tiny)


def magnified_difference(X: torch.Tensor, fooled: torch.Tensor, scale: float) -> torch.Tensor:
    """What was changed, as a picture: 0.5 + (fooled − X) / (2 · scale), cut to [0, 1].

    X, fooled (N, 3, H, W); mid-grey where nothing changed, 1 where +scale was added, 0 where
    scale was taken away, each colour for itself. Returns (N, 3, H, W).
    Raises TypeError or ValueError for other shapes or dtypes, or a scale that is not above 0.
    """
    require_batch(X, "X")
    require_same_shape(fooled, X, "fooled", "X")
    require_above_0(scale=scale)
    return (0.5 + (fooled.detach() - X.detach()) / (2 * scale)).clamp(0, 1)
