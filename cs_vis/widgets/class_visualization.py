"""The panel of notebook 05: a class picture that grows, and every strength of it on a slider."""

from collections.abc import Callable

import torch

from ..methods.class_visualization import STRENGTHS, ascent_step
from .live import Choice, Range, following, play

__all__ = ["class_visualization_panel"]


def class_visualization_panel(networks: dict, starts: dict, *,
                              class_visualization_update_step: Callable, begin: int = 10,
                              **helpers):
    """A panel that climbs to a class's picture; what a slider says acts at the next step.

    networks: name -> network with the same classes. starts: name -> picture (1, 3, H, W) in
    [0, 1] to begin with. class_visualization_update_step and the helpers (jitter, blur,
    clip_small_pixels, clip_small_gradients) are the student's; a slider is there for each helper
    that is. What they raise becomes a line of text; one that is defined anew is picked up.
    Raises ValueError or TypeError for no network, no start, or a helper of another name.
    """
    if not networks:
        raise ValueError("networks has 0 entries: a panel needs a network, name -> network")
    unknown = [name for name in helpers if name not in STRENGTHS]
    if unknown:
        raise TypeError(f"{unknown[0]!r} is none of the helpers, which are {', '.join(STRENGTHS)}")
    helpers = {name: function for name, function in helpers.items() if function is not None}
    student = {"class_visualization_update_step": class_visualization_update_step, **helpers}
    newest = {name: following(function) for name, function in student.items()}
    update = newest.pop("class_visualization_update_step")
    generator, climbs = torch.Generator().manual_seed(0), {}

    def step(picture, *, network, y, **strengths):
        model = networks[network]
        if (network, y) not in climbs:
            climbs[network, y] = ascent_step(update, model, y, newest, generator=generator)
        mean = model.mean_color.view(3, 1, 1)
        moved, score = climbs[network, y](picture - mean, **strengths)
        return moved + mean, score

    classes = next(iter(networks.values())).class_names
    given = {strength for name, strength in STRENGTHS.items() if name in helpers}
    controls = {name: control for name, control in CONTROLS.items()
                if name in given or name not in STRENGTHS.values()}
    return play(step, starts, {"network": Choice(list(networks)[::-1]),
                               "y": Choice({name: k for k, name in enumerate(classes)},
                                           words="class"), **controls},
                objective="score", begin=begin, exercises=student, name="class")


CONTROLS = {
    "learning_rate": Range(0.0, 12.0, 4.0, 0.5, "learning rate"),
    "l2_reg": Range(0.0, 0.02, 0.0, 0.0005, "penalty"),
    "reach": Range(0, 16, 8, words="jitter (px)"),
    "sigma": Range(0.0, 2.0, 0.5, 0.1, "blur (px)"),
    "every": Range(1, 12, 4, words="blur every"),
    "pixels": Range(0.0, 0.95, 0.0, 0.05, "small pixels"),
    "gradients": Range(0.0, 0.95, 0.0, 0.05, "small gradients"),
    "in_range": True,  # what the notebook's pictures of all classes are made with
}
