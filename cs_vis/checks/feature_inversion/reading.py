"""What the pictures of `inversion_step` tell: the prior is what pulls."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn

from ...models import activations
from ..ascent import NEAR
from ..distance import comparable, large_constant
from ..inputs import live
from ..moves import Known, Move, all_of_it, outside_the_division, without_the_rate


class Place(NamedTuple):
    """Where a step begins."""
    model: nn.Module
    layer: str
    target: torch.Tensor
    prior: Callable
    picture: torch.Tensor

    def slope(self, climb) -> torch.Tensor:
        """The gradient of climb(features, target) here."""
        leaf = self.picture.detach().requires_grad_()
        features = activations(self.model, leaf, self.layer)[self.layer]
        return torch.autograd.grad(climb(features, self.target), leaf)[0]

    def pull(self) -> torch.Tensor:
        """The gradient of the prior here."""
        leaf = self.picture.detach().requires_grad_()
        return torch.autograd.grad(self.prior(leaf), leaf)[0]


def square(x):
    return x.square().sum()


TURNED = "climbed instead of descended"
OBJECTIVES: dict[str, tuple[Callable, ...]] = {  # of features and target, as one climbs it
    "": (lambda f, t: -square(f - t) / square(t),),
    TURNED: (lambda f, t: square(f - t) / square(t),),
    "distance without effect": (lambda f, t: 0 * f.sum(),),
    "distance not divided by the target": (lambda f, t: -square(f - t),),
    "distance divided by the target's norm": (lambda f, t: -square(f - t) / t.norm(),),
    "distance divided by the number of values": (lambda f, t: -(f - t).square().mean(),),
    "distance divided by the current features": (
        lambda f, t: -square(f - t) / square(f.detach()), lambda f, t: -square(f - t) / square(f)),
    "mean instead of the sum in the distance": (
        lambda f, t: -(f - t).square().mean() / square(t),),
    "root of the distance": (lambda f, t: -(f - t).norm() / t.norm(),),
    "norm instead of squared norm in the distance": (
        lambda f, t: -(f - t).norm(), lambda f, t: -(f - t).norm() / square(t)),
    "absolute differences in the distance": (
        lambda f, t: -(f - t).abs().sum() / square(t), lambda f, t: -(f - t).abs().sum(),
        lambda f, t: -(f - t).abs().mean(), lambda f, t: -(f - t).abs().sum() / t.abs().sum()),
    "target left out": (lambda f, t: -square(f) / square(t), lambda f, t: -square(f)),
    "product instead of the distance": (
        lambda f, t: (f * t).sum(), lambda f, t: (f * t).sum() / (f.norm() * t.norm())),
}
PULLS = {  # the gradient of what is taken off, without its weight, at a place
    "": (Place.pull,),
    "prior without effect": (lambda place: torch.zeros_like(place.picture),),
    "prior's sign turned": (lambda place: -place.pull(),),
    "prior twice": (lambda place: 2 * place.pull(),),
    "prior halved": (lambda place: place.pull() / 2,),
}
KNOWN = Known(
    OBJECTIVES, PULLS,
    {"": all_of_it, "prior outside the division": outside_the_division,
     "prior without the learning rate": without_the_rate},
    downhill=(TURNED,), turned="prior's sign turned", another="another prior", backwards=TURNED)


def prior_of(pull, toward, weight):
    """A prior as data: how far each value is from one of its own, each with its own weight."""
    return lambda x: weight * (pull * (x - toward).square()).sum()


def moves_of(inputs, pictures) -> list[Move]:
    """The calls of one case in float64, from the pictures that they gave; none of other shapes."""
    given = live(inputs, "cpu", torch.float64)
    if any(picture.shape != given["img"].shape for picture in pictures):
        return []
    prior = prior_of(given["pull"], given["toward"], given["weight"])
    pictures = [given["img"], *map(comparable, pictures)]
    return [Move(Place(given["model"], given["layer"], given["target"], prior, start),
                 float(given["weight"] > 0), given["learning_rate"], end)
            for start, end in zip(pictures, pictures[1:])]


def divided_by_more(moves) -> bool:
    """Are the moves right but too short, as with a constant beside the gradient's length?"""
    found, right = [], []
    for move in moves:
        uphill = move.start.slope(OBJECTIVES[""][0]) - move.weight * move.start.pull()
        step, length = move.end - move.start.picture, uphill.norm()
        if not (step / step.norm() - uphill / length).norm() <= NEAR:
            return False
        found.append((move.rate * length / step.norm()).item())
        right.append(length.item())
    return bool(moves) and large_constant(found, right)


def by_the_prior_alone(move) -> bool:
    """Is the move down the prior alone, whatever its length?"""
    step, pull = move.start.picture - move.end, move.start.pull()
    return bool((step / step.norm() - pull / pull.norm()).norm() <= NEAR)
