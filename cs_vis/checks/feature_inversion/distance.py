"""The check of `feature_distance`: what is tried, and what is said about known mistakes."""

import torch

from ..distance import large_constant
from ..exercise import Case, Exercise, Trap
from .measuring import (ANOTHER_DTYPE, CONSTANT, NO_GRADIENT, in_the_dtype_of_the_value,
                        measured, number_alone)


def distance(function, features, target):
    return measured(function, features, target)


def in_its_dtype(function, features, target):
    return in_the_dtype_of_the_value(function, features, target)


def layer(*shape, seed, scale=1.0, below=0.0):
    """Two times what a layer gives: after a ReLU many values are 0, before it some are negative."""
    def inputs(numbers):
        def drawn(seed):
            return scale * (2 * numbers(*shape, seed=seed) - 1).clamp(min=below)
        return {"features": drawn(seed), "target": drawn(seed + 50)}
    return inputs


def recognise(observed, inputs):
    """A plain number, or a constant beside the target's squares."""
    found, right = [], []
    for name in (FIRST, MAPS, SCORES, WEAK):
        outputs = observed.outcomes[name].outputs if name in observed.outcomes else {}
        value, slope = (outputs.get(output) for output in ("value", "gradient"))
        # What has no value above 0, or no gradient, is wrong in another way.
        if not (torch.is_tensor(value) and value.ndim == 0 and value > 0
                and torch.is_tensor(slope) and slope.any()):
            return number_alone(observed, inputs)
        features, target = (inputs[name][key] for key in ("features", "target"))
        found.append(((features - target).norm() / value.item() ** 0.5).item())
        right.append(target.norm().item())
    return (CONSTANT,) if large_constant(found, right) else ()


FIRST, MAPS, SCORES, WEAK = "a layer's maps", "large maps of a ReLU", "class scores", "weak maps"
DISTANCE = Exercise(
    name="feature_distance", notebook="06_feature_inversion", parameters=("features", "target"),
    recognise=recognise,
    cases=(
        Case(FIRST, layer(1, 3, 2, 4, seed=41, below=-1.0), distance),
        Case(MAPS, layer(1, 4, 3, 2, seed=42, scale=6.0), distance),
        Case(SCORES, layer(1, 7, seed=43, scale=3.0, below=-1.0), distance),
        Case(WEAK, layer(1, 5, 4, 3, seed=44, scale=0.125), distance),
    ),
    traps=(
        Trap("another dtype than the input's", FIRST, dtype=torch.float64, call=in_its_dtype),
    ),
    mistakes={
        "parameters in another order":
            "The parameters stand in another order than in the notebook: "
            "feature_distance(features, target).",
        **NO_GRADIENT,
        "not summed":
            "There are still several numbers, and a gradient is taken of one: sum the squares "
            "over all axes, .sum().",
        "root of the distance":
            "This is the root of what is asked for: ‖φ − φ₀‖² / ‖φ₀‖² has squares above and "
            "below.",
        "norm instead of squared norm":
            "The difference's norm is not squared. Above stands ‖φ − φ₀‖², the sum of the squared "
            "differences.",
        "absolute differences instead of squares":
            "The differences were taken without their signs, and should be squared: "
            "(features - target) ** 2.",
        "added before the square":
            "The differences were summed first, so plus and minus cancel. Square each, then sum.",
        "squares subtracted":
            "This is the difference of two squared norms. The features may be as long as the "
            "target and quite other: subtract first, then square.",
        "sum instead of difference":
            "The target was added to the features, and should be subtracted.",
        "target left out":
            "What is measured is the features alone. Subtract the target first: "
            "(features - target) ** 2.",
        "largest difference only":
            "The largest difference alone counts here. Sum the squares of all.",
        "mean instead of the sum":
            "Above stands a mean. With a mean above and a sum below, the distance is smaller by "
            "the number of values: take the sum twice.",
        "halved":
            "This is half of the distance. There is no 1/2 in ‖φ − φ₀‖² / ‖φ₀‖².",
        "not divided by the target":
            "It is not divided by ‖φ₀‖², the sum of the target's squares. Without it, a prior "
            "that is right for one layer is off by orders of magnitude for the next.",
        "divided by the number of values":
            "It is divided by the number of values, as a mean is, and should be by the sum of the "
            "target's squares, ‖φ₀‖².",
        "divided by the target's norm":
            "It is divided by the target's norm, which should be squared: ‖φ₀‖² is the sum of the "
            "target's squares.",
        "divided by the target's mean square":
            "Below stands a mean, above a sum. Take the sum of the target's squares.",
        "divided by the target's sum":
            "It is divided by the sum of the target's values, and should be by the sum of their "
            "squares.",
        "divided by the target's largest value":
            "It is divided by the target's largest value, and should be by the sum of the "
            "target's squares.",
        "divided by the target's variance":
            "It is divided by the target's variance, from which its mean is taken off. Take the "
            "sum of the target's squares.",
        "divided by the current features":
            "It is divided by the current features, which change from step to step. Divide by the "
            "target's squares, which stay.",
        CONSTANT:
            "A constant is added below, or the least that may stand there, and it is so large "
            "that the distance changes. 1e-8 is enough against 0 / 0.",
        "divided by both":
            "It is divided by the squares of features and target together. Divide by the "
            "target's alone.",
        "divided value by value":
            "Each difference is divided by its own target, so weak values decide, and those that "
            "are 0 are lost. Sum first, above and below, then divide once.",
        **ANOTHER_DTYPE,
    },
    row={
        "signature": "feature_distance(features, target)",
        "shapes": "features and target (1, C, h, w), or (1, K) → a number, a tensor without axes",
        "gives": "a number from which a gradient flows to features; the target is a constant; "
                 "both stay as they were",
        "formula": "‖features − target‖² / ‖target‖², sums over all values",
        "defaults": "none",
        "units": "parts of the target's squared norm: 0 where both are alike, 1 for features 0; a "
                 "constant up to 1e-6 in the divisor is right",
    })
