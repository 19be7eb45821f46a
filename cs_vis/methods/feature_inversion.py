"""Pictures from features: the driver around the student's step, and what it does with a move.

The step goes straight down, and its moves are full of fine grain. Weighted by methods.fourier, a
move is the one that the same gradient gives in coordinates where slow waves are large; the
picture, and a prior on it, stay what they are. Moves gather momentum, as in A. Mahendran and A.
Vedaldi, Understanding deep image representations by inverting them, 2015.
"""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import nn

from ..models import find_layer
from ..require import (require_batch, require_function, require_number, require_one,
                       require_same_shape, require_single, require_target_features,
                       require_whole)
from .drive import Frame, drive, watched
from .fourier import weights

FASTEST, SMOOTHEST = 1000, 4  # of a rate, and of smooth


def invert(update: Callable, model: nn.Module, layer: str, target: torch.Tensor, prior: Callable,
           *, start: torch.Tensor, steps: int = 80, learning_rate: float = 8.0,
           smooth: float = 0.5, momentum: float = 0.8) -> Iterator[Frame]:
    """The pictures (1, 3, H, W) on the way to the features `target`: a Frame after each step.

    update(img, model, layer, target, prior, learning_rate) is the exercise's step, which returns a
    new picture; the other numbers are those of `descent_step`. The rate falls evenly to 0. The
    objective is minus what the step brings down, the distance and the prior. start (1, 3, H, W)
    in [0, 1] stays as it was. Nothing is computed before the first frame is asked for. Raises
    TypeError or ValueError for other input.
    """
    require_one(start, "start")
    require_batch(start, "start")
    require_whole(steps=steps, at_least=1)
    learning_rate = require_number("learning_rate", learning_rate, 0, FASTEST)
    falling = (learning_rate * (1 - number / steps) for number in range(steps))
    step = descent_step(update, model, layer, target, prior)
    return drive(step, start.detach(), lambda: {"learning_rate": next(falling), "smooth": smooth,
                                                "momentum": momentum}, steps=steps)


def descent_step(update: Callable, model: nn.Module, layer: str, target: torch.Tensor,
                 prior: Callable) -> Callable:
    """What `methods.drive` runs: step(x, *, learning_rate, smooth, momentum) -> (x, objective).

    smooth: 0 leaves the exercise's moves, more makes them smoother. momentum: the share of the
    move before that is kept; a picture that is not the last one's result begins at rest. The
    picture is kept in [0, 1]. Raises TypeError or ValueError for other input, and so does the
    step where update returns no picture, or the target is none of this layer and picture.
    """
    require_function(update, "update")
    require_function(prior, "prior")
    require_target_features(target, target)
    module, size = find_layer(model, layer), target.square().mean()
    last, speed = None, None

    def step(x, *, learning_rate=8.0, smooth=0.5, momentum=0.8):
        nonlocal last, speed
        require_number("momentum", momentum, 0, 1)
        penalties = []  # what the step's own calls of the prior give, so that it is asked once

        def noted(img):
            penalties.append(prior(img))
            return penalties[-1]

        with watched(module) as seen:
            moved = update(x.clone(), model, layer, target, noted, learning_rate)
        require_same_shape(moved, x, "what the step returned", "its picture")
        move = smoothed(moved.detach() - x, smooth)
        rest = last is None or last.shape != x.shape or not torch.equal(last, x)
        speed = (1 - momentum) * move if rest else torch.lerp(move, speed, momentum)
        last = (x + speed).clamp(0, 1)
        return last, -energy(seen.first_answer(), *penalties[:1])

    def energy(features, penalty=torch.tensor(0.0)):
        require_same_shape(target, features, "target", "what the layer gives")
        require_single(penalty, "prior(img)")
        return F.mse_loss(features, target).item() / size + penalty.item()

    return step


def smoothed(move: torch.Tensor, smooth: float) -> torch.Tensor:
    """The move (N, 3, H, W) with its waves weighted by 1 / frequency^(2 smooth), and as long.

    So a gradient looks that was taken in the coordinates of fourier.in_frequencies, brought back
    to pixels; 0 changes nothing. Raises TypeError or ValueError for a smooth below 0.
    """
    if require_number("smooth", smooth, 0, SMOOTHEST) == 0:
        return move
    spectrum = torch.fft.rfft2(move) * weights(move, smooth) ** 2  # (N, 3, H, W // 2 + 1)
    waves = torch.fft.irfft2(spectrum, s=move.shape[2:])
    return waves * (move.norm() / waves.norm().clamp(min=torch.finfo(move.dtype).tiny))
