"""The check of `occlusion_map`: what is tried, and what is said about known mistakes."""

import re

import torch

from ..exercise import Case, Exercise, Trap
from ..fixtures import picture, tiny_weights
from ..inputs import Network
from .gallery import pictures

OPTIONS = ("patch", "stride", "fill")


def heat(function, image, y, model, **options):
    """By position, as the notebook calls it; options that are not given keep their defaults."""
    return {"result": function(image, y, model, *(options[name] for name in OPTIONS
                                                  if name in options))}


def picture_for(height, width, seed, y, **options):
    def inputs(numbers):
        filled = {name: torch.tensor(value, dtype=torch.float64) if name == "fill" else value
                  for name, value in options.items()}
        return {"image": picture(numbers, 1, height, width, seed), "y": y,
                "model": Network("tiny", tiny_weights(numbers)), **filled}
    return inputs


def one_specimen(numbers):
    image, label = pictures([100])
    return {"image": image, "y": int(label), "model": Network("specimens"), "patch": 64,
            "stride": 48}


def guarded(inputs):
    return {**inputs, "model": inputs["model"]._replace(guarded=True)}


SMALL, FILLED = "small windows", "a fill"
OCCLUSION = Exercise(
    name="occlusion_map", notebook="03_saliency",
    parameters=("image", "y", "model", "patch", "stride", "fill"),
    cases=(
        Case(SMALL, picture_for(11, 9, 81, 1, patch=4, stride=3), heat),
        Case(FILLED, picture_for(10, 13, 82, 3, patch=4, stride=3, fill=(0.125, 0.75, 0.875)),
             heat),
        Case("one row of windows", picture_for(5, 11, 85, 2, patch=5, stride=3), heat),
        Case("steps wider than the patch", picture_for(12, 15, 86, 0, patch=2, stride=5,
                                                        fill=(0.875, 0.25, 0.0625)), heat),
        Case("the defaults", picture_for(40, 52, 83, 0), heat),
        Case("a specimen", one_specimen, heat, tolerance=1e-3, tiny=False),
    ),
    traps=(
        Trap("another dtype than the picture's", FILLED, dtype=torch.float64),
        Trap("train mode while it runs", SMALL, guarded, unless=("model switched to train mode",)),
    ),
    mistakes={
        "parameters in another order":
            "The parameters stand in another order than in the notebook: occlusion_map(image, y, "
            "model, patch, stride, fill).",
        "score instead of the probability":
            "These are raw scores. Take the softmax over the classes, then entry y.",
        "log-probability instead of the probability":
            "These are logarithms of probabilities. Use softmax, not log_softmax.",
        "softmax of the softmax":
            "The softmax was taken twice. Once makes probabilities of the scores.",
        "largest probability instead of y's":
            "This is the largest probability, whatever its class. Take entry y.",
        "drop instead of the probability":
            "This is by how much the probability drops. Return what is left: the probability of y "
            "with the patch in place.",
        "share of the whole picture's probability":
            "This is divided by the probability on the whole picture. Return the probability of y "
            "with the patch in place.",
        "one minus the probability":
            "This is 1 minus the probability. Return the probability of y itself.",
        "predicted class instead of y":
            "This is the probability of the class that the network predicts. Ask for class y.",
        "black patch":
            "The patch is black (0). Paint it in the colour fill, by default model.mean_color: "
            "a black square is a thing that the network can see.",
        "grey patch":
            "The patch is mid-grey (0.5). Paint it in the colour fill, by default "
            "model.mean_color.",
        "white patch":
            "The patch is white (1). Paint it in the colour fill, by default model.mean_color.",
        "the picture's own mean colour":
            "The patch has the mean colour of this picture. Paint it in the colour fill, by "
            "default model.mean_color.",
        "one grey for all colours":
            "The patch has one value for all three colours. fill has one for each: "
            "fill.view(3, 1, 1).",
        "fill's colours in another order":
            "The patch's colours are in another order: fill[0] is red, as image[:, 0] is.",
        "fill ignored":
            "The patch always has the colour model.mean_color. That is only the default: where "
            "fill is given, paint with it.",
        "one colour painted only":
            "Only one colour channel is covered. The patch covers all three.",
        "no flush window":
            "The last window is missing where the steps do not end at the border. Add one more "
            "that is flush with it, at H - patch or W - patch.",
        "last window twice":
            "The flush window is added even where the steps end at the border already, so it "
            "counts twice. Add it only where the last step is not H - patch or W - patch.",
        "window over the border":
            "The last window hangs over the border. It should be flush with it, at H - patch or "
            "W - patch.",
        "last window missing":
            "The last window is missing even where the steps end at the border: range() ends "
            "before its stop, so the stop is H - patch + 1.",
        "flush window in one direction only":
            "The flush window is there in one direction only. Rows and columns both need it.",
        "patch and stride swapped":
            "patch and stride are swapped: windows are patch pixels wide and step by stride.",
        "off by one in position":
            "Every window lies one pixel too far right and down. The first one begins at row 0, "
            "column 0.",
        "windows centred on their position":
            "The windows are centred on the steps. They begin there: rows top to top + patch.",
        "patch one pixel too large":
            "The patch is one pixel too large: a slice ends before its last index, so "
            "top:top + patch is right.",
        "patch one pixel too small":
            "The patch is one pixel too small: a slice ends before its last index, so "
            "top:top + patch is right.",
        "patch not restored":
            "The patches pile up: each is painted on the picture with all earlier ones. Start "
            "every window from a fresh copy, image.clone().",
        "all but the patch covered":
            "Everything but the window is covered. Cover the window, and leave the rest.",
        "rows and columns swapped":
            "Rows and columns are swapped. Rows of the map go down the picture (H), columns go "
            "across (W).",
        "another dtype than the picture's":
            "With a float64 picture the map should be float64: use image.new_zeros(rows, cols), "
            "or dtype=image.dtype.",
        "train mode while it runs":
            "The network ran in train mode, where dropout and batch norm change the scores. Leave "
            "its mode alone.",
    },
    errors={"window over the border":
            re.compile(r"expanded size of the tensor \(\d+\) must match")},
    row={
        "signature": "occlusion_map(image, y, model, patch=32, stride=16, fill=None)",
        "shapes": "image (1, 3, H, W), y int, fill (3,) → (rows, cols)",
        "gives": "a new tensor, like image in dtype and device; image stays as it was",
        "formula": "softmax probability of y with the patch at (top, left); tops are 0, stride, "
                   "2·stride, … and H − patch; lefts likewise",
        "defaults": "patch 32, stride 16, fill model.mean_color",
        "units": "pixels; probability in [0, 1]; fill in [0, 1]",
    })
