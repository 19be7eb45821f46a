"""What the panel can be asked, and the methods that answer with two pictures each."""

from collections.abc import Callable
from typing import NamedTuple

import torch

from .. import plots
from ..methods.occlusion import occlusion_loss
from ..methods.saliency import DeconvReLU, backprop, smooth, smooth_saliency

PATCH, STRIDE = 24, 8  # pixels, for the panel's occlusion maps


class Question(NamedTuple):
    """One setting of the controls, and the functions that are to answer it."""

    student: dict                # name of the exercise -> the student's function
    model: torch.nn.Module
    image: torch.Tensor          # (1, 3, H, W) in [0, 1]
    y: int | None = None         # the class asked for; None: the network's answer
    neuron: tuple | None = None  # (layer, channel), asked for instead of a class
    sigma: float = 1.0           # of the smoothing, in pixels


class Method(NamedTuple):
    """An entry of the panel's menu."""

    draw: Callable         # Question -> (panel, panel on the image)
    exercises: tuple       # the student's functions that it runs
    neurons: bool = True   # whether it can ask for a neuron
    smoothed: bool = True  # whether smoothing changes its picture


def saliency(question):
    return map_panels(question, saliency_map(question))


def smoothed_saliency(question):
    def step(noisy, _, model):
        return saliency_map(question._replace(image=noisy))
    generator = torch.Generator(question.image.device).manual_seed(0)
    return map_panels(question, smooth_saliency(question.image, question.y, question.model, step,
                                                samples=8, generator=generator))


def guided_backprop(question):
    return gradient_panels(question, gradient(question, question.student["GuidedReLU"]))


def deconvnet(question):
    return gradient_panels(question, gradient(question, DeconvReLU))


def occlusion(question):
    loss = occlusion_loss(question.image, question.y, question.model,
                          question.student["occlusion_map"], patch=PATCH, stride=STRIDE)
    return plots.grey(loss[0]), plots.heat(question.image, loss[0])


def segmentation(question):
    found = saliency_map(question)[0]
    mask = question.student["segment_by_saliency"](question.image, found)
    return plots.outlined(question.image, mask), plots.cut_out(question.image, mask)


def saliency_map(question):  # (1, H, W)
    if question.neuron is not None:  # the exercise asks for classes only
        return gradient(question, None).abs().amax(dim=1)
    y = torch.tensor([question.y], device=question.image.device)
    return question.student["compute_saliency_maps"](question.image, y, question.model)


def gradient(question, relu):  # (1, 3, H, W)
    layer, target = question.neuron or (None, question.y)
    return backprop(question.model, question.image, target, layer=layer, relu=relu)


def map_panels(question, maps):
    maps = smooth(maps, question.sigma)
    return plots.grey(maps[0]), plots.heat(question.image, maps[0])


def gradient_panels(question, gradient):
    strength = smooth(gradient.abs().amax(dim=1), question.sigma)  # (1, H, W)
    return plots.signed(gradient), plots.heat(question.image, strength[0])


METHODS = {
    "saliency": Method(saliency, ("compute_saliency_maps",)),
    "smoothed saliency": Method(smoothed_saliency, ("compute_saliency_maps",)),
    "guided backprop": Method(guided_backprop, ("GuidedReLU",)),
    "deconvnet": Method(deconvnet, ("GuidedReLU",)),  # for contrast
    "occlusion": Method(occlusion, ("occlusion_map",), neurons=False, smoothed=False),
    "segmentation": Method(segmentation, ("compute_saliency_maps", "segment_by_saliency"),
                           smoothed=False),
}
