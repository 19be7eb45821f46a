"""Gradients of a class or any neuron with respect to the picture, by the ReLU rule you like."""

import math
from contextlib import nullcontext

import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode

from ..models import activations, find_layer
from ..require import require_images, require_target, require_unit, require_whole

RELU = {F.relu, torch.relu, torch.Tensor.relu}
RELU_IN_PLACE = {F.relu_, torch.relu_, torch.Tensor.relu_}


def backprop(model: nn.Module, images: torch.Tensor, target, *, layer: str | None = None,
             relu=None) -> torch.Tensor:
    """The gradient of one class score, or of one neuron, with respect to the picture.

    images (N, 3, H, W) in [0, 1]. Without a layer, target is a class: an int, or (N,) indices.
    With a layer, it is a channel (an int or (channel,): the sum over all its positions) or one
    neuron (channel, row, col). relu: an autograd Function used for every ReLU while the pass
    runs, such as GuidedReLU or DeconvReLU; None is the plain gradient, for inner layers only.
    Returns (N, 3, H, W). Raises ValueError or TypeError for a target or a layer that the network
    does not have. Leaves network and images as they were: no module is touched, no hook remains.
    """
    require_images(images)
    if relu is None and layer is None:  # that is the heart of an exercise, and ships to students
        raise ValueError("relu=None with a class as the target is the plain gradient, which "
                         "compute_saliency_maps takes: pass a rule, such as relu=GuidedReLU")
    if layer is not None:
        find_layer(model, layer)  # refuses a name that this network does not have
    images = images.detach().requires_grad_()
    with torch.enable_grad(), nullcontext() if relu is None else every_relu(relu):
        if layer is None:
            asked = class_scores(model(images), target)
        else:
            asked = neurons(activations(model, images, layer)[layer], target)
        gradient, = torch.autograd.grad(asked.sum(), images)
    return gradient


def class_scores(scores, target):
    target = require_target(target, *scores.shape).to(scores.device)
    return scores.gather(1, target.view(-1, 1))  # (N, 1)


def neurons(activation, target):
    """What the neuron (channel, row, col), or the whole channel, says to each image."""
    target = require_unit(target, activation.shape)
    return activation[(slice(None), *target)]  # (N,), or (N, H, W) for a channel


class every_relu(TorchFunctionMode):
    """While active, every ReLU that PyTorch is asked for, in whatever spelling, is `relu`.

    It catches the calls, not the modules, so functional and in-place ones are caught too.
    """

    def __init__(self, relu):
        super().__init__()
        self.relu = relu

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function in RELU_IN_PLACE or (function in RELU and in_place(*args, **kwargs)):
            x = args[0] if args else kwargs["input"]
            # The rule saves its input, which the copy would overwrite: hence the clone.
            return x.copy_(self.relu.apply(x.clone()))
        if function in RELU:
            return self.relu.apply(args[0] if args else kwargs["input"])
        return function(*args, **kwargs)


def in_place(input, inplace=False):  # the signature of torch.nn.functional.relu
    return inplace


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
    Raises TypeError or ValueError unless samples is a whole number from 1 and sigma at least 0.
    """
    require_whole(samples=samples)
    if samples < 1 or sigma < 0:
        raise ValueError(f"samples={samples}, sigma={sigma}: ask for at least one sample, and "
                         f"for noise of at least 0")
    total = 0
    for _ in range(samples):
        noise = torch.randn(X.shape, generator=generator, device=generator.device)
        total = total + compute_saliency_maps(X + sigma * noise.to(X), y, model)
    return total / samples


def smooth(maps: torch.Tensor, sigma: float) -> torch.Tensor:
    """Blur maps (N, H, W) by a Gaussian of sigma pixels, cut at 4 sigma; borders are continued.

    Returns (N, H, W). Raises ValueError for another shape or a negative sigma.
    """
    if maps.ndim != 3 or sigma < 0:
        raise ValueError(f"maps of shape {tuple(maps.shape)} and sigma={sigma}: pass maps "
                         f"(N, H, W), for example maps[None], and a sigma of at least 0")
    if sigma == 0:
        return maps.clone()
    reach = math.ceil(4 * sigma)
    steps = torch.arange(-reach, reach + 1, dtype=maps.dtype, device=maps.device)
    kernel = torch.exp(-0.5 * (steps / sigma) ** 2)
    kernel = kernel / kernel.sum()
    maps = F.pad(maps[:, None], (reach,) * 4, mode="replicate")  # (N, 1, H + 2r, W + 2r)
    maps = F.conv2d(maps, kernel.view(1, 1, -1, 1))  # down the columns
    return F.conv2d(maps, kernel.view(1, 1, 1, -1))[:, 0]  # along the rows, (N, H, W)
