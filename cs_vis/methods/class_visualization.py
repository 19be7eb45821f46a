"""Class pictures: the driver around the student's step, and what else than a class it may ask for.

The step moves a picture around 0, which is what the penalty and both clips draw it to. Here 0 is
the network's mean colour: the step moves a difference, and is handed a network that adds the mean
colour first. In other coordinates (methods.fourier) the same step moves those.
"""

from collections.abc import Callable, Iterator
from itertools import count

import torch
from torch import nn

from ..models import activations, find_layer
from ..require import (require_features, require_function, require_generator, require_model,
                       require_number, require_one, require_whole)
from .drive import Frame, drive, step_in_place

# Each helper of the exercises, and the number without which it has nothing to do.
STRENGTHS = {"jitter": "reach", "blur": "sigma", "clip_small_pixels": "pixels",
             "clip_small_gradients": "gradients"}
LARGEST = 1000  # pixels of jitter


def visualize(update: Callable, model: nn.Module, target_y: int, helpers: dict | None = None, *,
              start: torch.Tensor, steps: int = 70, generator: torch.Generator,
              to_picture: Callable | None = None, **strengths) -> Iterator[Frame]:
    """The pictures (1, 3, H, W) on the way up the score of target_y: a Frame after each step.

    update(img, model, target_y, l2_reg, learning_rate) is the exercise's step, helpers its four
    others by name, strengths the numbers of `ascent_step`. start (1, 3, H, W) is what the step
    moves: a difference from model.mean_color, or what to_picture takes; it stays as it was.
    Nothing is computed before the first frame is asked for. Raises TypeError or ValueError for
    other input, and a strength whose helper is missing.
    """
    require_one(start, "start")
    require_whole(steps=steps, at_least=1)
    step = ascent_step(update, model, target_y, helpers, generator=generator,
                       to_picture=to_picture)
    to_picture = to_picture or around(model)
    return (Frame(to_picture(x), score)
            for x, score in drive(step, start.detach(), strengths, steps=steps))


def ascent_step(update: Callable, model: nn.Module, target_y: int, helpers: dict | None = None, *,
                generator: torch.Generator, to_picture: Callable | None = None) -> Callable:
    """What `methods.drive` runs: step(x, **strengths) -> (x, the raw score that x had).

    Strengths: learning_rate and l2_reg; reach, the most pixels of jitter; sigma of the blur, taken
    every `every` steps; pixels and gradients, the shares that the clips take at each step;
    in_range, whether the picture is kept in [0, 1] (to_picture has to do that by itself).
    The step raises ValueError for a strength without its helper.
    """
    require_function(update, "update")
    require_model(model)
    require_generator(generator)
    helpers, number = dict(helpers or {}), count(1)
    low, high = (None, None) if to_picture else (-model.mean_color.view(3, 1, 1),
                                                 1 - model.mean_color.view(3, 1, 1))
    asked = Through(model, to_picture or around(model))

    def climb(x, **rates):
        update(x, asked, target_y, rates["l2_reg"], rates["learning_rate"])

    climb = step_in_place(climb, asked, lambda scores: scores[0, target_y])

    def step(x, *, learning_rate=4.0, l2_reg=0.0, reach=0, sigma=0.0, every=4, pixels=0.0,
             gradients=0.0, in_range=True):
        require_helpers(helpers, reach=reach, sigma=sigma, pixels=pixels, gradients=gradients)
        require_whole(every=every, at_least=1)
        down, right = torch.randint(-reach, reach + 1, (2,), generator=generator,
                                    device=generator.device).tolist()
        x = helpers["jitter"](x, right, down) if reach else x
        moved, score = climb(x, l2_reg=l2_reg, learning_rate=learning_rate)
        if gradients:  # what the step has added is the gradient, but for its length
            moved = helpers["clip_small_gradients"](moved, moved - x, gradients)
        moved = helpers["jitter"](moved, -right, -down) if reach else moved
        if pixels:
            moved = helpers["clip_small_pixels"](moved, pixels)
        if sigma and next(number) % every == 0:
            moved = helpers["blur"](moved, sigma)
        return moved.clamp(low, high) if in_range and low is not None else moved, score
    return step


def require_helpers(helpers: dict, **strengths) -> None:
    """Refuse a strength that is no number from 0, or whose helper is not there."""
    for (helper, name) in STRENGTHS.items():
        value = strengths[name]
        require_number(name, value, 0, 1 if name in ("pixels", "gradients") else LARGEST)
        if value and not callable(helpers.get(helper)):
            raise ValueError(f"{name}={value} asks for {helper}, which is not among helpers: pass "
                             f"helpers={{{helper!r}: {helper}}}, or {name}=0")
    require_whole(reach=strengths["reach"])


def around(model: nn.Module) -> Callable:
    """Difference (N, 3, H, W) to picture: it adds the network's mean colour."""
    return lambda difference: difference + model.mean_color.view(3, 1, 1)


class Through(nn.Module):
    """The network, asked about to_picture(x) for what it is given."""

    def __init__(self, model: nn.Module, to_picture: Callable):
        super().__init__()
        self.model, self.to_picture = model, to_picture

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model(self.to_picture(x))


class Neurons(nn.Module):
    """A layer's channels in the place of classes: the scores (N, C) are each channel's mean over
    all positions, or, with centre=True, its neuron in the middle.

    Ask for a layer before its ReLU, such as conv4_2: behind it a neuron that is off has no
    gradient to climb. Raises ValueError for a layer that is not there or has no channels.
    """

    def __init__(self, model: nn.Module, layer: str, *, centre: bool = False):
        super().__init__()
        find_layer(model, layer)
        self.model, self.layer, self.centre = model, layer, centre
        self.mean_color = model.mean_color

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        found = activations(self.model, images, self.layer)[self.layer]  # (N, C, rows, cols)
        require_features(found, images, self.layer)
        if found.ndim == 2:
            return found
        rows, cols = found.shape[2:]
        return found[:, :, rows // 2, cols // 2] if self.centre else found.mean(dim=(2, 3))
