"""The check of `compute_saliency_maps`: what is tried, and what is said about known mistakes."""

import re

import torch

from ..distance import relative_l2
from ..exercise import Case, Exercise, Trap
from ..fixtures import picture, tiny_weights
from ..inputs import Leaf, Network
from .gallery import pictures


def maps(function, X, y, model):
    return {"result": function(X, y, model)}


def five(height, width, seed, labels):
    """Five pictures, labels that are mostly wrong, and a tiny network."""
    return lambda numbers: {"X": picture(numbers, 5, height, width, seed),
                            "y": torch.tensor(labels),
                            "model": Network("tiny", tiny_weights(numbers))}


def two_specimens(numbers):
    X, y = pictures([3, 100])
    return {"X": X, "y": y, "model": Network("specimens")}


def first(n):
    return lambda inputs: {**inputs, "X": inputs["X"][:n], "y": inputs["y"][:n]}


def asking(inputs):
    return {**inputs, "X": Leaf(inputs["X"])}


def with_old_gradient(inputs):
    return {**inputs, "X": Leaf(inputs["X"], grad=inputs["X"].flip(0) - 0.25)}


def guarded(inputs):
    return {**inputs, "model": inputs["model"]._replace(guarded=True)}


FIVE = "five images"
BATCH = ("mean over the batch", "mean of all scores", "cross-entropy instead of the score",
         "scores[:, y]", "first image only", "rescaled over the batch", "joined over another axis")
SALIENCY = Exercise(
    name="compute_saliency_maps", notebook="03_saliency", parameters=("X", "y", "model"),
    cases=(
        Case(FIVE, five(6, 4, 53, [1, 1, 0, 2, 3]), maps),
        Case("five wider ones", five(4, 6, 67, [2, 0, 3, 1, 2]), maps),
        Case("two specimens", two_specimens, maps, tolerance=1e-2, distance=relative_l2,
             tiny=False),
    ),
    traps=(
        Trap("hard-coded batch axis", FIVE, first(3), lambda maps: maps[:3],
             drift="depends on the batch", unless=BATCH),
        Trap("squeezed batch axis", FIVE, first(1), lambda maps: maps[:1],
             drift="depends on the batch", unless=("hard-coded batch axis", *BATCH)),
        Trap("clone of an X that requires grad", FIVE, asking),
        Trap("gradient left from an earlier call", FIVE, with_old_gradient,
             unless=("clone of an X that requires grad",)),
        Trap("another dtype than X's", FIVE, dtype=torch.float64),
        Trap("train mode while it runs", FIVE, guarded, unless=("model switched to train mode",)),
    ),
    mistakes={
        "parameters in another order":
            "The parameters stand in another order than in the notebook: "
            "compute_saliency_maps(X, y, model).",
        "the picture's own maximum":
            "This is the largest absolute value of the picture itself. Take the gradient of the "
            "score with respect to X: torch.autograd.grad(score, X), or X.grad after backward().",
        "cross-entropy of the softmax":
            "This is the gradient of a cross-entropy of probabilities, a softmax of a softmax. "
            "Take the raw score of class y, before any softmax or loss.",
        "cross-entropy instead of the score":
            "This is the gradient of the cross-entropy loss, which nearly vanishes where the "
            "network is sure, and is averaged over the batch. Take the raw score of class y, "
            "before any softmax or loss.",
        "log-probability instead of the score":
            "This is the gradient of the log-probability, which mixes in the rival classes (a "
            "cross-entropy with reduction=\"sum\" is minus the same). Take the raw score of class "
            "y, before any softmax.",
        "probability instead of the score":
            "This is the gradient of the probability, which vanishes where the softmax is "
            "saturated. Take the raw score of class y, before any softmax.",
        "sum of all scores":
            "This is the gradient of all the scores together. Pick the score of class y for each "
            "image, for example with scores.gather(1, y.view(-1, 1)).",
        "mean of all scores":
            "This is the gradient of the mean of all the scores. Pick the score of class y for "
            "each image, for example with scores.gather(1, y.view(-1, 1)), and sum.",
        "scores[:, y]":
            "scores[:, y] is N × N: every image is asked for the classes of all the others. Pick "
            "one score per row: scores.gather(1, y.view(-1, 1)) or scores[torch.arange(N), y].",
        "predicted class instead of y":
            "This is the map of the class that the network predicts. Ask for y, even where the "
            "network disagrees with it.",
        "mean over the batch":
            "Every map is N times too small: the scores were averaged over the batch. Take their "
            "sum; each image still gets its own gradient, since it influences its own score only.",
        "minus the score":
            "This is the gradient of minus the score, so every sign is turned round.",
        "no absolute value":
            "The absolute value is missing: a strong negative gradient matters as much as a "
            "positive one. Take gradient.abs() before the maximum over the colours.",
        "absolute value after the colours are joined":
            "The absolute value comes too late: the colours are joined already, and a weak "
            "positive one was preferred to a strong negative one, or the two cancelled. First "
            "abs, then the maximum.",
        "mean over channels":
            "This is the mean over the colours; the map is the maximum over them.",
        "sum over channels":
            "This is the sum over the colours; the map is the maximum over them.",
        "length over channels":
            "This is the length (L2 norm) over the colours; the map is the maximum over them.",
        "minimum over channels":
            "This is the minimum over the colours; the map is the maximum over them.",
        "one colour only":
            "This looks at one colour only; the map is the maximum over all three.",
        "colour axis kept":
            "The colours are still there: the result is (N, 3, H, W). Take the maximum over "
            "dim=1, which leaves (N, H, W).",
        "joined over another axis":
            "The colours are axis 1 of (N, 3, H, W); another axis was joined. Use dim=1.",
        "rescaled to its maximum":
            "The maps are rescaled so that the largest value is 1. Return the values as they are; "
            "the picture can be scaled when it is shown.",
        "rescaled over the batch":
            "All maps are divided by the largest value among them. Return the values as they "
            "are; the picture can be scaled when it is shown.",
        "rescaled from minimum to maximum":
            "The maps are stretched from their smallest value to their largest. Return the values "
            "as they are; the picture can be scaled when it is shown.",
        "squared":
            "The gradient was squared; take its absolute value.",
        "hard-coded batch axis":
            "The number of images is written into the code, so only batches of five work. Take it "
            "from X.shape[0].",
        "squeezed batch axis":
            "squeeze() drops the batch axis when there is one image. Name the axis that should "
            "go, for example amax(dim=1) or squeeze(1), and one image gives (1, H, W).",
        "depends on the batch":
            "The map of an image changes with the other images in the batch. Each belongs to its "
            "image alone: take the gradient of a sum, and use nothing that joins axis 0.",
        "clone of an X that requires grad":
            "It fails where X asks for its gradient already: a clone of such an X is no leaf, so "
            "its .grad stays None. Start from X.detach().clone().requires_grad_(), or use "
            "torch.autograd.grad(score, X).",
        "gradient left from an earlier call":
            "X.grad held a gradient from before, and backward() adds to it. Use "
            "torch.autograd.grad(score, X), or start from a copy: X.detach().requires_grad_().",
        "another dtype than X's":
            "With float64 pictures the result should be float64: use the dtype of X, for example "
            "torch.zeros_like(X), and make no float32 tensors of your own.",
        "train mode while it runs":
            "The network ran in train mode, where dropout and batch norm change the scores. Leave "
            "its mode alone.",
    },
    errors={"hard-coded batch axis": re.compile(r"\brange\(5\)|\barange\(5\)|\bones\(5\)")},
    row={
        "signature": "compute_saliency_maps(X, y, model)",
        "shapes": "X (N, 3, H, W), y (N,) → (N, H, W)",
        "gives": "a new tensor, like X in dtype and device; X and the network stay as they were",
        "formula": "max over c of \\|∂S_y(X)/∂X_c\\|, S_y the raw score of class y",
        "defaults": "none",
        "units": "score per full range of brightness; X in [0, 1]",
    })
