"""The one generator behind every picture that moves: cell, panel and video take their frames here.

A step is step(image, **values) -> (image, objective): a new image, and the objective as the step
itself read it on its way, so for the image that came in. What students write may have another
form; `step_in_place` and `step_of_loop` make steps of it.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import NamedTuple

import torch
from torch import nn

from ..models.layers import Enough


class Frame(NamedTuple):
    """What a step returned."""
    image: torch.Tensor
    objective: float


def drive(step: Callable, image: torch.Tensor, values=None, *,
          steps: int | None = None) -> Iterator[Frame]:
    """Take a step again and again, and give what each one returned.

    step(image, **values) returns (image, objective), or None where nothing is left to do, which
    ends the run; so do `steps` steps, where given. values: a dict, or a function that returns one:
    it is asked before every step, so that a slider acts at the next. image stays as it was if the
    step leaves it alone. Raises TypeError for a step that returns something else.
    """
    ask = values if callable(values) else lambda: values or {}
    for number in count() if steps is None else range(steps):
        outcome = step(image, **ask())
        if outcome is None:
            return
        frame = require_frame(outcome, number)
        image = frame.image
        yield frame


def require_frame(outcome, number: int) -> Frame:
    """Refuse what is not (image, objective), with the number of the step that returned it."""
    pair = isinstance(outcome, tuple) and len(outcome) == 2
    if not pair or not isinstance(outcome[0], torch.Tensor):
        raise TypeError(f"step {number} returned {type(outcome).__name__}: a step must return "
                        f"(image, objective), a tensor and a number, or None at the end")
    image, objective = outcome
    if isinstance(objective, torch.Tensor) and objective.numel() == 1:
        objective = objective.item()
    if not isinstance(objective, (int, float)):
        what = getattr(objective, "shape", None)
        what = f"shape {tuple(what)}" if what else f"type {type(objective).__name__}"
        raise TypeError(f"step {number} returned an objective of {what}: it must be one number, "
                        f"such as scores[0, target]")
    return Frame(image.detach(), float(objective))


def finish(frames: Iterable[Frame]) -> tuple[torch.Tensor | None, bool]:
    """Run to the end: (the last image, True); interrupted: (the best image so far, False).

    Best is the highest objective. A frame has the objective of the image before it, so an image
    is measured by the frame after it. Where none was, the last image counts; it is None in a run
    without a frame.
    """
    best = last = None
    try:
        for frame in frames:
            if last is not None and frame.objective > (best.objective if best else -math.inf):
                best = Frame(last.image, frame.objective)  # never one measured as NaN
            last = frame
    except KeyboardInterrupt:
        kept = best or last
        return kept and kept.image, False
    return last and last.image, True


def step_in_place(update: Callable, model: nn.Module, objective: Callable) -> Callable:
    """The step of an exercise that changes its image in place: it works on a copy.

    update(image, **values) changes the image and calls the model; objective(scores) reads the
    number from what the model answered (N, K) in the first of these calls.
    """
    def step(image, **values):
        image = image.detach().clone()
        with watched(model) as seen:
            update(image, **values)
        return image, objective(seen.first_answer())
    return step


def step_of_loop(loop: Callable, model: nn.Module, objective: Callable) -> Callable:
    """One step of an exercise that is a whole loop: it is ended where it calls the model again.

    loop(image, **values) returns the image it arrives at; what it hands to the model the second
    time is the image after one step. Where it returns before that, nothing is left to do.
    """
    def step(image, **values):
        with watched(model, passes=1) as seen:
            loop(image.detach().clone(), **values)
        return None if seen.next is None else (seen.next, objective(seen.first_answer()))
    return step


class Seen:
    """What a network was given and what it answered while it was watched, as copies."""

    def __init__(self):
        self.images, self.answers, self.next = [], [], None

    def first_answer(self) -> torch.Tensor:
        if not self.answers:
            raise ValueError("the exercise never called the network, so there is no objective to "
                             "read: it must call the model that it was given")
        return self.answers[0]


@contextmanager
def watched(model: nn.Module, *, passes: int | None = None):
    """Record the network's inputs and answers; end the block at the pass after `passes`."""
    seen = Seen()

    def before(module, inputs):
        if len(seen.images) == passes:
            seen.next = inputs[0].detach().clone()
            raise Enough
        seen.images.append(inputs[0].detach().clone())

    def after(module, inputs, answer):
        seen.answers.append(answer.detach().clone())

    hooks = model.register_forward_pre_hook(before), model.register_forward_hook(after)
    try:
        yield seen
    except Enough:
        pass
    finally:
        for hook in hooks:
            hook.remove()
