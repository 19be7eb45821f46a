"""The check of `segment_by_saliency`: what is tried, and what is said about known mistakes."""

import re

import torch

from ..distance import share_that_differs
from ..exercise import Case, Exercise, Trap
from .gallery import mask_of, pictures
from .scenes import SCENES, mosaic


def mask(function, image, saliency):
    return {"result": function(image, saliency)}


def cutting(name, inputs, tolerance=0.01, **options):
    return Case(name, inputs, mask, tolerance=tolerance, distance=share_that_differs, **options)


def scene(draw, options):
    return lambda numbers: dict(zip(("image", "saliency"), draw(numbers, **options)))


def pointed_at_elsewhere(numbers):
    """The first picture again, with the map of another."""
    image, _ = mosaic(numbers, 2130)
    return {"image": image, "saliency": mosaic(numbers, 6960)[1]}


def specimen_to_cut(numbers):
    """A gallery picture and a grainy map that is brighter on the object."""
    image, _ = pictures([100])
    grain = numbers(128, 128, seed=5)
    return {"image": image, "saliency": grain * (0.3 + mask_of(100))}


FIRST, ELSEWHERE = next(iter(SCENES)), "the same picture, pointed at elsewhere"


def saliency_unused(observed, inputs):
    """The same mask for two maps of one picture: the map given was not looked at.

    Nothing at all, or everything, has other causes.
    """
    one, other = (observed.outcomes[name].outputs.get("result") for name in (FIRST, ELSEWHERE))
    if not (torch.is_tensor(one) and torch.is_tensor(other)):
        return ()
    if torch.equal(one, other) and one.any() and not one.all():
        return ("saliency from the wrong image",)
    return ()


SEGMENT = Exercise(
    name="segment_by_saliency", notebook="03_saliency", parameters=("image", "saliency"),
    recognise=saliency_unused,
    cases=(
        *(cutting(name, scene(draw, options)) for name, (draw, options) in SCENES.items()),
        cutting(ELSEWHERE, pointed_at_elsewhere),
        cutting("a specimen", specimen_to_cut, tolerance=0.05, tiny=False),
    ),
    traps=(
        Trap("float32 only", FIRST, dtype=torch.float64),
    ),
    mistakes={
        "parameters in another order":
            "The parameters stand in another order than in the notebook: "
            "segment_by_saliency(image, saliency).",
        "saliency from the wrong image":
            "The mask stays the same when the saliency changes. Use the argument `saliency`, not "
            "the picture itself or a map from another cell.",
        "picture not scaled to 255":
            "The picture is all black as bytes: values in [0, 1] were cut to whole numbers. "
            "Multiply by 255 before you convert to uint8.",
        "picture not 8-bit RGB":
            "GrabCut takes a picture (H, W, 3) of uint8: image[0].permute(1, 2, 0), times 255, "
            "rounded, as bytes, in NumPy.",
        "not converted to Lab":
            "GrabCut ran on RGB. Convert the picture first: cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).",
        "BGR and RGB mixed":
            "Red and blue are swapped: the picture is RGB, so convert with cv2.COLOR_RGB2LAB.",
        "another colour space than Lab":
            "The picture was converted to another colour space. The recipe says Lab: "
            "cv2.COLOR_RGB2LAB.",
        "saliency not smoothed":
            "The saliency was not smoothed, so the seeds are scattered grains. Blur it first, "
            "cv2.GaussianBlur(saliency, (0, 0), 3), and take the quantiles of the blurred map.",
        "another blur":
            "The map was blurred, but not by a Gaussian of sigma 3: cv2.GaussianBlur(saliency, "
            "(0, 0), 3).",
        "quantiles of the unblurred map":
            "The quantiles are those of the map before the blur. Take those of the blurred map.",
        "parts of the maximum instead of quantiles":
            "The thresholds are parts of the largest value. Take quantiles of the blurred map, "
            "np.quantile(blurred, [0.30, 0.70, 0.95]), which do not hang on one extreme pixel.",
        "parts of the range instead of quantiles":
            "The thresholds are parts of the way from the smallest value to the largest. Take "
            "quantiles of the blurred map, np.quantile(blurred, [0.30, 0.70, 0.95]).",
        "low quantile off":
            "What is surely background is not the lowest 30 %: the quantile is 0.30.",
        "middle quantile off":
            "What is probably foreground does not begin at the 70 % quantile.",
        "high quantile off":
            "What is surely foreground is not the highest 5 %: the quantile is 0.95.",
        "thresholds swapped":
            "Foreground and background seeds are swapped: the pixels of highest saliency are "
            "surely foreground, those of lowest saliency surely background.",
        "no sure background":
            "Nothing is surely background. The lowest 30 % are: cv2.GC_BGD.",
        "no sure foreground":
            "Nothing is surely foreground. The highest 5 % are: cv2.GC_FGD.",
        "no probable foreground":
            "Nothing is probably foreground to begin with. What lies between the 70 % and the "
            "95 % quantile is: cv2.GC_PR_FGD.",
        "no probable background":
            "Nothing is probably background to begin with. What lies between the 30 % and the "
            "70 % quantile is: cv2.GC_PR_BGD.",
        "labels not 8-bit":
            "GrabCut takes labels of uint8, (H, W), and no others: labels.astype(np.uint8).",
        "another number of rounds":
            "GrabCut did not run five rounds. The call is given: grab_cut(lab, labels).",
        "GrabCut's answer not used":
            "This is the mask from before GrabCut. It writes its answer into the labels: build "
            "the mask from those afterwards.",
        "probable label dropped":
            "Only the sure foreground is returned. GrabCut marks what it found as probably "
            "foreground (cv2.GC_PR_FGD), which belongs to the mask as well.",
        "sure label dropped":
            "Only the probable foreground is returned. The seeds that were surely foreground "
            "(cv2.GC_FGD) belong to the mask as well.",
        "background instead of foreground":
            "This is the background. The mask should be True where the label is cv2.GC_FGD or "
            "cv2.GC_PR_FGD.",
        "float32 only":
            "It fails or changes with float64 inputs: take the dtype as it comes.",
    },
    errors={
        "labels not 8-bit": re.compile(r"mask must have CV_8UC1|[Ll]ayout of the output array mask|"
                                       r"mask\.type\(\) == CV_8UC1|mask is not a numpy array"),
        "picture not 8-bit RGB": re.compile(r"image must have CV_8UC3|CvtHelper|"
                                            r"(img|src) is not a numpy array|image\.type\(\)"),
    },
    row={
        "signature": "segment_by_saliency(image, saliency)",
        "shapes": "image (1, 3, H, W), saliency (H, W) → bool (H, W)",
        "gives": "a new bool tensor on the device of image; both inputs stay as they were",
        "formula": "saliency blurred, sigma 3; at or above its 95 % quantile surely foreground, "
                   "at or below 30 % surely background, the rest above 70 % probably foreground, "
                   "else probably background; five rounds of GrabCut on the picture as 8-bit Lab; "
                   "surely or probably foreground afterwards",
        "defaults": "none",
        "units": "sigma in pixels; image in [0, 1]; saliency in any",
    })
