"""What does a layer still know of a picture? The four exercises of notebook 06, solved.

Nothing here changes the network, its weights' gradients, or what is passed in.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from ..models import activations
from ..require import (require_above_0, require_function, require_number, require_one,
                       require_single, require_target_features)

LARGEST = 1e6  # of a rate
HIGHEST = 100  # of alpha


def feature_distance(features: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """How far the features are from the target's, as a part of those: ‖φ − φ₀‖² / ‖φ₀‖².

    Mahendran and Vedaldi 2015, equation 2. features and target alike, (1, C, h, w) or (1, K).
    Returns a 0-dim tensor, through which gradients flow to features; the target is a constant.
    Raises TypeError or ValueError for other shapes or dtypes, or a target that is 0 everywhere.
    """
    require_target_features(target, features)
    target = target.detach()
    return (features - target).square().sum() / target.square().sum()


def total_variation(img: torch.Tensor, beta: float) -> torch.Tensor:
    """How much neighbours differ: Σ ((x_{i,j+1} − x_{ij})² + (x_{i+1,j} − x_{ij})²)^(beta/2).

    Mahendran and Vedaldi 2015, section 3. img (1, 3, H, W), each pixel and colour a term; beyond
    the border a neighbour counts as equal. Returns a 0-dim tensor. A term without a difference
    gives no gradient, where that of the formula is infinite for beta below 2.
    Raises TypeError or ValueError for other shapes or dtypes, or a beta not above 0.
    """
    require_one(img, "img")
    require_above_0(beta=beta)
    right = F.pad(img.diff(dim=3), (0, 1))  # (1, 3, H, W), 0 in the last column
    down = F.pad(img.diff(dim=2), (0, 0, 0, 1))  # the same, 0 in the last row
    square = right ** 2 + down ** 2
    flat = square == 0  # filled for the root's sake: three times faster than to leave them out
    return square.masked_fill(flat, 1).pow(beta / 2).masked_fill(flat, 0).sum()


def alpha_norm(img: torch.Tensor, alpha: float) -> torch.Tensor:
    """How far values are from 0, large ones above all: Σ |x|^alpha, without a root.

    Mahendran and Vedaldi 2015, section 3. img (1, 3, H, W), a picture around 0, and alpha from 1;
    with 6 it hardly minds values inside a range, and those outside very much. A 0-dim tensor.
    Raises TypeError or ValueError for other shapes or dtypes, or an alpha outside 1 to 100.
    """
    require_one(img, "img")
    return img.abs().pow(require_number("alpha", alpha, 1, HIGHEST)).sum()


def inversion_step(img: torch.Tensor, model: nn.Module, layer: str, target: torch.Tensor,
                   prior: Callable[[torch.Tensor], torch.Tensor],
                   learning_rate: float) -> torch.Tensor:
    """A new picture, one step down from img, at which the layer's features come nearer to target.

    Mahendran and Vedaldi 2015. g is the gradient of feature_distance(φ(img), target) + prior(img),
    φ(img) what `layer` computes of img (1, 3, H, W) and prior a function from a picture to a
    number; the step is learning_rate · g / ‖g‖₂. Nothing is clamped. Where g is 0, img's values
    come back. img, target and the network are left untouched.
    Raises TypeError or ValueError for other shapes, layers, priors, or a rate below 0.
    """
    require_one(img, "img")
    require_function(prior, "prior")
    learning_rate = require_number("learning_rate", learning_rate, 0, LARGEST)
    leaf = img.detach().requires_grad_()  # the same memory, and no history
    features = activations(model, leaf, layer)[layer]  # (1, C, h, w), or (1, K)
    penalty = prior(leaf)
    require_single(penalty, "prior(img)")
    energy = feature_distance(features, target) + penalty
    gradient, = torch.autograd.grad(energy, leaf)  # (1, 3, H, W)
    length = gradient.norm().clamp(min=torch.finfo(img.dtype).tiny)
    return leaf.detach() - learning_rate * gradient / length
