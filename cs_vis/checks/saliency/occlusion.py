"""The check of `occlusion_map`: what is tried, and what is said about known mistakes."""

import torch

from ..engine import Case, Exercise
from ..fixtures import specimens, tiny_images, tiny_net


def heat(function, image, y, model, **options):
    return {"result": function(image, y, model, **options)}


def picture_for(height, width, seed, y, color=None, **options):
    def build(device, dtype):
        fill = {} if color is None else {"fill": torch.tensor(color, device=device, dtype=dtype)}
        return {"image": tiny_images(1, height, width, device, dtype, seed), "y": y,
                "model": tiny_net(device, dtype), **options, **fill}
    return build


def one_specimen(device, dtype):
    inputs = specimens([100], device, dtype)
    return {"image": inputs["X"], "y": int(inputs["y"]), "model": inputs["model"],
            "patch": 48, "stride": 30}


OCCLUSION = Exercise(
    name="occlusion_map", notebook="03_saliency",
    cases=[
        Case("small windows", picture_for(11, 9, 81, 1, patch=4, stride=3), heat),
        Case("a fill in float64", picture_for(10, 13, 82, 3, (0.125, 0.75, 0.875), patch=4,
                                              stride=3), heat, torch.float64),
        Case("the defaults", picture_for(40, 50, 83, 0), heat),
        Case("a specimen", one_specimen, heat, tolerance=1e-3, fingerprints=False),
    ],
    mistakes={
        "no flush window":
            "The last window is missing where the steps do not end at the border. Add one more "
            "that is flush with it, at H - patch or W - patch.",
        "last window twice":
            "The flush window is added even where the steps end at the border already, so it "
            "counts twice. Add it only where the last step is not H - patch or W - patch.",
        "black patch":
            "The patch is black (0). Paint it in the colour fill, by default model.mean_color: "
            "a black square is a thing that the network can see.",
        "grey patch":
            "The patch is mid-grey (0.5). Paint it in the colour fill, by default "
            "model.mean_color.",
        "fill ignored":
            "The patch always has the colour model.mean_color. That is only the default: where "
            "fill is given, paint with it.",
        "predicted class instead of y":
            "This is the probability of the class that the network predicts. Ask for class y.",
        "score instead of the probability":
            "These are raw scores. Take the softmax over the classes, then entry y.",
        "log-probability instead of the probability":
            "These are logarithms of probabilities. Use softmax, not log_softmax.",
        "drop instead of the probability":
            "This is by how much the probability drops. Return what is left: the probability of y "
            "with the patch in place.",
        "off by one in position":
            "Every window lies one pixel too far right and down. The first one begins at row 0, "
            "column 0.",
        "windows centred on their position":
            "The windows are centred on the steps. They begin there: rows top to top + patch.",
        "patch one pixel too large":
            "The patch is one pixel too large: a slice ends before its last index, so "
            "top:top + patch is right.",
        "patch not restored":
            "The patches pile up: each is painted on the picture with all earlier ones. Start "
            "every window from a fresh copy, image.clone().",
        "rows and columns swapped":
            "Rows and columns are swapped. Rows of the map go down the picture (H), columns go "
            "across (W).",
    },
    row={
        "signature": "occlusion_map(image, y, model, patch=32, stride=16, fill=None)",
        "shapes": "image (1, 3, H, W), y int, fill (3,) → (rows, cols)",
        "gives": "a new tensor, like image in dtype and device; image stays as it was",
        "formula": "softmax probability of y with the patch at (top, left); tops are 0, stride, "
                   "2·stride, … and H − patch; lefts likewise",
        "defaults": "patch 32, stride 16, fill model.mean_color",
        "units": "pixels; probability in [0, 1]; fill in [0, 1]",
    })
