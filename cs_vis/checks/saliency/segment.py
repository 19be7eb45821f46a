"""The check of `segment_by_saliency`: what is tried, and what is said about known mistakes."""

import torch

from ...methods.saliency import backprop
from ..distance import share_that_differs
from ..engine import Case, Exercise
from ..fixtures import specimens, tiny_scene


def mask(function, image, saliency):
    return {"result": function(image, saliency)}


def cutting(name, build, tolerance=0.01, **options):
    return Case(name, build, mask, tolerance=tolerance, distance=share_that_differs, **options)


def scene(colors_seed, pointed_at):
    return lambda device, dtype: dict(zip(("image", "saliency"), tiny_scene(
        colors_seed, pointed_at, device, dtype)))


def specimen_to_cut(device, dtype):
    inputs = specimens([100], device, dtype)
    gradient = backprop(inputs["model"], inputs["X"], inputs["y"])
    return {"image": inputs["X"], "saliency": gradient.abs().amax(dim=1)[0]}


def saliency_unused(function, outcomes):
    """The same mask for two maps of one picture: the map given was not looked at.

    Nothing at all, or everything, has other causes.
    """
    one, other = (outcomes[name].outputs.get("result") for name in ("a ring", "the same picture, "
                                                                    "pointed at elsewhere"))
    if not (torch.is_tensor(one) and torch.is_tensor(other)):
        return None
    if torch.equal(one, other) and one.any() and not one.all():
        return "saliency from the wrong image"
    return None


SEGMENT = Exercise(
    name="segment_by_saliency", notebook="03_saliency",
    cases=[
        cutting("a ring", scene(1410, (1, 0.6, 0.25, 0.15))),
        cutting("the same picture, pointed at elsewhere", scene(1410, (0.15, 0.15, 0.2, 1)),
                dtype=torch.float64),
        cutting("another picture", scene(1210, (1, 0.6, 0.25, 0.15))),
        cutting("a specimen", specimen_to_cut, tolerance=0.05, fingerprints=False),
    ],
    mistakes={
        "thresholds swapped":
            "Foreground and background seeds are swapped: the pixels of highest saliency are "
            "surely foreground, those of lowest saliency surely background.",
        "saliency not smoothed":
            "The saliency was not smoothed, so the seeds are scattered grains. Blur it first, "
            "cv2.GaussianBlur(saliency, (0, 0), 3), and take the quantiles of the blurred map.",
        "saliency from the wrong image":
            "The mask stays the same when the saliency changes. Use the argument `saliency`, not "
            "the picture itself or a map from another cell.",
        "BGR and RGB mixed":
            "Red and blue are swapped: the picture is RGB, so convert with cv2.COLOR_RGB2LAB.",
        "not converted to Lab":
            "GrabCut ran on RGB. Convert the picture first: cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).",
        "probable label dropped":
            "Only the sure foreground is returned. GrabCut marks what it found as probably "
            "foreground (cv2.GC_PR_FGD), which belongs to the mask as well.",
        "background instead of foreground":
            "This is the background. The mask should be True where the label is cv2.GC_FGD or "
            "cv2.GC_PR_FGD.",
        "picture not scaled to 255":
            "The picture is all black as bytes: values in [0, 1] were cut to whole numbers. "
            "Multiply by 255 before you convert to uint8.",
        "parts of the maximum instead of quantiles":
            "The thresholds are parts of the largest value. Take quantiles of the blurred map, "
            "np.quantile(blurred, [0.30, 0.70, 0.95]), which do not hang on one extreme pixel.",
        "GrabCut's answer not used":
            "This is the mask from before GrabCut. It writes its answer into the labels: build "
            "the mask from those afterwards.",
    },
    recognise=saliency_unused,
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
