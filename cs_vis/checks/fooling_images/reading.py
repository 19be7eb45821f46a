"""What the path of `make_fooling_image` tells: each factor by itself, from outside."""

import torch

from ..ascent import Start, memory_of, rule_of
from ..inputs import live
from ..path import Trace, steps_of

LIMIT = 100  # steps at most, as the notebook says
FEW = 8  # steps are enough for every case that can be solved


class Walk:
    """One problem, and the pictures that a function passed through on it."""

    def __init__(self, inputs, outputs):
        given = live(inputs, "cpu", torch.float64)
        self.X, self.target, self.model = given["X"], given["target_y"], given["model"]
        self.path, self.result = (outputs.get(name) for name in ("path", "result"))
        self.result = self.result.cpu() if torch.is_tensor(self.result) else None
        pictures = steps_of(self.path)
        fits = len(pictures) > 0 and pictures.shape[1:] == self.X.shape[1:]
        self.pictures = pictures if fits else self.X[:0]

    @property
    def moves(self) -> int:
        return max(len(self.pictures) - 1, 0)

    def strides_of_one(self) -> bool:
        """Is every move as long as the notebook says?"""
        lengths = self.pictures.diff(dim=0).flatten(1).norm(dim=1)
        return bool(((lengths - 1).abs() < 1e-3).all())

    def starts(self, count) -> list[Start]:
        """Where the first `count` moves begin."""
        return [Start(self.model, self.target, picture[None]) for picture in self.pictures[:count]]

    def end(self, count):
        """Where the last of them leads."""
        return self.pictures[count:count + 1]

    def fooled_after(self) -> int | None:
        """The number of moves after which the network first says the target."""
        with torch.no_grad():
            hits = self.model(self.pictures).argmax(dim=1) == self.target
        return int(hits.nonzero()[0]) if hits.any() else None


def slips(walks: list[Walk], fooled: Walk) -> tuple[str, ...]:
    """The mistakes that the paths show: on problems that can be solved, and on a solved one."""
    for kind in (of_the_network, of_the_result):
        found = next((name for walk in walks if (name := kind(walk))), None)
        if found:
            return (found,)
    moving = [walk for walk in walks if walk.moves and not walk.path.training]
    rule = rule_of([w.starts(1)[0] for w in moving], [w.end(1) for w in moving]) if moving else None
    names = (*of_the_steps(moving, rule), *of_the_mode(walks), *of_the_end(moving, fooled, rule))
    endless = any(isinstance(walk.path, Trace) and not walk.path.ended for walk in walks)
    return names or ("never ends",) * endless


def of_the_network(walk) -> str | None:
    if not isinstance(walk.path, Trace):
        return None
    if not len(walk.pictures):
        return "the given network never asked"
    return None if near(walk.pictures[:1], walk.X) else "starts from another picture"


def of_the_result(walk) -> str | None:
    """The path may be right, and what comes back be another tensor."""
    if walk.result is None or walk.result.shape != walk.X.shape:
        return None
    result, before = walk.result.double(), walk.pictures[:-1]
    if near(result, walk.X):
        return "the original returned" if walk.moves else None
    if any(near(result + walk.X, picture[None]) for picture in before[-2:]):
        return "the change returned"
    return None


def of_the_mode(walks):
    return ("train mode while it runs",) * any(
        isinstance(walk.path, Trace) and walk.path.training for walk in walks)


def of_the_steps(walks, rule) -> tuple[str, ...]:
    """Objective, divisor and rate by the first step; by the second, what is left of the first."""
    if rule is None:
        return ()
    memories = {memory_of(rule, w.starts(2), w.end(2)) for w in walks if w.moves > 1}
    return (*rule.names, *filter(None, memories))


def of_the_end(walks, fooled, rule) -> tuple[str, ...]:
    """When it stops, compared with when its own pictures fool the network.

    One move on a picture that fools already may be a convention, so it is not told here.
    """
    late = [walk.moves - after for walk in walks if (after := walk.fooled_after()) is not None]
    if fooled.moves > 1 or any(more > 1 for more in late):
        return ("goes on when the network is fooled",)
    if 1 in late:
        last = next(w for w in walks if w.fooled_after() == w.moves - 1)
        changed = rule and memory_of(rule, last.starts(last.moves), last.end(last.moves)) is None
        return ("changed at the end",) if changed else ("one step too many",)
    early = any(walk.moves < FEW and walk.path.ended and walk.fooled_after() is None
                for walk in walks)
    return ("stops before the network is fooled",) * early


def near(a, b) -> bool:
    return bool((a - b).norm() <= 1e-6 * b.norm())
