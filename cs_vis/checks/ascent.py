"""One step of a gradient ascent, read from outside: which objective, divided by what, how fast.

A step is rate · form(gradient of an objective). Each factor is tried apart from the others, so
any two slips together are both found, and no table of pairs is needed.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch

# What is climbed, from the scores (1, K) and the target: each name with its forms.
OBJECTIVES: dict[str, tuple[Callable, ...]] = {
    "": (lambda s, t: s[0, t],),
    "score descended": (lambda s, t: -s[0, t],),
    "loss or probability instead of the score":  # one direction, so two forms of one name
        (lambda s, t: s.log_softmax(1)[0, t], lambda s, t: s.softmax(1)[0, t]),
    "loss climbed": (lambda s, t: -s.log_softmax(1)[0, t], lambda s, t: -s.softmax(1)[0, t]),
    "loss of the softmax": (lambda s, t: s.softmax(1).log_softmax(1)[0, t],),
    "difference of two scores": (lambda s, t: s[0, t] - s.max(),),
    "present class pushed down": (lambda s, t: -s.max(),),
    "predicted class instead of the target": (lambda s, t: s.max(),),
    "all scores together": (lambda s, t: s.sum(), lambda s, t: s.norm()),
    "score of another class": (
        *(lambda s, t, k=k: s[0, k] for k in range(5)),
        *(lambda s, t, k=k: s[0, (t + k) % s.shape[1]] for k in (1, -1))),
}


def over(*axes):
    """Divided by the L2 norm over some of the axes only."""
    return lambda g: g / g.norm(dim=axes, keepdim=True).clamp(min=1e-12)


# What is done to the gradient (1, 3, H, W) before it is added: each name with its forms.
FORMS: dict[str, tuple[Callable, ...]] = {
    "": (lambda g: g / g.norm(),),
    "not divided by the norm": (lambda g: g,),
    "divided by the squared norm": (lambda g: g / g.square().sum(),),
    "divided by the squared sum": (lambda g: g / g.sum() ** 2,),
    "divided by the sum": (lambda g: g / g.sum(),),
    "sign step": (lambda g: g.sign(),),
    "norm over a part of the gradient": (
        over(2, 3), over(1), over(2), over(3), over(1, 2),
        lambda g: g / g.norm(dim=(2, 3)).sum(), lambda g: g / g.norm(dim=1).sum(),
        lambda g: g / g.norm(dim=(2, 3)).mean()),
    "another measure than the norm": (
        lambda g: g / g.abs().sum(), lambda g: g / g.abs().max(), lambda g: g / g.max(),
        lambda g: g / g.abs().mean(), lambda g: g / g.std(), lambda g: g / g.square().mean().sqrt(),
        lambda g: g / g.norm().sqrt()),
}
# What a student reads of three of them, whatever the exercise.
DIVISORS = {
    "divided by the squared norm":
        "The gradient is divided by its squared norm: the root is missing. g.norm() is the "
        "square root of the sum of squares.",
    "divided by the squared sum":
        "The gradient is divided by the square of its sum. The L2 norm squares first, then "
        "sums, then takes the root: g.norm().",
    "divided by the sum":
        "The gradient is divided by its sum, in which plus and minus cancel. Divide by its L2 "
        "norm, g.norm().",
}
NORMS = {  # of a step that is as long as learning_rate says
    "divided by the picture's norm":
        "The step is divided by the length of the picture. Divide by the length of the "
        "gradient, g.norm().",
    **DIVISORS,
    "sign step":
        "Every value moves by the same amount: the gradient was divided by its own absolute "
        "value, or its sign was taken. Divide all of it by one number, its L2 norm g.norm().",
    "norm over a part of the gradient":
        "The norm is taken over some axes only, so colours, rows or pixels are each scaled by "
        "a number of their own. Take one norm of the whole gradient, g.norm().",
    "another measure than the norm":
        "The direction is right, but the step is not as long as it should be: the gradient is "
        "divided by another measure of its size. Divide by its L2 norm, g.norm().",
}
NEAR = 1e-3  # of a step's length: float32 pictures are this exact
BY_SIGN = 0.2  # the same for signs, which may be made with a small constant in the divisor


class Rule(NamedTuple):
    """How a step is made of a gradient: the names of two slips, or "", and what they stand for."""
    objective: str
    form: str
    climb: Callable
    shape: Callable
    rate: float = 1.0
    clamped: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        slips = (self.objective, self.form,
                 "another learning rate" if abs(self.rate - 1) > NEAR else "",
                 "clamped" if self.clamped else "")
        return tuple(filter(None, slips))


class Start(NamedTuple):
    """Where a step begins: the network, the class that is aimed at, the picture (1, 3, H, W)."""
    model: torch.nn.Module
    target: int
    picture: torch.Tensor

    def slope(self, climb) -> torch.Tensor:
        """The gradient of climb(scores, target) here."""
        leaf = self.picture.detach().requires_grad_()
        return torch.autograd.grad(climb(self.model(leaf), self.target), leaf)[0]


RULES = sorted((Rule(objective, form, climb, shape)
                for objective, climbs in OBJECTIVES.items() for climb in climbs
                for form, shapes in FORMS.items() for shape in shapes),
               key=lambda rule: len(rule.names))


def rule_of(starts: list[Start], ends: list[torch.Tensor]) -> Rule | None:
    """The rule that leads from every start to its end, with as few slips as may be.

    One with a rate of 1 comes first; with another rate, all must share it. Clamped comes last.
    """
    slopes = {climb: [start.slope(climb) for start in starts]
              for climbs in OBJECTIVES.values() for climb in climbs}
    for clamped in (False, True):
        for rule in RULES:
            rule = rule._replace(clamped=clamped)
            if all(leads(rule, start.picture, slope, end)
                   for start, slope, end in zip(starts, slopes[rule.climb], ends)):
                return rule
    for clamped in (False, True):
        for rule in RULES:
            rule = rule._replace(clamped=clamped)
            rates = [rate_of(rule, start.picture, slope, end)
                     for start, slope, end in zip(starts, slopes[rule.climb], ends)]
            if all(rates) and max(rates) - min(rates) <= NEAR * max(rates):
                return rule._replace(rate=rates[0])
    return None


def memory_of(rule: Rule, starts: list[Start], end) -> str | None:
    """What the step from the last of the starts to the end does with the gradients since the
    first: "" where it takes its own alone; None for what nobody knows."""
    slopes = [start.slope(rule.climb) for start in starts]
    in_place = slopes[0]  # divided where it lies, and added to there
    for slope in slopes[1:]:
        in_place = rule.shape(in_place) + slope
    for name, slope in (("", slopes[-1]), ("gradient piles up", sum(slopes)),
                        ("gradient piles up", in_place), ("gradient taken once", slopes[0])):
        if leads(rule, starts[-1].picture, slope, end):
            return name
    same_way = rate_of(rule, starts[-1].picture, slopes[-1], end)
    return "steps of changing length" if same_way else None


def leads(rule, picture, slope, end) -> bool:
    """Does the rule lead from the picture to its end?"""
    there = picture + rule.rate * rule.shape(slope)
    return close(rule, (there.clamp(0, 1) if rule.clamped else there) - picture, end - picture)


def rate_of(rule, picture, slope, end) -> float | None:
    """The rate, above 0, with which the rule leads from the picture to its end, or None."""
    free = (end > 0) & (end < 1) | torch.tensor(not rule.clamped)  # of values that are not cut
    unit, move = rule.shape(slope)[free], (end - picture)[free]
    rate = ((unit * move).sum() / unit.square().sum()).item()
    return rate if rate > 0 and leads(rule._replace(rate=rate), picture, slope, end) else None


def close(rule, wanted, move) -> bool:
    bound = BY_SIGN if rule.form == "sign step" else NEAR
    return bool((wanted - move).norm() <= bound * wanted.norm())
