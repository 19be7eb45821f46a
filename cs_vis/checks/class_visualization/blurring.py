"""The check of `blur`: what is tried, and what is said about known mistakes."""

import re

import torch

from ..exercise import Case, Exercise, Trap
from ..fixtures import picture


def blurred(function, img, sigma):
    return {"result": function(img, sigma)}


def difference(function, img, sigma):
    """By how much the result is off from img, although that is written over afterwards."""
    own = img.detach().clone()
    result = function(own, sigma)
    own += 1
    fits = torch.is_tensor(result) and result.shape == img.shape
    return {"result": result - img if fits else result}


def pictures(n, height, width, seed, sigma):
    """Brighter on one side, so that the borders count."""
    def inputs(numbers):
        slope = torch.linspace(0, 2, width, dtype=torch.float64)
        return {"img": 2 * picture(numbers, n, height, width, seed) - 1 + slope, "sigma": sigma}
    return inputs


def unblurred(inputs):
    return {**inputs, "sigma": 0}


def point(numbers):
    """One bright pixel, far from the border: what comes of it is the kernel itself."""
    img = torch.zeros(1, 3, 2 * MIDDLE + 1, 2 * MIDDLE + 1, dtype=torch.float64)
    img[..., MIDDLE, MIDDLE] = 1
    return {"img": img, "sigma": 1.4}


def kernel_of(observed, inputs):
    """Its reach and its sum, where it is a kernel in both directions and used once."""
    result = observed.outcomes[POINT].outputs.get("result")
    if not torch.is_tensor(result) or result.shape != inputs[POINT]["img"].shape:
        return ()
    rows, cols = ((result != 0).any(dim=0).any(dim=0).any(dim=axis).sum().item()
                  for axis in (1, 0))
    total = result.double().sum().item() / 3
    names = []
    if 1 < rows == cols < 2 * MIDDLE + 1 and rows != 2 * REACH + 1:
        names.append("kernel too short" if rows < 2 * REACH + 1 else "kernel too long")
    if 1e-4 < abs(total - 1) < 0.02:
        names.append("kernel divided by another number than its sum")
    return tuple(names)


REACH, MIDDLE = 5, 8  # pixels: of the kernel around the point, and of the picture
FIRST, POINT = "two pictures, sigma 0.75", "one bright pixel, sigma 1.4"
BLUR = Exercise(
    name="blur", notebook="05_class_visualization", parameters=("img", "sigma"),
    recognise=kernel_of,
    cases=(
        Case(FIRST, pictures(2, 4, 6, 31, 0.75), blurred),
        Case("one picture, sigma 1.5", pictures(1, 7, 5, 32, 1.5), blurred),
        Case("one picture, sigma 2.25", pictures(1, 5, 8, 33, 2.25), blurred),
        Case("one picture, sigma 0.5", pictures(1, 4, 5, 34, 0.5), blurred),
        Case(POINT, point, blurred),
    ),
    traps=(
        Trap("sigma 0", FIRST, unblurred, torch.zeros_like, call=difference,
             unless=("input changed",)),
        Trap("another dtype than img's", FIRST, dtype=torch.float64),
    ),
    mistakes={
        "parameters in another order":
            "The parameters stand in another order than in the notebook: blur(img, sigma).",
        "sigma taken for the variance":
            "The bell is exp(-k² / (2 sigma)): sigma was not squared. It is "
            "exp(-k² / (2 sigma²)).",
        "2 missing in the exponent":
            "The bell is too narrow: the 2 is missing in exp(-k² / (2 sigma²)).",
        "root of the Gaussian":
            "The bell is too wide: it falls like exp(-k² / (4 sigma²)) and should like "
            "exp(-k² / (2 sigma²)).",
        "kernel not normalised":
            "The picture becomes brighter or darker: the kernel's values should sum to 1. Divide "
            "it by kernel.sum().",
        "kernel divided by another number than its sum":
            "The kernel was divided by sigma times the root of 2π, which is the area of the whole "
            "bell and not the sum of these few values. Divide by kernel.sum().",
        "kernel too short":
            "The kernel is cut too early. It reaches ceil(3 sigma) pixels to each side, so it has "
            "2 * ceil(3 * sigma) + 1 values.",
        "kernel too long":
            "The kernel is longer than agreed. It reaches ceil(3 sigma) pixels to each side, so "
            "it has 2 * ceil(3 * sigma) + 1 values.",
        "box instead of the bell":
            "All pixels count alike. Weigh them by exp(-k² / (2 sigma²)).",
        "zeros beyond the border":
            "The picture fades towards its border, because zeros were added around it. Let the "
            "last pixel go on: F.pad(..., mode=\"replicate\").",
        "mirrored beyond the border":
            "Beyond the border the picture was mirrored. Let the last pixel go on: "
            "F.pad(..., mode=\"replicate\").",
        "the other side beyond the border":
            "Beyond the border the picture begins again from its other side. Let the last pixel "
            "go on: F.pad(..., mode=\"replicate\").",
        "along the rows only":
            "It is blurred along the rows only. Blur down the columns, too.",
        "down the columns only":
            "It is blurred down the columns only. Blur along the rows, too.",
        "blurred twice":
            "It is blurred twice. Once in each direction is right.",
        "colours mixed":
            "The colours run into each other. Blur each by itself: conv2d with groups=3, or with "
            "the colours laid on the first axis.",
        "smaller picture":
            "The picture has become smaller: a convolution without padding loses the border. "
            "Continue it by ceil(3 * sigma) pixels first, F.pad(..., mode=\"replicate\").",
        "sigma 0":
            "With sigma 0 the picture should come back as it is, as a copy. The bell divides by "
            "sigma there, so ask first: if sigma == 0: return img.clone().",
        "another dtype than img's":
            "With a float64 picture the result should be float64: make the kernel in img's dtype, "
            "torch.arange(-r, r + 1, dtype=img.dtype).",
    },
    errors={
        "smaller picture": re.compile(r"Kernel size can't be greater than actual input size"),
        "mirrored beyond the border": re.compile(
            r"Padding size should be less than the corresponding input dimension"),
        "the other side beyond the border": re.compile(
            r"Padding value causes wrapping around more than once"),
    },
    row={
        "signature": "blur(img, sigma)",
        "shapes": "img (N, 3, H, W), sigma a number from 0 → (N, 3, H, W)",
        "gives": "a new tensor, like img in dtype and device, a copy for sigma 0; img stays as it "
                 "was",
        "formula": "each colour convolved down the columns and along the rows with exp(−k² / "
                   "(2 sigma²)) / sum, k = −r … r, r = ceil(3 sigma); beyond the border its last "
                   "pixel goes on",
        "defaults": "none",
        "units": "sigma in pixels",
    })
