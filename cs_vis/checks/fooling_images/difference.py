"""The check of `magnified_difference`: what is tried, and what is said about known mistakes."""

import torch

from ..exercise import Case, Exercise, Trap
from ..fixtures import picture


def shown(function, X, fooled, scale):
    return {"result": function(X, fooled, scale)}


def pair(n, height, width, seed, scale, most):
    """Pictures, and the same with every value moved by up to `most`, also out of [0, 1]."""
    def inputs(numbers):
        X = picture(numbers, n, height, width, seed)
        change = most * (2 * picture(numbers, n, height, width, seed + 1) - 1)
        change[..., 0] = 0  # a column where nothing changed
        return {"X": X, "fooled": X + change, "scale": scale}
    return inputs


def first(n):
    return lambda inputs: {**inputs, "X": inputs["X"][:n], "fooled": inputs["fooled"][:n]}


FINE = "changes up to twice the scale"
BATCH = ("rescaled to its largest change", "rescaled from minimum to maximum", "first image only")
DIFFERENCE = Exercise(
    name="magnified_difference", notebook="04_fooling_images",
    parameters=("X", "fooled", "scale"),
    cases=(
        Case(FINE, pair(3, 5, 7, 511, 1 / 8, 1 / 4), shown),
        Case("changes up to the scale and a half", pair(2, 6, 4, 533, 1 / 2, 3 / 4), shown),
        Case("changes below the scale", pair(1, 4, 5, 555, 3 / 4, 5 / 8), shown),
    ),
    traps=(
        Trap("hard-coded batch axis", FINE, first(2), lambda result: result[:2],
             drift="depends on the batch", unless=BATCH),
        Trap("squeezed batch axis", FINE, first(1), lambda result: result[:1],
             drift="depends on the batch", unless=("hard-coded batch axis", *BATCH)),
        Trap("another dtype than X's", FINE, dtype=torch.float64),
    ),
    mistakes={
        "parameters in another order":
            "The parameters stand in another order than in the notebook: "
            "magnified_difference(X, fooled, scale).",
        "sign turned":
            "It is X - fooled, so what became lighter looks darker. Take fooled - X.",
        "absolute difference":
            "The sign is lost: darker and lighter look alike. Take fooled - X without abs().",
        "squared difference":
            "The difference is squared, which loses its sign. Take fooled - X as it is.",
        "black where nothing changed":
            "Where nothing changed it is black, and what became darker cannot be seen. Add 0.5.",
        "white where nothing changed":
            "Where nothing changed it is white. Add 0.5, and not 1.",
        "added to the picture":
            "The difference is shown on the picture. Add it to mid-grey, 0.5, alone.",
        "the factor 2 forgotten":
            "White is reached at half the scale already. From grey to white is 0.5, so divide by "
            "2 * scale.",
        "brackets forgotten":
            "x / 2 * scale divides by 2 and then multiplies by scale. Write x / (2 * scale).",
        "multiplied by the scale":
            "The difference is multiplied by the scale. scale is the change that is shown white, "
            "so divide: (fooled - X) / (2 * scale).",
        "the scale unused":
            "The given scale makes no difference. Divide by 2 * scale.",
        "rescaled to its largest change":
            "The picture's own largest change was taken for the scale, so two pictures could not "
            "be compared. Divide by 2 * scale.",
        "rescaled from minimum to maximum":
            "The picture is stretched from its smallest to its largest value, so grey no longer "
            "means unchanged. Use 0.5 + (fooled - X) / (2 * scale).",
        "not cut to [0, 1]":
            "Values outside [0, 1] are left, which no picture has: clamp(0, 1) at the end.",
        "the difference cut before it is scaled":
            "The difference itself was cut to [0, 1], so what became darker is lost. Cut the "
            "finished picture.",
        "pictures cut to [0, 1] first":
            "X and fooled were cut to [0, 1] before they were compared, which hides a part of the "
            "change. Subtract them as they are; cut the finished picture.",
        "colours joined":
            "The colours are joined to one grey. Each colour keeps its own difference.",
        "bytes instead of [0, 1]":
            "The values go up to 255. Pictures are in [0, 1] here.",
        "hard-coded batch axis":
            "It works for one number of pictures only. Let shapes follow X.",
        "squeezed batch axis":
            "squeeze() drops the batch axis when there is one picture. One picture gives "
            "(1, 3, H, W).",
        "depends on the batch":
            "A picture changes with the others in the batch. Each belongs to itself alone.",
        "another dtype than X's":
            "With float64 pictures the result should be float64: make no float32 tensors of your "
            "own.",
    },
    row={
        "signature": "magnified_difference(X, fooled, scale)",
        "shapes": "X, fooled (N, 3, H, W) → (N, 3, H, W)",
        "gives": "a new tensor, like X in dtype and device; X and fooled stay as they were",
        "formula": "0.5 + (fooled − X) / (2 · scale), cut to [0, 1]",
        "defaults": "none",
        "units": "in [0, 1]: mid-grey where nothing changed, 1 where +scale was added, 0 where "
                 "scale was taken away; scale in brightness",
    })
