"""The check of `alpha_norm`: what is tried, and what is said about known mistakes."""

import torch

from ..exercise import Case, Exercise, Trap
from ..fixtures import picture
from .measuring import (ANOTHER_DTYPE, NO_GRADIENT, finite_alone, in_the_dtype_of_the_value,
                        measured, number_alone)


def normed(function, img, alpha):
    return measured(function, img, alpha)


def in_its_dtype(function, img, alpha):
    return in_the_dtype_of_the_value(function, img, alpha)


def normed_at_0(function, img, alpha):
    """The value and its gradient, NaN taken for 0: a trap tells of those."""
    outputs = measured(function, img, alpha)
    return {name: outputs[name] for name in ("value", "gradient") if name in outputs}


def finite_at_0(function, img, alpha):
    """Where the gradient is NaN or infinite, of the values that are 0."""
    at_0 = img == 0
    return {name: mask & at_0 for name, mask in finite_alone(function, img, alpha).items()}


def around_0(height, width, seed, alpha, scale=1.0):
    """A picture of both signs, brighter than 0 on the whole."""
    def inputs(numbers):
        return {"img": scale * (2 * picture(numbers, 1, height, width, seed) - 0.75),
                "alpha": alpha}
    return inputs


def with_zeros(inputs):
    """Some values are exactly 0; a square's power has no slope there for alpha below 2."""
    img = inputs["img"].clone()
    img[..., 0, :2] = 0
    return {**inputs, "img": img, "alpha": 1.5}


def zeros_too(numbers):
    return {**with_zeros(around_0(2, 6, 63, 1)(numbers)), "alpha": 1}


def recognise(observed, inputs):
    """A plain number, or a power that negative values have not."""
    fraction = observed.outcomes.get(FRACTION)
    value = fraction.outputs.get("value") if fraction else None
    nan = torch.is_tensor(value) and value.isnan().any()
    return ("no absolute value",) if nan else number_alone(observed, inputs)


FIRST, FRACTION = "alpha 3", "alpha 2.5"
NAN = "NaN where values are 0"
ALPHA = Exercise(
    name="alpha_norm", notebook="06_feature_inversion", parameters=("img", "alpha"),
    recognise=recognise,
    cases=(
        Case(FIRST, around_0(3, 5, 61, 3), normed),
        Case("alpha 6", around_0(4, 3, 62, 6.0, scale=1.5), normed),
        Case("zeros and alpha 1", zeros_too, normed_at_0),
        Case(FRACTION, around_0(5, 4, 64, 2.5, scale=2.0), normed, tiny=False),
    ),
    traps=(
        Trap(NAN, FIRST, with_zeros, torch.zeros_like, call=finite_at_0,
             unless=("alpha over 2", "one over alpha")),
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
        NAN:
            "The value is finite, the gradient is NaN or infinite wherever img is 0: a root, a "
            "logarithm or a power below 1 has no slope there. Raise absolute values: "
            "img.abs() ** alpha.",
        **ANOTHER_DTYPE,
    },
    row={
        "signature": "alpha_norm(img, alpha)",
        "shapes": "img (1, 3, H, W) around 0, alpha from 1 → a number, a tensor without axes",
        "gives": "a number from which a gradient flows to img, 0 where img is 0; img stays as it "
                 "was",
        "formula": "Σ \\|x\\|^alpha over pixels and colours, without a root",
        "defaults": "none",
        "units": "those of img to the power alpha",
    })
