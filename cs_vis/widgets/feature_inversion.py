"""The panel of notebook 06: a picture that comes back from features, every number on a slider."""

from collections.abc import Callable

import torch

from ..methods.feature_inversion import descent_step
from ..models import activations
from .live import Choice, Range, following, play, require_pictures_by_name

__all__ = ["feature_inversion_panel"]


def feature_inversion_panel(networks: dict, layers: list, pictures: dict, starts: dict, *,
                            inversion_step: Callable, total_variation: Callable,
                            alpha_norm: Callable, begin: int = 10):
    """A panel that looks for a picture with a layer's features; sliders act at the next step.

    networks: name -> network with these layers. pictures: name -> picture (1, 3, H, W) in [0, 1]
    to take the features of. starts: name -> picture as large to begin with. The functions are
    the student's: what they raise becomes a line of text; one defined anew is picked up.
    Raises ValueError or TypeError for no network, no layer, and what is no picture.
    """
    for name, given in (("networks", networks), ("layers", layers)):
        if not given:
            raise ValueError(f"{name} has 0 entries: a panel needs at least one of them")
    pictures = require_pictures_by_name(pictures)
    student = {"inversion_step": inversion_step, "total_variation": total_variation,
               "alpha_norm": alpha_norm}
    newest, descents, now = {name: following(f) for name, f in student.items()}, {}, {}

    def prior(picture):
        smooth = newest["total_variation"](picture, now["beta"])
        small = newest["alpha_norm"](picture - 0.5, now["alpha"])
        return TINY * (now["variation"] * smooth + now["norm"] * small)

    def step(picture, *, network, layer, of, learning_rate, smooth, momentum, **strengths):
        now.update(strengths)
        if (network, layer, of) not in descents:
            model = networks[network]
            with torch.no_grad():
                target = activations(model, pictures[of], layer)[layer]
            descents[network, layer, of] = descent_step(newest["inversion_step"], model, layer,
                                                        target, prior)
        return descents[network, layer, of](picture, learning_rate=learning_rate, smooth=smooth,
                                            momentum=momentum)

    return play(step, starts, {"network": Choice(list(networks)[::-1]),
                               "layer": Choice(list(layers), list(layers)[len(layers) // 2]),
                               "of": Choice(list(pictures), words="picture"), **CONTROLS},
                objective="minus distance and prior", begin=begin, exercises=student,
                name="inversion")


TINY = 1e-5  # what the sliders of the two priors count in
CONTROLS = {
    "learning_rate": Range(0.0, 16.0, 4.0, 0.5, "learning rate"),
    "variation": Range(0.0, 100.0, 5.0, 1.0, "variation, 1e-5"),
    "beta": Range(0.5, 3.0, 1.0, 0.1, "its beta"),
    "norm": Range(0.0, 100.0, 0.0, 1.0, "alpha-norm, 1e-5"),
    "alpha": Range(1.0, 10.0, 6.0, 1.0, "its alpha"),
    "smooth": Range(0.0, 1.0, 0.5, 0.1, "smoother moves"),
    "momentum": Range(0.0, 0.95, 0.8, 0.05, "momentum"),
}
