"""How a wrong result is related to the right one, where no known mistake was recognised.

This finder knows no exercise: it serves all. A relation holds only if it holds in every tiny case,
and in at least two, or what one picture does by chance would be taken for a rule.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch

from .distance import comparable
from .observe import Odd


class Pair(NamedTuple):
    """One case's result beside what is right, both float64 or bool on the CPU."""
    result: torch.Tensor
    right: torch.Tensor
    inputs: dict  # as data
    close: Callable[[torch.Tensor, torch.Tensor], bool]  # within the case's own bound

    def is_(self, other) -> bool:
        return self.result.shape == other.shape and self.close(self.result, other)


def relation_of(pairs: list[Pair]) -> tuple[str, str] | None:
    """The name of the relation and a sentence, or None. Odd results are looked into first."""
    if len(pairs) < 2:
        return None
    if any(isinstance(pair.result, Odd) for pair in pairs):
        return inside(pairs)
    if any(pair.result.dtype != pair.right.dtype for pair in pairs):
        return None  # what differs says it
    for name, sentence, holds in RELATIONS:
        if all(holds(pair) for pair in pairs):
            return name, sentence
    return factor(pairs)


def inside(pairs):
    """What is right, but handed over in something else."""
    if not all(isinstance(pair.result, Odd) and pair.result.items for pair in pairs):
        return None
    firsts = [pair._replace(result=comparable(pair.result.items[0])) for pair in pairs]
    if not all(pair.is_(pair.right) for pair in firsts):
        return None
    kind = pairs[0].result.kind
    if kind.startswith("torch."):
        return ".values forgotten", ("max(dim=…) returns two things, values and indices. Take "
                                     ".values, or use amax(dim=…).")
    if kind == "ndarray":
        return "array returned", ("The numbers are right, but in a NumPy array: return a tensor, "
                                  "for example torch.from_numpy(result).")
    return "tuple returned", (f"What is returned is a {kind}, whose first item is right: return "
                              f"that alone.")


def images_axis(pair):
    """Is the first axis that of several images?"""
    return pair.right.ndim > 2 and len(pair.right) > 1


def squeezed(pair):
    return (pair.result.ndim != pair.right.ndim and pair.result.numel() == pair.right.numel()
            and pair.result.squeeze().shape == pair.right.squeeze().shape
            and pair.close(pair.result.reshape(pair.right.shape), pair.right))


def first_only(pair):
    if not images_axis(pair):
        return False
    first = pair.right[:1]
    if pair.result.shape == pair.right.shape:
        rest = zip(pair.result[1:], pair.right[1:])
        return pair.close(pair.result[:1], first) and not any(pair.close(*both) for both in rest)
    return pair.is_(first) or pair.is_(first[0])


def shorter_side(x):
    """Of rows and columns the fewer, 0 where there are none of either."""
    return min(x.shape[-2:]) if x.ndim >= 2 else 0


def shifted(down, right):
    def holds(pair):
        if pair.result.shape != pair.right.shape or shorter_side(pair.right) < 3:
            return False
        inner = (..., slice(1, -1), slice(1, -1))
        moved = pair.right.roll((down, right), (-2, -1))
        return pair.close(pair.result[inner], moved[inner])
    return holds


def but_for_the_border(pair):
    if pair.result.shape != pair.right.shape or shorter_side(pair.right) < 4:
        return False
    edge = torch.ones(pair.right.shape[-2:], dtype=torch.bool)
    edge[1:-1, 1:-1] = False
    a, b = (x[..., edge] for x in (pair.result, pair.right))
    off = ((a.double() - b.double()).abs() > 1e-3 * b.double().abs().max()).double().mean()
    # Much of it, or it is chance that the few lie there.
    return off > 0.3 and pair.close(pair.result[..., ~edge], pair.right[..., ~edge])


def image_by_image(pair):
    """The values of each image, and what is right for it; a single map is one image."""
    return zip(*((x if x.ndim > 2 else x[None]).flatten(1) for x in (pair.result, pair.right)))


def each_rescaled(pair):
    """Each image's values are a + b times the right ones, b positive."""
    if pair.result.shape != pair.right.shape or pair.right.ndim < 2 or is_bool(pair):
        return False
    fits = []
    for result, right in image_by_image(pair):
        spread = right - right.mean()
        slope = (result * spread).sum() / (spread * spread).sum().clamp(min=1e-30)
        line = result.mean() + slope * spread
        fits.append(slope > 1e-9 and pair.close(line / slope, result / slope))
    return all(fits)


def same_order(pair):
    if pair.result.shape != pair.right.shape or pair.right.ndim < 2 or is_bool(pair):
        return False
    return all(bool((result[right.argsort()].diff() >= 0).all()) and result.max() > result.min()
               and ((result - right).abs() > 1e-3 * right.abs().max()).double().mean() > 0.5
               for result, right in image_by_image(pair))


def given_back(pair):
    return any(torch.is_tensor(x) and pair.is_(comparable(x)) for x in pair.inputs.values())


def is_bool(pair):
    return pair.right.dtype == torch.bool


def numeric(holds):
    """A relation of numbers, each with the one in its own place."""
    return lambda pair: (not is_bool(pair) and pair.result.shape == pair.right.shape
                         and holds(pair))


def turned(*axes):
    return lambda pair: pair.right.ndim >= 2 and pair.is_(pair.right.flip(axes))


RELATIONS = (  # the surest first
    ("input returned", "This is one of the inputs, unchanged.", given_back),
    ("inverted", "It is the opposite: what should be True is False.",
     lambda p: is_bool(p) and p.is_(~p.right)),
    ("sign", "It is right but for the sign: every value is the right one times -1.",
     numeric(lambda p: p.is_(-p.right))),
    ("absolute value", "It is the absolute value of what is right: signs were lost.",
     numeric(lambda p: p.is_(p.right.abs()))),
    ("absolute value missing", "The absolute values are right, but some are negative, where none "
     "can be.", numeric(lambda p: (p.right >= 0).all() and p.is_(p.right * p.result.sign())
                        and (p.result < 0).any())),
    ("squared", "It is the square of what is right.",
     numeric(lambda p: p.is_(p.right ** 2))),
    ("root", "It is the square root of what is right.",
     numeric(lambda p: (p.right >= 0).all() and p.is_(p.right.clamp(min=0).sqrt()))),
    ("logarithm", "It is the logarithm of what is right.",
     numeric(lambda p: (p.right > 0).all() and p.is_(p.right.log()))),
    ("one minus", "It is 1 minus what is right.", numeric(lambda p: p.is_(1 - p.right))),
    ("transposed", "Rows and columns are swapped: it is the transpose of what is right.",
     lambda p: p.right.ndim >= 2 and p.is_(p.right.transpose(-1, -2))),
    ("upside down", "It is right but upside down: rows are in the opposite order.", turned(-2)),
    ("mirrored", "It is right but mirrored: columns are in the opposite order.", turned(-1)),
    ("turned", "It is right but turned by half a circle.", turned(-1, -2)),
    ("another number of axes", "The values are right, but the result has shape {got} and should "
     "have {wanted}.", squeezed),
    ("first image only", "It is right for the first image only.", first_only),
    ("images in another order", "The images are in the opposite order.",
     lambda p: images_axis(p) and p.is_(p.right.flip(0))),
    ("shifted down", "It is right, but shifted down by one.", shifted(1, 0)),
    ("shifted up", "It is right, but shifted up by one.", shifted(-1, 0)),
    ("shifted right", "It is right, but shifted to the right by one.", shifted(0, 1)),
    ("shifted left", "It is right, but shifted to the left by one.", shifted(0, -1)),
    ("shifted diagonally", "It is right, but shifted down and to the right by one.",
     shifted(1, 1)),
    ("right but for the border", "It is right but for the border: look at the first and the last "
     "row and column.", but_for_the_border),
)
RESCALED = (
    ("rescaled", "Values are right but rescaled, each item by itself: something was added, or "
     "they were divided. Return them as they are.", each_rescaled),
    ("rescaled", "The values are in the right order, but their sizes are not those of the "
     "definition.", numeric(same_order)),
)
EXPRESSIONS = (  # constants that are no accident, as functions of the right result and the input
    ("2", lambda p: 2), ("half", lambda p: 1 / 2), ("a quarter of", lambda p: 1 / 4),
    ("4", lambda p: 4), ("3", lambda p: 3), ("a third of", lambda p: 1 / 3), ("255", lambda p: 255),
    ("1/255 of", lambda p: 1 / 255),
    ("N (the number of images)", lambda p: len(p.right)),
    ("1/N of (N the number of images)", lambda p: 1 / len(p.right)),
    ("the number of pixels", lambda p: p.right[0].numel()),
    ("1/(number of pixels) of", lambda p: 1 / p.right[0].numel()),
)


def factor(pairs):
    """Times a constant, by name where it has one; else each image on a scale of its own."""
    if any(p.result.shape != p.right.shape or is_bool(p) for p in pairs):
        return None
    norms = [p.right.square().sum() for p in pairs]
    found = [float((p.result * p.right).sum() / n) for p, n in zip(pairs, norms) if n > 0]
    if found and all(abs(c - 1) < 1e-3 for c in found):
        return None  # once the right ones: what differs is something else
    it_is = "Every value is" if any(p.right.ndim for p in pairs) else "It is"
    if len(found) == len(pairs) and all(c and p.close(p.result / c, p.right)
                                        for c, p in zip(found, pairs)):
        for words, value in EXPRESSIONS:
            if all(p.right.ndim and abs(abs(c) / value(p) - 1) < 1e-3
                   for c, p in zip(found, pairs)):
                sign = "minus " if found[0] < 0 else ""
                times = f"{sign}{words}" + ("" if words.endswith("of") or words == "half"
                                            else " times")
                return "times a constant", f"{it_is} {times} the right one."
        if max(found) - min(found) < 1e-3 * abs(found[0]):
            return "times a constant", f"{it_is} {found[0]:.4g} times the right one."
    for name, sentence, holds in RESCALED:
        if all(holds(pair) for pair in pairs):
            return name, sentence
    return None
