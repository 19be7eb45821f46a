"""The path of a function that loops: every picture that it shows to the network, in order.

What a loop does wrong is read off its path from outside, one factor at a time; nothing of the
student's code is looked at.
"""

from contextlib import contextmanager
from types import MethodType
from typing import NamedTuple

import torch

from ..models.layers import Enough

CALLS = 1500  # of the network; who asks more often is taken not to come to an end


class Trace(NamedTuple):
    """What the network saw, as data."""
    pictures: torch.Tensor  # (T, 3, H, W): those of the shape of the first, repetitions left out
    ended: bool  # False where the loop was stopped after so many calls
    training: bool  # was any part of the network in train mode at one of the calls?


class Record:
    """What is noted while a function runs."""

    def __init__(self, left: int):
        self.pictures, self.left, self.ended, self.training = [], left, True, False

    def note(self, model, picture) -> None:
        """One call of the network. Raises Enough at one too many, which no student catches."""
        if self.left == 0:
            self.ended = False
            raise Enough
        self.left -= 1
        self.training |= any(part.training for part in model.modules())
        self.add(torch.func.debug_unwrap(picture) if torch.is_tensor(picture) else picture)

    def add(self, picture) -> None:
        """Keep a copy, if it is a picture as the first one was, and not once more the last."""
        if not torch.is_tensor(picture) or picture.ndim != 4 or len(picture) != 1 or (
                self.pictures and picture.shape != self.pictures[0].shape):
            return
        picture = picture.detach().cpu().clone()
        if not self.pictures or not torch.equal(picture, self.pictures[-1]):
            self.pictures.append(picture)

    def path(self, result=None) -> Trace:
        """All that was seen, and at its end what the function returned."""
        if self.pictures:
            self.add(result)
        pictures = torch.cat([p.to(self.pictures[0].dtype) for p in self.pictures]
                             ) if self.pictures else torch.empty(0)
        return Trace(pictures, self.ended, self.training)


@contextmanager
def recorded(model, calls: int = CALLS):
    """Note every call of the network, also of model.forward and of copies; one more than `calls`
    ends the block. The network is as before afterwards."""
    record, forward = Record(calls), type(model).forward

    def noting(self, images, *more, **named):
        record.note(self, images)
        return forward(self, images, *more, **named)

    model.forward = MethodType(noting, model)  # a hook would not see model.forward(images)
    try:
        yield record
    except Enough:
        pass
    finally:
        del model.forward


def steps_of(path: Trace) -> torch.Tensor:
    """The pictures from the first to the last, (T, 3, H, W), float64, without looks back at the
    first one; empty where there is nothing to read."""
    if not isinstance(path, Trace) or path.pictures.ndim != 4:
        return torch.empty(0, 3, 1, 1)
    pictures = path.pictures.double()
    kept = [k for k, picture in enumerate(pictures)
            if k == 0 or not torch.equal(picture, pictures[0])]
    return pictures[kept]
