"""Single steps that a function makes, read from outside: each factor by itself.

A step climbs an objective, and something else may pull at the picture. Without a pull a step shows
objective, divisor and rate; with one, what pulls and where that is taken off; the second step on a
picture, what is left of the first.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch

from .ascent import BY_SIGN, FORMS, NEAR

CALLS = ("picture", "second picture", "third picture")  # what a case calls its outputs
CLAMPS = ((0, 1), (-1, 1), (-0.5, 0.5))


def over_the_picture(g, x):
    return g / x.norm()


DESCENDED = {  # what has a sign of its own, where a gradient is descended and not its negative
    "divided by the sum": (lambda g: -g / g.sum(),),
    "another measure than the norm": (lambda g: -g / g.min(),),
}
SHAPES = {  # what is done to a gradient g at the picture x
    name: tuple(lambda g, x, form=form: form(g) for form in (*forms, *DESCENDED.get(name, ())))
    for name, forms in FORMS.items()
} | {"divided by the picture's norm": (over_the_picture,)}


def all_of_it(shape, slope, pull, rate):
    """The change, where the pull is taken off the gradient: everything is divided."""
    return rate * shape(slope - pull)


def outside_the_division(shape, slope, pull, rate):
    return rate * (shape(slope) - pull)


def without_the_rate(shape, slope, pull, rate):
    return rate * shape(slope) - pull


LEFT = {  # of the first step's gradient, when the second begins
    "": (lambda shape, slope, pull: torch.zeros_like(slope),),
    "gradient piles up": (lambda shape, slope, pull: slope - pull,
                          lambda shape, slope, pull: slope,
                          lambda shape, slope, pull: shape(slope - pull),
                          lambda shape, slope, pull: shape(slope)),
}


class Known(NamedTuple):
    """The names of slips, each with its forms; that of what is right is ""."""
    objectives: dict[str, tuple[Callable, ...]]  # climbed by start.slope
    pulls: dict[str, tuple[Callable, ...]]  # start -> the gradient of what is taken off, unweighted
    places: dict[str, Callable]  # the change, from shape(g), slope, pull and rate
    downhill: tuple[str, ...]  # objectives with which a turned pull is one slip and not two
    turned: str  # the name of the turned pull
    another: str  # said of a pull that nobody knows
    backwards: str = ""  # said of a step that is right but for its direction, if that may be


class Move(NamedTuple):
    """One call: where it began, how much pulls and how fast it goes, where it ended."""
    start: object  # has a picture (1, 3, H, W) and slope(climb), the gradient there
    weight: float  # of the pull
    rate: float
    end: torch.Tensor


class Formula(NamedTuple):
    """How a step is made: the names of slips, or "", and what they stand for."""
    names: tuple[str, ...]
    climb: Callable
    shape: Callable
    speed: Callable[[float], float] = lambda rate: rate
    clamp: tuple[float, float] | None = None
    pull: Callable = lambda start: torch.zeros_like(start.picture)
    place: Callable = all_of_it

    def change(self, move, slope, left=0) -> torch.Tensor:
        """What the step adds to the picture, whose own gradient is `slope`."""
        x = move.start.picture
        there = x + self.place(lambda g: self.shape(g, x), slope + left,
                               move.weight * self.pull(move.start), self.speed(move.rate))
        return (there.clamp(*self.clamp) if self.clamp else there) - x

    def misfit(self, move, slope, left=0) -> float:
        """How far its change is from the one that was made, in lengths of the change."""
        wanted = self.change(move, slope, left)
        return float((move.end - move.start.picture - wanted).norm() / wanted.norm())

    def explains(self, move, slope, left=0) -> bool:
        return self.misfit(move, slope, left) <= (BY_SIGN if "sign step" in self.names else NEAR)

    def remains(self, move, left) -> torch.Tensor:
        """What is left of the gradient after this move."""
        x = move.start.picture
        return left(lambda g: self.shape(g, x), move.start.slope(self.climb),
                    move.weight * self.pull(move.start))


def slips(walks: list[list[Move]], known: Known) -> tuple[str, ...]:
    """The mistakes that the calls of some cases show; nothing where a picture did not move."""
    if not all(walks) or any(torch.equal(m.end, m.start.picture) for walk in walks for m in walk):
        return ()
    right = Formula((), known.objectives[""][0], SHAPES[""][0], pull=known.pulls[""][0])
    if all(right.explains(move, move.start.slope(right.climb)) for walk in walks for move in walk):
        return ()
    firsts = [walk[0] for walk in walks]
    free = formulas([move for move in firsts if not move.weight], known)
    if not free or "sign step" in free[0].names:  # signs hide how hard it is pulled
        return free[0].names if free else ()
    pulled = [formula for found in free
              for formula in with_pull(found, [move for move in firsts if move.weight], known)]
    if not pulled:
        return (*free[0].names, known.another)
    seconds = [walk[:2] for walk in walks if len(walk) > 1]
    whole = [names for formula in pulled for names in with_memory(formula, seconds)]
    return min(whole or [(*f.names, "something kept between calls") for f in pulled], key=len)


def formulas(moves, known) -> list[Formula]:
    """All that explain moves without a pull: those with the fewest slips, and nearest, first."""
    tried = list(objectives_and_shapes(moves, known))
    for ways in (as_it_is, clamped, at_another_rate):
        found = [(len(way.names), sum(map(way.misfit, moves, slopes)), way)
                 for formula, slopes in tried for way in ways(formula, moves, slopes)
                 if all(map(way.explains, moves, slopes))]
        if found:
            return [way for *_, way in sorted(found, key=lambda entry: entry[:2])]
    return []


def objectives_and_shapes(moves, known):
    """Each formula without a pull, and its gradients where the moves begin."""
    for objective, climbs in known.objectives.items():
        for climb in climbs:
            slopes = [move.start.slope(climb) for move in moves]
            for form, shapes in SHAPES.items():
                for shape in shapes:
                    formula = Formula(named(objective, form), climb, shape)
                    yield formula, slopes
                    if known.backwards:
                        yield formula._replace(names=(*formula.names, known.backwards),
                                               speed=lambda rate: -rate), slopes


def named(*names) -> tuple[str, ...]:
    return tuple(filter(None, names))


def as_it_is(formula, moves, slopes):
    return [formula]


def clamped(formula, moves, slopes):
    """The formula, and the picture clamped afterwards."""
    return [formula._replace(names=(*formula.names, "clamped"), clamp=clamp) for clamp in CLAMPS]


def at_another_rate(formula, moves, slopes):
    """The formula with the rates that would suit its directions, if they have a rule."""
    units = [formula._replace(speed=lambda rate: formula.speed(1)).change(*both)
             for both in zip(moves, slopes)]
    speeds = [float((unit * (move.end - move.start.picture)).sum() / unit.square().sum())
              for unit, move in zip(units, moves)]
    shares = [speed / move.rate for speed, move in zip(speeds, moves)]
    if agree(speeds):
        return [formula._replace(names=(*formula.names, "learning rate unused"),
                                 speed=lambda rate: formula.speed(speeds[0]))]
    if agree(shares):
        return [formula._replace(names=(*formula.names, "another learning rate"),
                                 speed=lambda rate: formula.speed(rate * shares[0]))]
    return []


def agree(values) -> bool:
    return min(values) > 0 and max(values) - min(values) <= NEAR * max(values)


def with_pull(formula, moves, known) -> list[Formula]:
    """The formula with what the pull does, in every way that explains the moves."""
    slopes, found = [move.start.slope(formula.climb) for move in moves], []
    for place, join in known.places.items():
        for name, pulls in known.pulls.items():
            for pull in pulls:
                both = formula._replace(pull=pull, place=join)
                if all(map(both.explains, moves, slopes)):
                    # Downhill as a whole, or in the objective alone: one slip, not two.
                    turned = name == known.turned and set(known.downhill) & set(formula.names)
                    found.append(both._replace(
                        names=named(*formula.names, "" if turned else name, place)))
    return found


def with_memory(formula, walks) -> list[tuple[str, ...]]:
    """The names with what the second call on a picture still has of the first."""
    slopes = [second.start.slope(formula.climb) for _, second in walks]
    return [named(*formula.names, name)
            for name, forms in LEFT.items() for left in forms
            if all(formula.explains(second, slope, formula.remains(first, left))
                   for (first, second), slope in zip(walks, slopes))]
