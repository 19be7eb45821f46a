"""The panel of notebook 03: one picture explained by one method, for a class or for any channel."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch

from .. import plots
from ..methods.occlusion import occlusion_loss
from ..methods.saliency import DeconvReLU, backprop, smooth, smooth_saliency
from ..models import activations
from .live import Choice, Range, ask, current

__all__ = ["saliency_panel"]

CLASS_SCORE, ANSWER = "class score", "the network's answer"
PATCH, STRIDES = 24, (24, 12)  # pixels: occlusion begins roughly, for its passes take long


class Question(NamedTuple):
    """One setting of the controls, and the functions that are to answer it."""

    student: dict                # name of the exercise -> the student's function
    model: torch.nn.Module
    image: torch.Tensor          # (1, 3, H, W) in [0, 1]
    y: int                       # the class asked for
    whole: float                 # its probability on the whole picture
    neuron: tuple | None = None  # (layer, channel), asked for instead of a class
    sigma: float = 1.0           # of the smoothing, in pixels


class Method(NamedTuple):
    """An entry of the panel's menu."""

    draw: Callable         # Question -> pairs (picture, picture on the image), the roughest first
    exercises: tuple       # the student's functions that it runs
    neurons: bool = True   # whether it can ask for a neuron
    smoothed: bool = True  # whether smoothing changes its picture


def saliency_panel(models: dict, images: dict, *, compute_saliency_maps: Callable | None = None,
                   occlusion_map: Callable | None = None, GuidedReLU: type | None = None,
                   segment_by_saliency: Callable | None = None):
    """A panel that explains one image by one method, for a class or for a channel of any layer.

    models: name -> network. images: name -> image (1, 3, H, W) in [0, 1], on the networks'
    device. The four functions are the exercises' answers: a method is offered where its function
    is given. What the functions raise becomes a line of text; one that is defined anew is picked
    up. Without ipywidgets, returns the first figure. Raises ValueError for nothing to offer.
    """
    student = {"compute_saliency_maps": compute_saliency_maps, "occlusion_map": occlusion_map,
               "GuidedReLU": GuidedReLU, "segment_by_saliency": segment_by_saliency}
    student = {name: function for name, function in student.items() if function is not None}
    methods = {name: method for name, method in METHODS.items()
               if student.keys() >= set(method.exercises)}
    if not models or not methods:
        raise ValueError(f"models has {len(models)} entries, and there is a function for "
                         f"{len(methods)} methods: pass a network, and at least one of "
                         f"compute_saliency_maps, occlusion_map, GuidedReLU")

    def answer(image, *, y, layer, channel, network, method, smoothing):
        functions = {name: current(function) for name, function in student.items()}
        chosen = methods[method]
        neuron = (layer, channel) if layer and chosen.neurons else None
        yield from draw(functions, models[network], image, chosen, y, neuron, smoothing,
                        f"{method}, {network}")

    controls = {"network": Choice(list(models)), "method": Choice(list(methods)),
                "y": Choice({ANSWER: None}, words="class"), "layer": Choice({CLASS_SCORE: None}),
                "channel": Range(0, 0, 0),
                "smoothing": Range(0.0, 6.0, 1.0, 0.5, "smoothing (px)")}
    return ask(answer, images, controls, exercises=student, name="saliency",
               adapt=lambda panel, moved: offer(panel, moved, models, methods))


def offer(panel, moved: str | None, models: dict, methods: dict) -> None:
    """Have only what the network has and the method can; a choice stays where it still exists."""
    controls = panel.controls
    method = methods[controls["method"].chosen]
    if moved in (None, "network"):
        model = models[controls["network"].chosen]
        with torch.no_grad():
            found = activations(model, panel.images.chosen, model.layer_names)
        panel.channels = {name: a.shape[1] for name, a in found.items() if a.ndim == 4}
        controls["y"].offer({ANSWER: None} | {n: i for i, n in enumerate(model.class_names)})
        controls["layer"].offer({CLASS_SCORE: None} | {name: name for name in panel.channels})
    layer = controls["layer"].chosen
    controls["channel"].max = panel.channels.get(layer, 1) - 1
    controls["layer"].disabled = not method.neurons
    controls["smoothing"].disabled = not method.smoothed
    controls["channel"].disabled = not (layer and method.neurons)
    controls["y"].disabled = not controls["channel"].disabled


def draw(student, model, image, method, y, neuron, sigma, caption) -> Iterator[plots.Figure]:
    """Figures: the image with the network's answer, the map, the map on the image."""
    with torch.no_grad():
        p = model(image).softmax(dim=1)[0]  # (K,)
    k = int(p.argmax())
    y = k if y is None else y
    said = f"{model.class_names[k]}, {p[k]:.0%} sure"
    asked = "{}, channel {}".format(*neuron) if neuron else f"why {model.class_names[y]}?"
    question = Question(student, model, image, y, p[y].item(), neuron, sigma)
    for seen, on_image in method.draw(question):
        yield plots.show([plots.picture(image), seen, on_image], [said, asked, "on the image"],
                         height=2.3, caption=caption)


def saliency(question):
    yield map_pictures(question, saliency_map(question))


def smoothed_saliency(question):
    def step(noisy, _, model):
        return saliency_map(question._replace(image=noisy))
    generator = torch.Generator(question.image.device).manual_seed(0)
    yield map_pictures(question, smooth_saliency(question.image, question.y, question.model, step,
                                                 samples=8, generator=generator))


def guided_backprop(question):
    yield gradient_pictures(question, gradient(question, question.student["GuidedReLU"]))


def deconvnet(question):
    yield gradient_pictures(question, gradient(question, DeconvReLU))


def occlusion(question):
    for stride in STRIDES:
        lost = occlusion_loss(question.image, question.y, question.model,
                              question.student["occlusion_map"], patch=PATCH, stride=stride)[0]
        left = question.whole - lost  # (H, W)
        yield (plots.occlusion_picture(left, question.whole),
               plots.occlusion_picture(left, question.whole, question.image))


def segmentation(question):
    found = saliency_map(question)[0]
    mask = question.student["segment_by_saliency"](question.image, found)
    yield plots.outlined(question.image, mask), plots.cut_out(question.image, mask)


def saliency_map(question):  # (1, H, W)
    if question.neuron is not None:  # the exercise asks for classes only
        return gradient(question, None).abs().amax(dim=1)
    y = torch.tensor([question.y], device=question.image.device)
    return question.student["compute_saliency_maps"](question.image, y, question.model)


def gradient(question, relu):  # (1, 3, H, W)
    layer, target = question.neuron or (None, question.y)
    return backprop(question.model, question.image, target, layer=layer, relu=relu)


def map_pictures(question, maps):
    maps = smooth(maps, question.sigma)
    return plots.grey(maps[0]), plots.heat(question.image, maps[0])


def gradient_pictures(question, gradient):
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
