"""The check of `filters_to_images`: what is tried, and what is said about known mistakes."""

import torch

from ..distance import comparable, large_constant
from ..exercise import Case, Exercise, Trap
from ..inputs import Leaf

FLAT = {1: 0.0, 2: 0.25}  # which filters have one value, and which
# So small that 1e-3 in the divisor shows, and so near that 1e-6 is right, but not 1e-5.
SMALL, NEAR_SMALL = 2 ** -10, 6e-3


def pictured(function, weight):
    result = function(weight)
    return {"result": result, "has a graph": getattr(result, "requires_grad", False)}


def beside_flat(function, weight):
    """What becomes of the filters beside the flat ones, nothing where some are left out."""
    result = function(weight)
    if torch.is_tensor(result) and result.ndim:
        result = others(result) if len(result) == len(weight) else result[:0]
    return {"result": result}


def others(x):
    return x[[place for place in range(len(x)) if place not in FLAT]]


def flat_filters(function, weight):
    """What becomes of the flat filters alone, as 0 where that is one grey each; it is noted."""
    result = function(weight)
    if not torch.is_tensor(result) or result.shape != weight.shape:
        return {"result": result[:len(FLAT)] * 0 if torch.is_tensor(result) else result}
    rows = result.detach()[list(FLAT)]
    if not rows.isfinite().all():
        return {"result": rows.new_empty(0)}
    greys = rows.flatten(1)
    constant = bool(((greys == greys[:, :1]) & (greys >= 0) & (greys <= 1)).all())
    return {"result": 0 * rows if constant else rows, "grey": float(greys.max()) * constant}


def filters(*shape, seed, size=1.0, shift=0.5):
    """Filters of different contrast, each around a value of its own; shift is that of all."""
    def inputs(numbers):
        contrast, middle = (numbers(shape[0], 1, 1, 1, seed=seed + i) for i in (1, 2))
        values = (0.25 + contrast) * (numbers(*shape, seed=seed) - shift) + (middle - 0.5) / 4
        return {"weight": size * values}
    return inputs


def with_flat(inputs):
    """Some of the filters made flat."""
    weight = inputs["weight"].clone()
    for place, value in FLAT.items():
        weight[place] = value
    return {"weight": weight}


def as_parameter(inputs):
    return {"weight": Leaf(inputs["weight"])}


def recognise(observed, inputs):
    """Whole numbers of 1/255, or a constant beside what is divided by."""
    found = []
    for name in (case.name for case in FILTERS.cases if case.name in observed.outcomes):
        result, weight = observed.outcomes[name].outputs.get("result"), inputs[name]["weight"]
        if not torch.is_tensor(result) or result.shape != weight.shape or (
                not result.is_floating_point()):
            return ()
        for one, values in zip(comparable(result).flatten(1), weight.flatten(1)):
            found.append((one, values - values.min()))
    if all((255 * one - (255 * one).round()).abs().max() < 1e-3 and one.min() == 0 for one, _ in
           found):
        return ("bytes",)
    if not all(one.max() > 0 and (one / one.max() - values / values.max()).abs().max() < 1e-4
               for one, values in found):
        return ()
    right = [values.max().item() for _, values in found]
    divisors = [(values.max() / one.max()).item() for one, values in found]
    return ("large constant in the divisor",) if large_constant(divisors, right) else ()


def conventions(observed, inputs):
    """Is a flat filter another grey than black, and does a graph come back?"""
    found = [outcome.outputs for outcome in observed.outcomes.values()]
    return {name: () for name, shows in (
        ("flat filters in another grey", any(out.get("grey") for out in found)),
        ("has a graph", any(out.get("has a graph") is True for out in found))) if shows}


FIRST = "five filters"
FILTERS = Exercise(
    name="filters_to_images", notebook="01_filters_and_activations", parameters=("weight",),
    recognise=recognise, conventions=conventions,
    cases=(
        Case(FIRST, filters(5, 3, 3, 3, seed=811), pictured),
        Case("filters higher than wide", filters(4, 3, 5, 2, seed=815), pictured),
        Case("filters with small weights", filters(6, 3, 2, 4, seed=819, size=SMALL), pictured,
             tolerance=NEAR_SMALL),
        Case("filters without a weight below 0", filters(3, 3, 3, 4, seed=823, shift=-0.75),
             pictured),
        Case("a single filter", filters(1, 3, 4, 5, seed=827, size=3.0), pictured),
    ),
    traps=(
        Trap("0 over 0", FIRST, with_flat, lambda result: torch.zeros_like(result[:len(FLAT)]),
             call=flat_filters, drift="flat filters outside 0 to 1", unless=("input changed",)),
        Trap("a flat filter changes the others", FIRST, with_flat, others, call=beside_flat,
             unless=("input changed", "all filters scaled together", "pictures in a grid",
                     "minimum and maximum over the filters", "0 over 0")),
        Trap("another dtype than the weights'", FIRST, dtype=torch.float64),
        Trap("graph in the way", FIRST, as_parameter, unless=("input changed",)),
    ),
    mistakes={
        "all filters scaled together":
            "One minimum and one maximum serve all filters, so those with small weights come out "
            "grey. Scale each filter by itself: weight.amin(dim=(1, 2, 3), keepdim=True).",
        "each colour scaled by itself":
            "Each colour of a filter has a minimum and a maximum of its own, so its hue is lost. "
            "Take them over all three colours together, dim=(1, 2, 3).",
        "each pixel scaled by itself":
            "The minimum and the maximum are taken over the colours alone, pixel by pixel. Take "
            "them over all values of a filter, dim=(1, 2, 3).",
        "minimum and maximum over the filters":
            "The minimum and the maximum run over the filters, axis 0, which are what should be "
            "told apart. Take them over the other axes, dim=(1, 2, 3).",
        "scaled by the largest absolute value":
            "You divide by the largest absolute value, so that 0 is always middle grey. That is "
            "done, too, but here it is (w - min) / (max - min): 0 and 1 both occur in each filter.",
        "minimum not subtracted":
            "The minimum is not subtracted. Take w - min first, then divide by max - min.",
        "divided by the maximum":
            "It is divided by the maximum. After the minimum is subtracted, the largest value is "
            "max - min: divide by that.",
        "absolute values":
            "Signs are lost: a strong negative weight is as bright as a strong positive one. Take "
            "(w - min) / (max - min), without abs.",
        "clamped":
            "Weights below 0 are cut off, and become black. They are half of what there is to "
            "see: take (w - min) / (max - min) instead of clamping.",
        "shifted by a half":
            "A half is added, and nothing is scaled. How large weights are differs from filter to "
            "filter: take (w - min) / (max - min).",
        "standardised":
            "The mean was subtracted and the standard deviation divided away, which leaves values "
            "below 0 and above 1. Take (w - min) / (max - min).",
        "sigmoid":
            "The weights are squeezed by a sigmoid. Take (w - min) / (max - min), which keeps "
            "their proportions.",
        "inverted":
            "It is right but inverted: the smallest weight is white. Take (w - min), not "
            "(max - w).",
        "from -1 to 1":
            "The pictures run from -1 to 1. They should run from 0 to 1.",
        "from 0 to 255":
            "The pictures run from 0 to 255. Pictures of this course are floats in [0, 1]: leave "
            "the factor away.",
        "bytes":
            "The pictures are bytes, or rounded as they are. Leave them floats in [0, 1].",
        "large constant in the divisor":
            "A constant is added to max - min, and so large that filters with small weights come "
            "out dark. 1e-8 is enough against 0 / 0.",
        "channels last":
            "The colours have become the last axis, as Matplotlib wants it. Leave them where they "
            "are, (F, 3, kh, kw): the course's pictures are like that, and show turns them.",
        "rows and columns exchanged":
            "Rows and columns are exchanged. Leave the axes as they are, (F, 3, kh, kw).",
        "colours in the opposite order":
            "Red and blue are exchanged. Leave the axes as they are: the networks take red first.",
        "colours joined":
            "The colours are averaged to one. Leave all three, (F, 3, kh, kw).",
        "pictures in a grid":
            "The filters are put together in a grid. Return each as a picture of its own, "
            "(F, 3, kh, kw); show puts them side by side.",
        "enlarged":
            "The pictures are larger than the filters. Return them as they are, a pixel for each "
            "weight; they can be enlarged where they are shown.",
        "0 over 0":
            "A filter whose values are all equal has max - min = 0, and becomes NaN or fails. It "
            "should be 0: divide by (max - min).clamp(min=1e-8), for example.",
        "flat filters outside 0 to 1":
            "A filter whose values are all equal comes out below 0 or above 1, or in several "
            "values. It should be 0.",
        "a flat filter changes the others":
            "A filter whose values are all equal changes what comes of the others, or is left "
            "out. Divide it alone by something else than 0.",
        "graph in the way":
            "It fails where the weights ask for their gradient, as Parameters do. Begin with "
            "weight.detach().",
    },
    notes={
        "another dtype than the weights'":
            "with float64 weights the result is not float64, and should be like weight: it helps "
            "to make no float32 tensors of your own.",
        "flat filters in another grey":
            "filters whose values are all equal are another grey here than black, which the "
            "notebook takes.",
        "has a graph":
            "what comes back hangs on a graph, and pictures need none. Begin with weight.detach().",
    },
    row={
        "signature": "filters_to_images(weight)",
        "shapes": "weight (F, 3, kh, kw) → (F, 3, kh, kw)",
        "gives": "a new tensor without a graph, like weight in dtype and device; weight stays as "
                 "it was",
        "formula": "(w − min) / (max − min), minimum and maximum over all values of each filter; 0 "
                   "where a filter's values are all equal",
        "defaults": "none",
        "units": "0 to 1 in each filter; 0 is its smallest weight; a constant up to 1e-6 in the "
                 "divisor is right",
    })
