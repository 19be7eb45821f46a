"""The check of `octave_pyramid`: what is tried, and what is said about known mistakes.

A function cannot be an input, which are data: a case names its dream, and the call makes it.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F

from ..distance import comparable
from ..exercise import Case, Exercise, Trap
from ..fixtures import picture
from ..judge import reordered
from ..moves import named


def with_spots(x):
    """A lighter pixel here and there, wherever they lie in the picture."""
    x = x.detach().clone()
    x[..., 1::3, ::2] += 0.125
    return x


NEVER = [[0, 0]]  # the sizes where the dream is not called
DREAMS = {
    "nothing": lambda x: x.detach().clone(),
    "spots": with_spots,
    "light": lambda x: x.detach() + x.detach() * (1 - x.detach()) / 2,
    "both": lambda x: with_spots(x + x * (1 - x) / 4),
    "too light": lambda x: x.detach() + 0.5,
}


def pyramid(function, img, dream, octaves, scale):
    """The last picture, and the sizes at which the dream was called."""
    sizes = []

    def dreaming(x):
        sizes.append(list(x.shape[-2:]))
        return DREAMS[dream](x)
    result = function(img, dreaming, octaves, scale)
    return {"sizes": img.new_tensor(sizes or NEVER), "picture": result,
            "has a graph": getattr(result, "requires_grad", False)}


def dreaming(height, width, seed, dream, octaves, scale):
    """A picture of middling values, so that nothing leaves [0, 1] on the way."""
    return lambda numbers: {"img": 0.25 + picture(numbers, 1, height, width, seed) / 4,
                            "dream": dream, "octaves": octaves, "scale": scale}


# Which sizes the octaves have, of a picture (height, width): each name with its forms.
def by(size) -> Callable:
    """Each octave by itself: size(side, scale, k) from the smallest, the largest k, on."""
    return lambda sides, octaves, scale: [[size(side, scale, k) for side in sides]
                                          for k in reversed(range(octaves))]


def shrunk_again(cut) -> Callable:
    """Each octave from the one that is larger."""
    def sizes(sides, octaves, scale):
        found = [list(sides)]
        for _ in range(octaves - 1):
            found.append([cut(side / scale) for side in found[-1]])
        return found[::-1]
    return sizes


def rounded(side, scale, k):
    return round(side / scale ** k)


right_sizes = by(rounded)
SIZES: dict[str, tuple[Callable, ...]] = {
    "": (right_sizes,),
    "octaves in the wrong order": (lambda *given: right_sizes(*given)[::-1],),
    "sizes cut instead of rounded": (by(lambda side, scale, k: int(side / scale ** k)),),
    "sizes rounded up": (by(lambda side, scale, k: math.ceil(side / scale ** k)),),
    "sizes from repeated shrinking": (shrunk_again(round), shrunk_again(int)),
    "scale inverted": (by(lambda side, scale, k: round(side * scale ** k)),),
    "scale not raised to a power": (
        by(lambda side, scale, k: round(side / (scale * k)) if k else side),
        by(lambda side, scale, k: round(side / (1 + (scale - 1) * k)))),
    "rows and columns exchanged": (lambda *given: [size[::-1] for size in right_sizes(*given)],),
    "one octave too few": (lambda *given: right_sizes(*given)[1:],
                           lambda *given: right_sizes(*given)[:-1]),
    "one octave too many": (
        lambda sides, octaves, scale: right_sizes(sides, octaves + 1, scale),
        lambda sides, octaves, scale: [*right_sizes(sides, octaves, scale), list(sides)]),
    "full size only": (lambda sides, octaves, scale: [list(sides)] * octaves,
                       lambda sides, octaves, scale: [list(sides)]),
}


def resize(mode, **options) -> Callable:
    return lambda x, size: F.interpolate(x, size=size, mode=mode, **options)


smooth = resize("bilinear", antialias=True, align_corners=False)
cornered, plain, nearest, cubic, area = (
    resize("bilinear", align_corners=True), resize("bilinear", align_corners=False),
    resize("nearest"), resize("bicubic", antialias=True, align_corners=False), resize("area"))
cornered_smooth = resize("bilinear", antialias=True, align_corners=True)
# How pictures are made smaller, and details larger.
RESIZES: dict[str, tuple[tuple[Callable, Callable], ...]] = {
    "": ((smooth, smooth),),
    "not antialiased": ((plain, smooth), (plain, plain)),
    "corners aligned": ((cornered, cornered), (cornered_smooth, cornered_smooth),
                        (smooth, cornered), (cornered_smooth, smooth), (cornered, smooth)),
    "another interpolation": ((nearest, nearest), (cubic, cubic), (area, area), (area, smooth),
                              (smooth, nearest), (smooth, cubic), (nearest, smooth),
                              (resize("bicubic"), resize("bicubic"))),
}


class Level(NamedTuple):
    """One octave: the picture at its size, what the dream was shown, what came of it."""
    base: torch.Tensor
    start: torch.Tensor
    dreamed: torch.Tensor


# How an octave starts, of its base, the Level before, and enlarge. The first starts at its base.
STARTS: dict[str, tuple[Callable, ...]] = {
    "": (lambda base, last, enlarge: base + enlarge(last.dreamed - last.base),),
    "lost detail not added again": (lambda base, last, enlarge: enlarge(last.dreamed),),
    "nothing carried on": (lambda base, last, enlarge: base,),
    "base added twice": (lambda base, last, enlarge: base + enlarge(last.dreamed),),
    "base and dream averaged": (lambda base, last, enlarge: (base + enlarge(last.dreamed)) / 2,),
    "earlier octaves lost": (
        lambda base, last, enlarge: base + enlarge(last.dreamed - last.start),),
    "detail piles up": (
        lambda base, last, enlarge: base + enlarge(last.dreamed + last.start - 2 * last.base),),
    "detail's sign turned": (lambda base, last, enlarge: base - enlarge(last.dreamed - last.base),
                             lambda base, last, enlarge: base + enlarge(last.base - last.start)),
}
# What is returned, of the last Level.
ENDS: dict[str, Callable] = {
    "": lambda last: last.dreamed, "last dream left out": lambda last: last.start,
    "detail returned alone": lambda last: last.dreamed - last.base,
    "base returned": lambda last: last.base,
}


def climbed(img, dream, sizes, resizes, start, chained) -> Level:
    """The last level of a pyramid of these sizes, built of its factors."""
    shrink, enlarge = resizes
    bases = [shrink(img, size) for size in sizes]
    if chained:  # each from the next, which is larger
        for k in range(len(sizes) - 2, -1, -1):
            bases[k] = shrink(bases[k + 1], sizes[k])
    level = None
    for base, size in zip(bases, sizes):
        begun = base if level is None else start(base, level, lambda x: enlarge(x, size))
        level = Level(base, begun, DREAMS[dream](begun))
    return level


def recognise(observed, inputs):
    """First the sizes; with those, whatever they are, how an octave starts from the one before."""
    runs = [(inputs[name], observed.outcomes[name].outputs) for name in TINY
            if not observed.outcomes[name].problem]
    if len(runs) < 3 or reordered(OCTAVES, observed.facts):
        return ()
    seen = [out["sizes"].int().tolist() for _, out in runs]
    if all(sizes == NEVER for sizes in seen):
        return ("dream not called",)
    alone = observed.outcomes[ALONE]
    if not alone.problem and alone.outputs["sizes"].int().tolist() == NEVER:
        return ("single octave not dreamed",)
    sizes = name_of_sizes([given for given, _ in runs], seen)
    ends = [out["picture"] for _, out in runs]
    if not all(map(torch.is_tensor, ends)):
        return named(sizes)
    return named(sizes, *values([given for given, _ in runs], seen, map(comparable, ends)))


def name_of_sizes(given, seen) -> str:
    """The name of the rule that all of them follow."""
    for name, rules in SIZES.items():
        for rule in rules:
            if all(sizes == rule(list(one["img"].shape[2:]), one["octaves"], one["scale"])
                   for one, sizes in zip(given, seen)):
                return name
    if all(sizes[::2] == sizes[1::2] for sizes in seen):
        return "dream called twice"
    return "other sizes"


def values(given, seen, ends) -> tuple[str, ...]:
    """The slips that explain every last picture, as few as may be."""
    tried = sorted(((named(resized, "bases shrunk one from the other" if chained else "", begun,
                           ended), pair, start, chained, end)
                    for resized, pairs in RESIZES.items() for pair in pairs
                    for chained in (False, True)
                    for begun, starts in STARTS.items() for start in starts
                    for ended, end in ENDS.items()), key=lambda entry: len(entry[0]))
    runs = [run for run in zip(given, seen, ends) if run[1] != NEVER]
    for names, pair, start, chained, end in tried:
        def explains(one, sizes, result, rest=(pair, start, chained), end=end):
            wanted = end(climbed(one["img"], one["dream"], sizes, *rest))
            return wanted.shape == result.shape and (result - wanted).abs().max() <= 1e-4
        if all(explains(*run) for run in runs):
            return names
    return ()


def conventions(observed, inputs):
    """Is there a graph, although no dream gives one? Are pictures clipped on the way?"""
    outputs = [outcome.outputs for outcome in observed.outcomes.values()]
    graph = {"has a graph": ()} if any(out.get("has a graph") is True for out in outputs) else {}
    return graph | ({"clipped on the way": (LIGHT,)} if LIGHT in observed.outcomes and is_clipped(
        inputs[LIGHT], observed.outcomes[LIGHT].outputs) else {})


def is_clipped(given, outputs) -> bool:
    """Is what a dream starts from clipped to [0, 1], or what it gives, or both?"""
    sides, result = list(given["img"].shape[2:]), outputs.get("picture")
    sizes = right_sizes(sides, given["octaves"], given["scale"])
    if not torch.is_tensor(result) or outputs["sizes"].int().tolist() != sizes:
        return False

    def cut(x):
        return x.clamp(0, 1)

    def whole(x):
        return x
    for before, after in ((cut, whole), (whole, cut), (cut, cut)):
        detail = 0
        for size in sizes:
            base = smooth(given["img"], size)
            start = base + (smooth(detail, size) if torch.is_tensor(detail) else detail)
            dreamed = after(DREAMS[given["dream"]](before(start)))
            detail = dreamed - base
        if dreamed.shape == result.shape and (comparable(result) - dreamed).abs().max() <= 1e-4:
            return True
    return False


NOTHING, LIGHT, ALONE = "a dream that does nothing", "a dream that leaves [0, 1]", "one octave"
TINY = (NOTHING, "a dream that adds spots", "a dream that makes lighter", "four octaves")
OCTAVES = Exercise(
    name="octave_pyramid", notebook="08_deepdream",
    parameters=("img", "dream", "octaves", "scale"), recognise=recognise, conventions=conventions,
    cases=(
        Case(NOTHING, dreaming(11, 20, 401, "nothing", 3, 1.625), pyramid, tolerance=1e-5),
        Case(TINY[1], dreaming(11, 19, 402, "spots", 3, 1.75), pyramid),
        Case(TINY[2], dreaming(20, 14, 403, "light", 2, 1.75), pyramid),
        Case(TINY[3], dreaming(9, 14, 404, "both", 4, 1.375), pyramid),
        Case(LIGHT, dreaming(8, 11, 406, "too light", 3, 1.5), pyramid),
        Case(ALONE, dreaming(7, 9, 405, "both", 1, 1.5), pyramid),
    ),
    traps=(
        Trap("another dtype than img's", TINY[1], dtype=torch.float64),
    ),
    mistakes={
        "parameters in another order":
            "The parameters stand in another order than in the notebook: "
            "octave_pyramid(img, dream, octaves, scale).",
        "dream not called":
            "dream is never called. Call it once for each octave, dreamed = dream(start).",
        "single octave not dreamed":
            "With octaves=1 dream is never called. One octave is the picture's own size, and is "
            "dreamed like any other.",
        "octaves in the wrong order":
            "It begins with the largest octave. Begin with the smallest, k = octaves - 1, and end "
            "with k = 0, the picture's own size: for k in reversed(range(octaves)).",
        "one octave too few":
            "An octave is missing. There are `octaves` of them, k = octaves - 1 … 0, and k = 0 is "
            "the picture's own size.",
        "one octave too many":
            "There is an octave too many: k goes from octaves - 1 to 0, and range(octaves) holds "
            "just these.",
        "full size only":
            "The dream sees the picture at its own size alone. Octave k has H / scale**k rows and "
            "W / scale**k columns.",
        "dream called twice":
            "dream is called twice for each octave, and the second call is a dream of a dream. "
            "Call it once and keep what it gives.",
        "sizes cut instead of rounded":
            "The sizes are cut: int(9.9) is 9. Take round(H / scale**k).",
        "sizes rounded up":
            "The sizes are rounded up. Take the nearest whole number, round(H / scale**k).",
        "sizes from repeated shrinking":
            "Each size was made from the rounded one before, so the roundings add up. Make all of "
            "them from the picture's own: round(H / scale**k).",
        "scale inverted":
            "The octaves become larger than the picture. Divide by scale**k.",
        "scale not raised to a power":
            "Each octave should be smaller than the one before by the same factor. Raise the "
            "scale to a power: H / scale**k.",
        "rows and columns exchanged":
            "Rows and columns are exchanged: a size is (rows, columns), as in img.shape[2:].",
        "other sizes":
            "The dream is called at other sizes than round(H / scale**k) by round(W / scale**k), "
            "k = octaves - 1 … 0.",
        "lost detail not added again":
            "The small dream is only enlarged, and what shrinking had lost never comes back: the "
            "result is soft. Enlarge what the dream added, dreamed - base, and add it to the "
            "picture at the next size.",
        "nothing carried on":
            "Every octave starts from the picture alone, so what the smaller ones dreamed is "
            "lost. Start from base + the enlarged detail.",
        "base added twice":
            "The picture is there twice: the whole dream was enlarged and added to it. Add what "
            "the dream added alone, detail = dreamed - base.",
        "base and dream averaged":
            "The enlarged dream and the picture are averaged. Add to the picture what the dream "
            "added, detail = dreamed - base.",
        "earlier octaves lost":
            "The detail is only what the last octave added. Measure it from the picture, "
            "detail = dreamed - base, so that it holds all that was dreamed so far.",
        "detail piles up":
            "What earlier octaves added is counted twice: dreamed - base holds it already. "
            "Replace the detail, do not add to it.",
        "detail's sign turned":
            "The detail is taken off instead of added. It is dreamed - base, and the next octave "
            "starts from base + the enlarged detail.",
        "last dream left out":
            "What the last octave starts from is returned. Return what was dreamed there.",
        "detail returned alone":
            "The detail alone comes back. Return the last dreamed picture.",
        "base returned":
            "The picture comes back without any dream. Return the last dreamed picture.",
        "bases shrunk one from the other":
            "The picture was shrunk again and again, and grows softer each time. Resize it from "
            "img itself in every octave.",
        "not antialiased":
            "The picture is shrunk without antialias, so it takes some pixels and forgets the "
            "others. F.interpolate(img, size=size, mode=\"bilinear\", antialias=True).",
        "corners aligned":
            "align_corners=True stretches the picture by up to a pixel. Take "
            "align_corners=False.",
        "another interpolation":
            "The interpolation is another one. F.interpolate(x, size=size, mode=\"bilinear\", "
            "antialias=True, align_corners=False) is agreed for all.",
        "another dtype than img's":
            "With a float64 picture the result should be float64: make no float32 tensors of your "
            "own, torch.zeros_like(img) takes img's.",
    },
    notes={
        "clipped on the way":
            "the picture is clipped to [0, 1] before or after a dream. By the formula it stays as "
            "it is: the dream decides, and deepdream_step clips anyhow.",
        "has a graph":
            "what comes back still remembers how it was computed, although no dream did. Work on "
            "img.detach().",
    },
    row={
        "signature": "octave_pyramid(img, dream, octaves, scale)",
        "shapes": "img (1, 3, H, W), dream a function from a picture to one as large, octaves a "
                  "whole number from 1, scale a number from 1 → (1, 3, H, W)",
        "gives": "what dream returned at last; img stays as it was",
        "formula": "for k = octaves − 1 … 0: base = img resized to round(H / scale^k) × "
                   "round(W / scale^k), start = base + detail resized to that size (the first "
                   "detail is 0), dreamed = dream(start), detail = dreamed − base. Resized by "
                   "F.interpolate, bilinear, antialias=True, align_corners=False",
        "defaults": "none",
        "units": "sizes in pixels, rounded as Python's round does",
    })
