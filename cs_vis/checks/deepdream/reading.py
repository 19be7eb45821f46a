"""What the pictures of `deepdream_step` tell: each factor by itself.

Steps without jitter show objective, divisor and rate; with jitter, how it was taken back; a step
across the border of [0, 1], the clip; a second call on a picture, what is left of the first.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import torch

from ...models import activations
from ..ascent import BY_SIGN, NEAR
from ..distance import comparable
from ..inputs import live
from ..moves import agree, named


class View(NamedTuple):
    """A picture as the network is shown it, and the layer that looks."""
    model: torch.nn.Module
    layer: str
    picture: torch.Tensor

    def seen(self, picture) -> torch.Tensor:
        """What the layer computes of a picture."""
        return activations(self.model, picture, self.layer)[self.layer]


def energy(a):
    return a.square().sum() / 2


# What is climbed: each name with its forms. Any multiple of the energy, and any power of it, has
# the same direction, and all of that goes in the division.
GOALS: dict[str, tuple[Callable, ...]] = {
    "": (energy,),
    "descended": (lambda a: -energy(a),),
    "activations added up": (torch.sum,),
    "absolute values added up": (lambda a: a.abs().sum(),),
    "largest activation alone": (torch.max,),
    "one channel alone": (lambda a: energy(a[:, 0]), lambda a: energy(a[:, -1])),
    "activations measured from their mean": (lambda a: energy(a - a.mean()),),
    "powers of the activations": (lambda a: (a ** 3).sum(), lambda a: (a ** 4).sum(),
                                  lambda a: energy(a.softmax(1))),
}


def at(**layers) -> Callable:
    """Another layer than the one asked for, where it is one of these."""
    return lambda view, leaf: view._replace(layer=layers.get(view.layer, view.layer)).seen(leaf)


def always(layer) -> Callable:
    return lambda view, leaf: view._replace(layer=layer).seen(leaf)


def written_over(view, leaf):
    """The layer's own tensor, into which the ReLU that follows has written."""
    a = view.seen(leaf)
    return a.relu() if view.layer == "conv2" else a


LAYERS: dict[str, tuple[Callable, ...]] = {  # whose activations they are, of view and leaf
    "": (View.seen,),
    "layer before": (at(pool="relu", conv2="pool", head="dropout"),),
    "layer after": (at(pool="conv2"),),
    "layer written over": (written_over,),
    "another layer": tuple(map(always, ("conv1", "relu", "pool", "conv2", "head"))),
}


def over(*axes):
    """Divided by means over some of the axes only."""
    return lambda g, a: g / g.abs().mean(dim=axes, keepdim=True).clamp(min=1e-12)


# What is climbed may be half a square, a square, means, a norm: how often it holds the energy.
OFTEN = (lambda a: 1, lambda a: 2, lambda a: 1 / a.numel(), lambda a: 2 / a.numel(),
         lambda a: 1 / a.norm())


def multiples(shape) -> tuple[Callable, ...]:
    """Of what does not lose its length."""
    return tuple(lambda g, a, often=often: shape(often(a) * g) for often in OFTEN)


# What is done to a gradient g (1, 3, H, W), where the layer computes a: each name with its forms.
SHAPES: dict[str, tuple[Callable, ...]] = {
    "": (lambda g, a: g / g.abs().mean(),),
    "not divided": multiples(lambda g: g),
    "divided by the L2 norm": (lambda g, a: g / g.norm(),),
    "divided by the standard deviation": (
        lambda g, a: g / g.std(), lambda g, a: g / g.std(correction=0),
        lambda g, a: g / g.square().mean().sqrt(), lambda g, a: (g - g.mean()) / g.std()),
    "divided by the largest": (lambda g, a: g / g.abs().max(), lambda g, a: g / g.max()),
    "divided by the mean with its signs": (lambda g, a: g / g.mean(),
                                           lambda g, a: g / g.mean().abs()),
    "divided by the sum": (lambda g, a: g / g.abs().sum(), lambda g, a: g / g.sum()),
    "divided by the mean of squares": (*multiples(lambda g: g / g.square().mean()),
                                       *multiples(lambda g: g / g.square().sum())),
    "sign step": (lambda g, a: g.sign(),),
    "mean over a part of the gradient": (over(2, 3), over(1), over(2), over(3), over(1, 2),
                                         over(1, 3)),
}


# `by` is (ox, oy): as two arguments, this would be the answer to notebook 05's jitter.
def rolled(x, by):
    return x.roll(by, dims=(3, 2))


def pushed(x, by):
    """Rolled, but zeros enter."""
    for axis, shift in zip((3, 2), by):
        zeros, kept = torch.zeros_like(x), x.shape[axis] - abs(shift)
        zeros.narrow(axis, max(shift, 0), kept).copy_(x.narrow(axis, max(-shift, 0), kept))
        x = zeros
    return x


def as_one_row(x, by):
    return x.roll(sum(by))


def there_and_back(there, back=lambda ox, oy: (-ox, -oy), move=rolled) -> Callable:
    """Where a step leads that moves the picture by `there`, and by `back` afterwards."""
    def leads(x, ox, oy, step):
        moved = move(x, there(ox, oy))
        return move(moved + step(moved), back(ox, oy))
    return leads


def same(ox, oy):
    return ox, oy


# Where the step leads, not yet clipped, from the picture x and step(picture): its change.
JITTERS: dict[str, tuple[Callable, ...]] = {
    "": (there_and_back(same),),
    "jitter left out": (lambda x, ox, oy, step: x + step(x),),
    "jitter not undone": (lambda x, ox, oy, step: (moved := rolled(x, (ox, oy))) + step(moved),),
    "jitter undone the wrong way": (there_and_back(same, same),),
    "jitter undone in part": (there_and_back(same, lambda ox, oy: (-ox, 0)),
                              there_and_back(same, lambda ox, oy: (0, -oy)),
                              there_and_back(same, lambda ox, oy: (-oy, -ox)),
                              there_and_back(same, lambda ox, oy: (-ox, oy)),
                              there_and_back(same, lambda ox, oy: (ox, -oy))),
    "ox and oy exchanged": (there_and_back(lambda ox, oy: (oy, ox), lambda ox, oy: (-oy, -ox)),),
    "jitter the other way": (there_and_back(lambda ox, oy: (-ox, -oy), same),),
    "one direction turned round": (
        there_and_back(lambda ox, oy: (-ox, oy), lambda ox, oy: (ox, -oy)),
        there_and_back(lambda ox, oy: (ox, -oy), lambda ox, oy: (-ox, oy))),
    "one direction left out": (there_and_back(lambda ox, oy: (ox, 0), lambda ox, oy: (-ox, 0)),
                               there_and_back(lambda ox, oy: (0, oy), lambda ox, oy: (0, -oy))),
    "step not rolled back": (lambda x, ox, oy, step: x + step(rolled(x, (ox, oy))),),
    "zeros enter": (there_and_back(same, move=pushed),
                    lambda x, ox, oy, step: rolled(
                        (moved := pushed(x, (ox, oy))) + step(moved), (-ox, -oy))),
    "rolled as one row": (there_and_back(same, move=as_one_row),),
}
CLIPS: dict[str, tuple[Callable, ...]] = {
    "": (lambda x: x.clamp(0, 1),),
    "not clipped": (lambda x: x,),
    "clipped to another range": (lambda x: x.clamp(-1, 1), lambda x: x.clamp(-0.5, 0.5),
                                 lambda x: x.clamp(-2, 2)),
    "clipped on one side": (lambda x: x.clamp(min=0), lambda x: x.clamp(max=1)),
    "rescaled instead of clipped": (lambda x: (x - x.min()) / (x.max() - x.min()),
                                    lambda x: x / x.max()),
}


class Move(NamedTuple):
    """One call: what it was given, and where it ended."""
    view: View
    rate: float
    ox: int
    oy: int
    end: torch.Tensor


class Formula(NamedTuple):
    """How a step is made: the names of slips, or "", and what they stand for."""
    names: tuple[str, ...]
    goal: Callable
    layer: Callable
    shape: Callable
    speed: Callable[[float], float] = lambda rate: rate
    jitter: Callable = JITTERS[""][0]
    clip: Callable = CLIPS[""][0]

    def slope(self, view) -> torch.Tensor:
        """The gradient of what is climbed, at the picture that is shown."""
        return slope(self.goal, self.layer, view)

    def unit(self, view) -> torch.Tensor:
        """What a rate of 1 adds there."""
        return self.shape(self.slope(view), self.layer(view, view.picture))

    def ends(self, move) -> torch.Tensor:
        """Where it leads from the picture."""
        def step(picture):
            return self.speed(move.rate) * self.unit(move.view._replace(picture=picture))
        return self.clip(self.jitter(move.view.picture, move.ox, move.oy, step))

    @property
    def bound(self) -> float:
        return BY_SIGN if "sign step" in self.names else NEAR

    def explains(self, move) -> bool:
        return self.misfit(move) <= self.bound

    def misfit(self, move, wanted=None) -> float:
        """How far from where the move ended, in lengths of the way that was made."""
        wanted = self.ends(move) if wanted is None else wanted
        return float((move.end - wanted).norm() / (move.end - move.view.picture).norm())


def slope(goal, layer, view) -> torch.Tensor:
    leaf = view.picture.detach().requires_grad_()
    return torch.autograd.grad(goal(layer(view, leaf)), leaf)[0]


RIGHT = Formula((), energy, View.seen, SHAPES[""][0])


def move_of(inputs, end, layer=None) -> Move:
    """A call in float64, with the layer it asked for."""
    given = live(inputs, "cpu", torch.float64)
    return Move(View(given["model"], layer or given["layer"], given["img"]),
                given["learning_rate"], given["ox"], given["oy"], comparable(end))


def slips(still, jittered, clipped, again) -> tuple[str, ...]:
    """The mistakes that the moves show: without jitter, with it, across the border of [0, 1];
    `again` is a first and a second call on one picture."""
    if any(torch.equal(m.end, m.view.picture) for m in (*still, *jittered, *clipped)):
        return ()
    if all(map(RIGHT.explains, (*still, *jittered, *clipped, *again))):
        return ()
    formula = of_the_still(still)
    if formula is None:
        return ()
    for factor, moves in (("jitter", jittered), ("clip", clipped)):
        for name, form in forms_of({"jitter": JITTERS, "clip": CLIPS}[factor]):
            tried = formula._replace(**{factor: form})
            if all(map(tried.explains, moves)):
                formula = tried._replace(names=named(*formula.names, name))
                break
        else:
            return formula.names
    return named(*formula.names, memory_of(formula, *again))


def forms_of(factor):
    """(name, form) for every form of a factor."""
    return [(name, form) for name, forms in factor.items() for form in forms]


def of_the_still(moves) -> Formula | None:
    """Of all that explain moves without jitter one with the fewest slips, and then the nearest."""
    tried, units = tried_at(moves[0].view)
    bounds = torch.tensor([formula.bound for formula in tried])
    at_their_rates = cache(lambda formula: estimated(formula, moves))  # whatever clips
    for _, clip in forms_of(CLIPS):  # of two that clip alike here, the right one comes first
        for ways, misfits in ((agreed, misfits_of(moves[0], units, clip)),
                              (at_their_rates, misfits_along(moves[0], units))):
            few = [tried[i] for i in (misfits <= bounds).nonzero()[:, 0]]
            for slips in sorted({len(formula.names) for formula in few}):
                found = [way for formula in few if len(formula.names) == slips
                         for way in (one._replace(clip=clip) for one in ways(formula))
                         if all(map(way.explains, moves))]
                if found:
                    return min(found, key=lambda way: sum(map(way.misfit, moves)))
    return None


def tried_at(view) -> tuple[list[Formula], torch.Tensor]:
    """Every formula of a goal, a layer and a shape, and what a rate of 1 adds to the picture."""
    tried, units = [], []
    for of_layer, layer in forms_of(LAYERS):
        for of_goal, goal in forms_of(GOALS):
            g, a = slope(goal, layer, view), layer(view, view.picture)
            for of_shape, shape in forms_of(SHAPES):
                tried.append(Formula(named(of_goal, of_layer, of_shape), goal, layer, shape))
                units.append(shape(g, a))
    return tried, torch.stack(units)


def misfits_of(move, units, clip) -> torch.Tensor:
    """How far every formula leads from where the move ended, in lengths of the way."""
    ends = torch.vmap(clip)(move.view.picture + move.rate * units)
    return (ends - move.end).flatten(1).norm(dim=1) / (move.end - move.view.picture).norm()


def misfits_along(move, units) -> torch.Tensor:
    """The same for the rates that suit them best, where nothing was clipped."""
    free = free_of(move)
    way, units = (move.end - move.view.picture)[free], units[:, free]
    speeds = (units @ way) / units.square().sum(dim=1)
    return (way - speeds[:, None] * units).norm(dim=1) / way.norm()


def agreed(formula):
    return [formula]


def estimated(formula, moves) -> list[Formula]:
    """The formula with the rates that would suit its directions, if they have a rule."""
    speeds = []
    for move in moves:
        free = free_of(move)
        way, unit = (move.end - move.view.picture)[free], formula.unit(move.view)[free]
        speeds.append(float((way * unit).sum() / unit.square().sum()))
    shares = [speed / move.rate for speed, move in zip(speeds, moves)]
    ways = with_constant(formula, moves, shares)
    for name, values, speed in (
            ("learning rate unused", speeds, lambda rate: speeds[0]),
            ("another learning rate", shares, lambda rate: rate * shares[0])):
        if agree(values):
            ways.append(formula._replace(names=(*formula.names, name), speed=speed))
    return ways[:1]


def with_constant(formula, moves, shares) -> list[Formula]:
    """The formula with a constant in its divisor, added to it or its least value.

    The constant is read where it makes the largest difference, and must explain all moves.
    """
    slopes = [(formula.slope(move.view), formula.layer(move.view, move.view.picture))
              for move in moves]
    divisors = [divisor_of(formula.shape, *both) for both in slopes]
    if None in divisors or min(shares) < 0 or max(shares) > 1 + NEAR:
        return []
    most = shares.index(min(shares))
    for often in OFTEN:
        own = [divisor * often(a) for divisor, (_, a) in zip(divisors, slopes)]
        whole = own[most] / shares[most]
        for join in (lambda d, c=whole - own[most]: d + c, lambda d, c=whole: max(d, c)):
            if all(abs(d / join(d) - share) <= NEAR * share for d, share in zip(own, shares)):
                return [formula._replace(names=(*formula.names, "large constant in the divisor"),
                                         shape=divided(formula.shape, often, join))]
    return []


def divisor_of(shape, g, a) -> float | None:
    """By which number the shape divides a gradient, None where it is not by one."""
    unit = shape(g, a)
    divisor = float((g * unit).sum() / unit.square().sum())
    return divisor if (g - divisor * unit).norm() <= NEAR * g.norm() else None


def divided(shape, often, join) -> Callable:
    """The shape with another divisor: join(the divisor of often(a) energies)."""
    return lambda g, a: often(a) * g / join(often(a) * divisor_of(shape, g, a))


def free_of(move) -> torch.Tensor:
    """Where a picture is not clipped."""
    return (move.end > 0) & (move.end < 1)


def memory_of(formula, first, second) -> str:
    """What the second call on a picture still has of the first: "" where it has nothing."""
    if formula.explains(second):
        return ""
    left, here = (slope_of(formula, move) for move in (first, second))
    rested = formula.jitter(second.view.picture, second.ox, second.oy, torch.zeros_like)
    a = formula.layer(second.view, second.view.picture)
    step = formula.speed(second.rate) * formula.shape(here + left, a)
    if formula.misfit(second, formula.clip(rested + step)) <= formula.bound:
        return "gradient piles up"
    # Divided where it lies, or of another multiple: some of the first, and some of the second.
    free = free_of(second)
    both, way = torch.stack([left[free], here[free]], dim=1), (second.end - rested)[free]
    shares = torch.linalg.pinv(both) @ way
    mixed = (both @ shares - way).norm() <= formula.bound * way.norm() and (shares > 0).all()
    return "gradient piles up" if mixed and free.any() else "something kept between calls"


def slope_of(formula, move) -> torch.Tensor:
    """The gradient of a call, where it lies in the picture that comes back."""
    def bare(picture):  # takes away the picture, to which it is added
        return formula.slope(move.view._replace(picture=picture)) - picture
    return formula.jitter(move.view.picture, move.ox, move.oy, bare)
