"""Gradients of a class or any neuron with respect to the picture, by the ReLU rule you like."""

import math
from contextlib import nullcontext

import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode

from ..models import activations, find_layer
from ..models.layers import untouched
from ..require import (require_batch, require_features, require_function, require_generator,
                       require_maps, require_model, require_number, require_relu, require_rule,
                       require_scores, require_target, require_unit, require_whole)

NARROWEST, WIDEST = 0.01, 1000  # pixels: sigmas of a blur; below, nothing of a neighbour arrives


def backprop(model: nn.Module, images: torch.Tensor, target, *, layer: str | None = None,
             relu=None) -> torch.Tensor:
    """The gradient of one class score, or of one neuron, with respect to the picture.

    images (N, 3, H, W) in [0, 1]. Without a layer, target is a class: an int, or (N,) indices.
    With a layer (N, C, rows, cols) or (N, C), it is a channel (an int or (channel,): the sum over
    all its positions) or one neuron (channel, row, col). relu: an autograd Function used for
    every ReLU (and ReLU6, cut at 6 afterwards) while the pass runs, such as GuidedReLU; other
    activations keep their own gradient. None is the plain gradient, for inner layers only.
    Returns (N, 3, H, W). Raises ValueError or TypeError for a target or a layer that the network
    does not have, and for a rule where it has no ReLU. Network, images and random numbers stay
    as they were; a network in train mode runs in train mode.
    """
    require_model(model)
    require_batch(images)
    if relu is None and layer is None:  # that is the heart of an exercise, and ships to students
        raise ValueError("relu=None with a class as the target is the plain gradient, which "
                         "compute_saliency_maps takes: pass a rule, such as relu=GuidedReLU")
    if layer is not None:
        find_layer(model, layer)  # refuses a name that this network does not have
    if relu is not None:
        require_rule(relu)
    rule, gradients = nullcontext() if relu is None else every_relu(relu), []
    for rows in parts(model, images):
        part = images[rows].detach().requires_grad_()
        with torch.enable_grad(), rule:
            if layer is None:
                asked = class_scores(untouched(model, part), target, len(images), rows)
            else:
                asked = neurons(activations(model, part, layer)[layer], target, part, layer)
            if relu is not None and not rule.met:
                require_relu(model, layer is not None and meets_relu(model, part))
            gradients += torch.autograd.grad(asked.sum(), part)
    return torch.cat(gradients)


def parts(model, images):
    """The batch in slices. On a CPU two pictures for each thread: sooner, and with less memory.

    In train mode pictures of a batch see each other (batch norm), so it stays whole.
    """
    apart = images.device.type == "cpu" and not any(part.training for part in model.modules())
    step = 2 * torch.get_num_threads() if apart else len(images)
    return [slice(start, start + step) for start in range(0, len(images), step)]


def class_scores(scores, target, count, rows):
    require_scores(scores)
    target = require_target(target, count, scores.shape[1]).to(scores.device)
    return scores.gather(1, target[rows].view(-1, 1))  # (n, 1)


def neurons(activation, target, images, layer):
    """What the neuron (channel, row, col), or the whole channel, says to each image."""
    require_features(activation, images, layer)
    target = require_unit(target, activation.shape)
    return activation[(slice(None), *target)]  # (n,), or (n, H, W) for a channel


def meets_relu(model, images) -> bool:
    """Is there a ReLU anywhere on the way, also beyond the layer that was asked?"""
    with torch.no_grad(), every_relu(DeconvReLU) as rule:
        untouched(model, images)
    return rule.met


# Each spelling of a ReLU, with its signature: gives x, where it begins, where it is cut, in place?
SPELLINGS = {
    torch.relu: lambda input: (input, 0, None, False),
    torch.Tensor.relu: lambda input: (input, 0, None, False),
    torch.relu_: lambda input: (input, 0, None, True),  # F.relu_ is the same
    torch.Tensor.relu_: lambda input: (input, 0, None, True),
    F.relu: lambda input, inplace=False: (input, 0, None, inplace),
    F.relu6: lambda input, inplace=False: (input, 0, 6, inplace),
    F.hardtanh: lambda input, min_val=-1, max_val=1, inplace=False: (
        input, min_val, max_val, inplace),
    F.hardtanh_: lambda input, min_val=-1, max_val=1: (input, min_val, max_val, True),
}


class every_relu(TorchFunctionMode):
    """While active, every ReLU that PyTorch is asked for, in whatever spelling, is `relu`.

    It catches the calls, not the modules, so functional and in-place ones are caught too. A ReLU6,
    and any hardtanh from 0, is `relu` and then a cut, which lets no gradient pass where x >= 6.
    `met`: whether there was any.
    """

    def __init__(self, relu):
        super().__init__()
        self.relu, self.met = relu, False

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        x, low, top, in_place = SPELLINGS.get(function, no_relu)(*args, **kwargs)
        if low != 0:
            return function(*args, **kwargs)
        self.met = True
        # The rule saves its input, which an in-place ReLU overwrites: hence the clone.
        y = self.relu.apply(x.clone() if in_place else x)
        y = y if top is None else torch.where(y < top, y, top)
        if not in_place:
            return y
        return Overwritten.apply(x, y) if x._base is None else x.copy_(y)


def no_relu(*args, **kwargs):
    return None, None, None, False


class Overwritten(torch.autograd.Function):
    """x.copy_(y), without a gradient of zeros for what x was before; x must be no view."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.mark_dirty(x)
        return x.copy_(y)

    @staticmethod
    def backward(ctx, gradient):
        return None, gradient


class DeconvReLU(torch.autograd.Function):
    """ReLU forward; backward, what is positive passes, whatever the forward pass let through.

    The rule of deconvnets, Zeiler and Fergus 2014: gradient · [gradient > 0].
    """

    @staticmethod
    def forward(ctx, x):
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, gradient):
        return gradient.clamp(min=0)


def smooth_saliency(X: torch.Tensor, y: torch.Tensor, model: nn.Module, compute_saliency_maps, *,
                    samples: int = 16, sigma: float = 0.05,
                    generator: torch.Generator) -> torch.Tensor:
    """SmoothGrad, Smilkov et al. 2017: the mean of the maps of noisy copies.

    X (N, 3, H, W) in [0, 1], y (N,); sigma is the noise's standard deviation in the same units.
    compute_saliency_maps(X, y, model) is the step. Returns (N, H, W); X stays as it was.
    Raises TypeError or ValueError unless samples is a whole number from 1 and sigma from 0 to 1.
    """
    require_batch(X, "X")
    require_model(model)
    require_function(compute_saliency_maps, "compute_saliency_maps")
    require_whole(samples=samples, at_least=1)
    sigma = require_number("sigma", sigma, 0, 1)
    require_generator(generator)
    X, total = X.detach(), 0  # an X that asks for its gradient would make every copy no leaf
    for _ in range(samples):
        noise = torch.randn(X.shape, generator=generator, device=generator.device)
        total = total + compute_saliency_maps(X + sigma * noise.to(X), y, model)
    return total / samples


def smooth(maps: torch.Tensor, sigma: float) -> torch.Tensor:
    """Blur maps (N, H, W) by a Gaussian of sigma pixels, cut at 4 sigma; borders are continued.

    Returns (N, H, W). Raises TypeError or ValueError for another shape or dtype, NaN, and a sigma
    outside 0 to 1000.
    """
    require_maps(maps)
    sigma = require_number("sigma", sigma, 0, WIDEST)
    if sigma < NARROWEST:
        return maps.clone()
    reach = math.ceil(4 * sigma)
    steps = torch.arange(-reach, reach + 1, dtype=maps.dtype, device=maps.device)
    kernel = torch.exp(-0.5 * (steps / sigma) ** 2)
    kernel = kernel / kernel.sum()
    maps = F.pad(maps[:, None], (reach,) * 4, mode="replicate")  # (N, 1, H + 2r, W + 2r)
    maps = F.conv2d(maps, kernel.view(1, 1, -1, 1))  # down the columns
    return F.conv2d(maps, kernel.view(1, 1, 1, -1))[:, 0]  # along the rows, (N, H, W)
