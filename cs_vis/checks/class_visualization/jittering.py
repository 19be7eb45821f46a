"""The check of `jitter`: what is tried, and what is said about known mistakes."""

import torch

from ..exercise import Case, Exercise, Trap
from ..fixtures import picture


def rolled(function, img, ox, oy):
    return {"result": function(img, ox, oy)}


def pictures(n, height, width, seed, ox, oy):
    return lambda numbers: {"img": 2 * picture(numbers, n, height, width, seed) - 1, "ox": ox,
                            "oy": oy}


FIRST = "two pictures, to the right and down"
JITTER = Exercise(
    name="jitter", notebook="05_class_visualization", parameters=("img", "ox", "oy"),
    cases=(
        Case(FIRST, pictures(2, 5, 8, 21, ox=3, oy=1), rolled),
        Case("one picture, to the left and down", pictures(1, 7, 6, 22, ox=-1, oy=2), rolled),
        Case("one picture, to the right and up", pictures(1, 6, 9, 23, ox=2, oy=-4), rolled),
        Case("no column, some rows", pictures(1, 5, 4, 24, ox=0, oy=2), rolled),
        Case("nothing at all", pictures(1, 4, 5, 25, ox=0, oy=0), rolled),
    ),
    traps=(
        Trap("another dtype than img's", FIRST, dtype=torch.float64),
    ),
    mistakes={
        "parameters in another order":
            "The parameters stand in another order than in the notebook: jitter(img, ox, oy).",
        "rows and columns swapped":
            "Rows and columns are swapped: ox counts columns, the last axis, and oy counts rows, "
            "the one before.",
        "wrong direction":
            "It goes the other way. ox columns to the right, oy rows down: what was at [row, col] "
            "goes to [row + oy, col + ox].",
        "one direction turned round":
            "One of the two goes the wrong way. ox columns to the right, oy rows down: what was "
            "at [row, col] goes to [row + oy, col + ox].",
        "columns not moved":
            "Only the rows move. Move the columns by ox, too.",
        "rows not moved":
            "Only the columns move. Move the rows by oy, too.",
        "zeros enter":
            "Zeros enter where the picture left room. What leaves on one side comes in on the "
            "other, so that nothing is lost: torch.roll does that.",
        "the border enters":
            "The border is repeated where the picture left room. What leaves on one side comes in "
            "on the other, so that nothing is lost: torch.roll does that.",
        "cut instead of rolled":
            "The picture has become smaller: a part was cut off. What leaves on one side comes in "
            "on the other.",
        "rolled as one row":
            "The whole tensor was rolled as one long row, so pixels pass from row to row and "
            "colour to colour. Name the axes: torch.roll(img, (oy, ox), dims=(2, 3)).",
        "colours or pictures rolled":
            "The wrong axes were rolled: of (N, 3, H, W) the rows are axis 2, the columns axis 3.",
        "rolled twice":
            "It has moved twice as far as it should.",
        "another dtype than img's":
            "With a float64 picture the result should be float64: make no float32 tensors of your "
            "own, torch.zeros_like(img) takes img's.",
    },
    row={
        "signature": "jitter(img, ox, oy)",
        "shapes": "img (N, 3, H, W), ox and oy whole numbers → (N, 3, H, W)",
        "gives": "a new tensor, like img in dtype and device; img stays as it was",
        "formula": "result[row + oy, col + ox] = img[row, col], rows counted modulo H and columns "
                   "modulo W; jitter(img, −ox, −oy) takes it back",
        "defaults": "none",
        "units": "pixels: ox columns to the right, oy rows down",
    })
