"""The check of `alpha_norm`: what is tried, and what is said about known mistakes."""

import torch

from ..exercise import Case, Exercise, Trap
from ..fixtures import picture
from .measuring import (ANOTHER_DTYPE, NO_GRADIENT, in_the_dtype_of_the_value, measured,
                        number_alone)


def normed(function, img, alpha):
    return measured(function, img, alpha)


def in_its_dtype(function, img, alpha):
    return in_the_dtype_of_the_value(function, img, alpha)


def around_0(height, width, seed, alpha, scale=1.0):
    """A picture of both signs, brighter than 0 on the whole."""
    def inputs(numbers):
        return {"img": scale * (2 * picture(numbers, 1, height, width, seed) - 0.75),
                "alpha": alpha}
    return inputs


def recognise(observed, inputs):
    """A plain number, or a power that negative values have not."""
    fraction = observed.outcomes.get(FRACTION)
    value = fraction.outputs.get("value") if fraction else None
    nan = torch.is_tensor(value) and value.isnan().any()
    return ("no absolute value",) if nan else number_alone(observed, inputs)


FIRST, FRACTION = "alpha 3", "alpha 2.5"
ALPHA = Exercise(
    name="alpha_norm", notebook="06_feature_inversion", parameters=("img", "alpha"),
    recognise=recognise,
    cases=(
        Case(FIRST, around_0(3, 5, 61, 3), normed),
        Case("alpha 6", around_0(4, 3, 62, 6.0, scale=1.5), normed),
        Case("alpha 1", around_0(2, 6, 63, 1), normed),
        Case(FRACTION, around_0(5, 4, 64, 2.5, scale=2.0), normed, tiny=False),
    ),
    traps=(
        Trap("another dtype than the input's", FIRST, dtype=torch.float64, call=in_its_dtype),
    ),
    mistakes={
        "parameters in another order":
            "The parameters stand in another order than in the notebook: alpha_norm(img, alpha).",
        **NO_GRADIENT,
        "not summed":
            "There are still several numbers, and a gradient is taken of one: sum over pixels and "
            "colours, .sum().",
        "no absolute value":
            "Values below 0 keep their sign, so with an odd alpha they are rewarded, and with 2.5 "
            "they have no power at all. Take the absolute value first: img.abs() ** alpha.",
        "negative values left out":
            "Only values above 0 count. Take the absolute value: img.abs() ** alpha.",
        "mean of the picture taken off":
            "The picture's mean was taken off first. img comes around 0 already: raise its "
            "absolute values as they are.",
        "0.5 taken off again":
            "0.5 was taken off. img comes around 0 already: raise its absolute values as they "
            "are.",
        "colours together":
            "The three colours were joined to one length before the power. That is published as "
            "well; here each value has a term of its own.",
        "alpha unused":
            "alpha makes no difference. It is the power.",
        "alpha over 2":
            "The power is alpha / 2. It is alpha: the absolute values are raised, not squares.",
        "alpha twice as large":
            "The values were squared and then raised to alpha. Raise their absolute values.",
        "one over alpha":
            "The power is 1 / alpha. It is alpha.",
        "alpha as a factor":
            "The values were multiplied by alpha. It is the power: img.abs() ** alpha.",
        "root of the sum":
            "A root was taken of the sum, as norms have it. Here there is none: large values are "
            "meant to cost as much as they do.",
        "mean instead of the sum":
            "This is a mean, over pixels or all values. Here it is the sum.",
        "largest value only":
            "The largest value alone counts here. Sum over all.",
        "halved":
            "This is half of the sum. There is no 1/2 in the formula.",
        "divided by alpha":
            "It is divided by alpha. That would make a neat gradient, and is not in the formula.",
        **ANOTHER_DTYPE,
    },
    row={
        "signature": "alpha_norm(img, alpha)",
        "shapes": "img (1, 3, H, W) around 0, alpha from 1 → a number, a tensor without axes",
        "gives": "a number from which a gradient flows to img; img stays as it was",
        "formula": "Σ \\|x\\|^alpha over pixels and colours, without a root",
        "defaults": "none",
        "units": "those of img to the power alpha",
    })
