"""The check of `compute_saliency_maps`: what is tried, and what is said about known mistakes."""

import re

import torch

from ..distance import relative_l2
from ..engine import Case, Exercise
from ..fixtures import specimens, tiny_images, tiny_net


def maps(function, X, y, model):
    return {"result": function(X, y, model)}


def images_for(n, height, width, seed, labels, old_gradient=False):
    """Pictures, labels that are mostly wrong, and a tiny network; X may hold an old gradient."""
    def build(device, dtype):
        X = tiny_images(n, height, width, device, dtype, seed)
        if old_gradient:
            X.requires_grad_().grad = tiny_images(n, height, width, device, dtype, seed + 1)
        return {"X": X, "y": torch.tensor(labels, device=device), "model": tiny_net(device, dtype)}
    return build


def number_of_images(function, outcomes):
    """Two mistakes told by the cases that do not fit, in whatever way the code then fails."""
    three, one, five = (fits(outcomes[case.name], case) for case in SALIENCY.cases[:3])
    if (three, one, five) == (False, False, True):
        return "hard-coded batch axis"
    if (three, one, five) == (True, False, True):
        return "squeezed batch axis"
    return None


def fits(outcome, case):
    """Has the result the shape of a map for each image? None where something else went wrong."""
    if outcome.error:
        said = isinstance(outcome.error, (RuntimeError, IndexError, ValueError)) and re.search(
            r"shape|size|dimension|index|indices", str(outcome.error), re.IGNORECASE)
        return False if said else None
    n, _, height, width = case.build("cpu", case.dtype)["X"].shape
    result = outcome.outputs["result"]
    return result.shape == (n, height, width) if torch.is_tensor(result) else None


SALIENCY = Exercise(
    name="compute_saliency_maps", notebook="03_saliency",
    cases=[
        Case("three images", images_for(3, 10, 7, 73, [2, 3, 0]), maps),
        Case("one image in float64", images_for(1, 6, 9, 65, [2]), maps, torch.float64),
        Case("five images with old gradients",
             images_for(5, 7, 6, 53, [1, 1, 0, 2, 3], old_gradient=True), maps),
        Case("two specimens", lambda *where: specimens([3, 100], *where), maps,
             tolerance=1e-2, distance=relative_l2, fingerprints=False),
    ],
    mistakes={
        "no absolute value":
            "The absolute value is missing: a strong negative gradient matters as much as a "
            "positive one. Take gradient.abs() before the maximum over the colours.",
        "absolute value after the maximum":
            "The absolute value comes too late: the maximum has already preferred a weak positive "
            "colour to a strong negative one. First abs, then the maximum.",
        "mean over channels":
            "This is the mean over the colours; the map is the maximum over them.",
        "sum over channels":
            "This is the sum over the colours; the map is the maximum over them.",
        "length over channels":
            "This is the length (L2 norm) over the colours; the map is the maximum over them.",
        "cross-entropy instead of the score":
            "This is the gradient of the cross-entropy loss, which nearly vanishes where the "
            "network is sure. Take the raw score of class y, before any softmax or loss.",
        "log-probability instead of the score":
            "This is the gradient of the log-probability, which mixes in the rival classes. Take "
            "the raw score of class y, before any softmax.",
        "probability instead of the score":
            "This is the gradient of the probability, which vanishes where the softmax is "
            "saturated. Take the raw score of class y, before any softmax.",
        "mean over the batch":
            "Every map is N times too small: the scores were averaged over the batch. Take their "
            "sum; each image still gets its own gradient, since it influences its own score only.",
        "sum of all scores":
            "This is the gradient of all the scores together. Pick the score of class y for each "
            "image, for example with scores.gather(1, y.view(-1, 1)).",
        "scores[:, y]":
            "scores[:, y] is N × N: every image is asked for the classes of all the others. Pick "
            "one score per row: scores.gather(1, y.view(-1, 1)) or scores[torch.arange(N), y].",
        "predicted class instead of y":
            "This is the map of the class that the network predicts. Ask for y, even where the "
            "network disagrees with it.",
        "hard-coded batch axis":
            "The number of images is written into the code, so only batches of five work. Take it "
            "from X.shape[0].",
        "squeezed batch axis":
            "squeeze() drops the batch axis when there is one image. Name the axis that should "
            "go, for example amax(dim=1) or squeeze(1), and one image gives (1, H, W).",
        "gradient left from an earlier call":
            "X.grad held a gradient from before, and backward() adds to it. Use "
            "torch.autograd.grad(score, X), or start from a copy: X.detach().requires_grad_().",
        "rescaled to its maximum":
            "The maps are rescaled so that the largest value is 1. Return the values as they are; "
            "the picture can be scaled when it is shown.",
    },
    recognise=number_of_images,
    row={
        "signature": "compute_saliency_maps(X, y, model)",
        "shapes": "X (N, 3, H, W), y (N,) → (N, H, W)",
        "gives": "a new tensor, like X in dtype and device; X and the network stay as they were",
        "formula": "max over c of \\|∂S_y(X)/∂X_c\\|, S_y the raw score of class y",
        "defaults": "none",
        "units": "score per full range of brightness; X in [0, 1]",
    })
