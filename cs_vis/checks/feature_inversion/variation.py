"""The check of `total_variation`: what is tried, and what is said about known mistakes."""

import re

import torch

from ..exercise import Case, Exercise, Trap
from ..fixtures import picture
from .measuring import (ANOTHER_DTYPE, NO_GRADIENT, finite_alone, in_the_dtype_of_the_value,
                        measured, number_alone)


def varied(function, img, beta):
    return measured(function, img, beta)


def in_its_dtype(function, img, beta):
    return in_the_dtype_of_the_value(function, img, beta)


def finite(function, img, beta):
    return finite_alone(function, img, beta)


def one_plus(function, img, beta):
    """1 plus twice a pixel's value, everywhere: nothing but ones where nothing varies."""
    outputs = measured(function, img, beta)
    if "gradient" not in outputs:
        return outputs
    return {"gradient": torch.ones_like(img) + 2 * outputs["value"].detach().sum() / img.numel()}


def one_plus_slope(function, img, beta):
    """1 plus the gradient where it is finite."""
    outputs = measured(function, img, beta)
    return {"gradient": 1 + outputs["gradient"]} if "gradient" in outputs else outputs


def noise(height, width, seed, beta, scale=1.0):
    """No neighbours are equal but beyond the border."""
    def inputs(numbers):
        return {"img": scale * picture(numbers, 1, height, width, seed), "beta": beta}
    return inputs


def patches(height, width, seed, beta):
    """A flat picture around some strong noise: most neighbours are equal."""
    def inputs(numbers):
        img = torch.full((1, 3, height, width), 0.25, dtype=torch.float64)
        img[..., 2:4, 2:5] = 4 * picture(numbers, 1, 2, 3, seed)
        return {"img": img, "beta": beta}
    return inputs


def below_1(inputs):
    """Here the power's slope at 0 is infinite even after a root's that is 0."""
    return {**inputs, "beta": 0.5}


def black(inputs):
    """Nothing varies here, whatever is called variation."""
    return {**inputs, "img": torch.zeros_like(inputs["img"])}


EXACT = 5e-4  # so that a constant of 1e-8 under the power is right, and one of 1e-7 is none
FIRST, FLAT = "noise with beta 1", "flat patches with beta 1"
LARGE, ONES = "large constant under the power", "flat pixels count 1"
NAN = "NaN where neighbours are equal"
VARIATION = Exercise(
    name="total_variation", notebook="06_feature_inversion", parameters=("img", "beta"),
    recognise=number_alone,
    cases=(
        Case(FIRST, noise(4, 6, 51, 1), varied, tolerance=EXACT),
        Case("stronger noise with beta 2", noise(5, 3, 52, 2, scale=-2.0), varied, tolerance=EXACT),
        Case("noise with beta 3", noise(3, 5, 53, 3.0), varied, tolerance=EXACT),
        Case(FLAT, patches(5, 8, 55, 1), varied, tolerance=EXACT),
        Case("flat patches with beta 1.5", patches(6, 7, 54, 1.5), varied, tolerance=EXACT),
    ),
    traps=(
        Trap(LARGE, FIRST, black, torch.ones_like, call=one_plus,
             unless=("beta over 2 rounded down", ONES)),
        Trap("constant under each square", FIRST, black, torch.ones_like, call=one_plus_slope),
        Trap(NAN, FLAT, below_1, torch.zeros_like, call=finite),
        Trap("another dtype than the input's", FIRST, dtype=torch.float64, call=in_its_dtype,
             unless=(LARGE,)),  # which may be another one in another dtype
    ),
    mistakes={
        "parameters in another order":
            "The parameters stand in another order than in the notebook: "
            "total_variation(img, beta).",
        **NO_GRADIENT,
        "not summed":
            "There are still several numbers, and a gradient is taken of one: sum over pixels and "
            "colours, .sum().",
        "differences between colours":
            "A difference was taken along axis 1, which holds the colours. Neighbours are to the "
            "right, along axis 3, and below, along axis 2.",
        "along the rows only":
            "Only neighbours in a row are compared. Take the differences down the columns, too.",
        "down the columns only":
            "Only neighbours in a column are compared. Take the differences along the rows, too.",
        "trimmed edges":
            "The last row and the last column are left out. A pixel there has a term, too: beyond "
            "the border the difference is 0, so pad the differences, F.pad(img.diff(dim=3), "
            "(0, 1)) and F.pad(img.diff(dim=2), (0, 0, 0, 1)).",
        "the other side beyond the border":
            "The last pixel is compared with the first one of the other side, as torch.roll does. "
            "Beyond the border the difference is 0.",
        "zeros beyond the border":
            "The last pixel is compared with 0, because the picture was padded with zeros. Pad "
            "the differences instead: beyond the border the difference is 0.",
        "mirrored beyond the border":
            "Beyond the border the picture is mirrored, so the last difference counts twice. "
            "Beyond the border the difference is 0.",
        "neighbours two apart":
            "Pixels that are two apart are compared. Neighbours are next to each other.",
        "neighbours before instead of after":
            "Each pixel is compared with those to the left and above. Their sum is another one "
            "unless beta is 2: take those to the right and below.",
        "each direction by itself":
            "The two directions are raised to the power each by itself, so an oblique edge costs "
            "more than a straight one. Add the two squares first, then take the power beta / 2.",
        "absolute differences instead of squares":
            "The differences without their signs were added. Add their squares, and take the "
            "power beta / 2 of that.",
        "added before the square":
            "The two differences were added and then squared, so they may cancel. Square each, "
            "then add.",
        "colours together":
            "The three colours were added before the power. That is published as well, since an "
            "edge is often one in all colours; here each colour has a term of its own.",
        "power of the whole sum":
            "All squares were summed and then the power was taken. Take the power beta / 2 at each "
            "pixel, then sum.",
        "beta instead of beta / 2":
            "The power is beta, and should be beta / 2: what is raised is a sum of squares.",
        "beta over 2 rounded down":
            "The power is beta // 2, which is a whole number. It is beta / 2.",
        "root of both powers":
            "Each difference was raised to beta, and then a root was taken of both. Square the "
            "differences, add the two, and take the power beta / 2 of that.",
        "beta / 2 twice":
            "The power beta / 2 was taken twice. Square the differences, add the two, and take it "
            "once.",
        "beta unused":
            "beta makes no difference. The sum of the two squares is raised to beta / 2.",
        "one over beta":
            "The power is turned over. It is beta / 2.",
        "root of the sum":
            "A root was taken of the sum. There is none: sum the powers and return that.",
        "mean instead of the sum":
            "This is a mean, over pixels or all values. Here it is the sum.",
        "halved":
            "This is half of the sum. There is no 1/2 in the formula.",
        NAN:
            "The value is finite, the gradient is NaN or infinite wherever a pixel equals its "
            "neighbours: the slope of s ** (beta / 2) at s = 0 is infinite for beta below 2. "
            "Add a tiny constant to the sum of squares, such as 1e-8, or take the power only "
            "where it is above 0.",
        ONES:
            "Where nothing varies a term counts 1, and should be 0. What you fill in for the "
            "power's sake has to be taken out again: torch.where(s > 0, power, 0).",
        LARGE:
            "Where nothing varies the sum is not 0: the constant under the power is too large. "
            "1e-8 is enough to keep the gradient finite.",
        "constant under each square":
            "Where nothing varies the gradient should be 0. A constant added to the differences "
            "themselves counts as one: add it to the sum of their squares.",
        "differences of two sizes":
            "The two differences are of two sizes: along the rows one column is missing, down the "
            "columns one row. Beyond the border they are 0, so pad them: F.pad(img.diff(dim=3), "
            "(0, 1)) and F.pad(img.diff(dim=2), (0, 0, 0, 1)).",
        **ANOTHER_DTYPE,
    },
    errors={"differences of two sizes": re.compile(r"must match the size of tensor")},
    row={
        "signature": "total_variation(img, beta)",
        "shapes": "img (1, 3, H, W) of any values, beta above 0 → a number, a tensor without axes",
        "gives": "a number from which a gradient flows to img, finite also where neighbours are "
                 "equal and beta is below 2; img stays as it was",
        "formula": "Σ ((x_{i,j+1} − x_{ij})² + (x_{i+1,j} − x_{ij})²)^(beta/2) over pixels and "
                   "colours; beyond the border a difference is 0",
        "defaults": "none",
        "units": "those of img to the power beta; a constant up to 1e-8 under the power is right",
    })
