"""No hole: every mutant of a solution is rejected by its check, and loses hidden points.

What survives is listed here, with the reason why it is right all the same.
"""

import contextlib
import io
import re

import cv2
import numpy as np
import pytest
import torch

from cs_vis import checks
from cs_vis.course import ROOT
from cs_vis.grading.hidden import Cell
from cs_vis.grading.hidden import saliency as hidden
from mutants import mutants

SOLUTIONS = {"compute_saliency_maps": "saliency_solution", "occlusion_map": "occlusion_solution",
             "GuidedReLU": "guided_solution", "segment_by_saliency": "segment_solution"}
ON_THE_CPU = "moves to the device and the dtype of the input: the CPU's and float32 already"
EQUIVALENT = {  # (exercise, part of the description) -> why it is right
    ("compute_saliency_maps", "X.detach() without .detach()"):
        "asks the caller's X for its gradient, the familiar way, which is tolerated",
    ("occlusion_map", "argument image of (model.mean_color"): ON_THE_CPU,
    ("occlusion_map", "else fill).to(image) without .to()"): ON_THE_CPU,
    ("occlusion_map", "0 -> -1"): "the only image of a batch of one is the last one, too",
    ("segment_by_saliency", "argument image.device"): ON_THE_CPU,
    ("segment_by_saliency", "(foreground).to(image.device) without .to()"): ON_THE_CPU,
    ("segment_by_saliency", ".cpu() without .cpu()"): ON_THE_CPU,
    ("segment_by_saliency", "(0, 0) in the opposite order"): "the same pair",
    ("segment_by_saliency", "0 -> -1"): "OpenCV takes any size below 1 for `by sigma`; and of one "
                                        "image the last is the first",
    ("segment_by_saliency", "saliency.detach() without .detach()"):
        "the map asks for no gradient: compute_saliency_maps returns none that does",
    ("segment_by_saliency", "blurred > middle by GtE"):
        "a pixel exactly at the interpolated quantile, of thousands",
    ("segment_by_saliency", ".round() without .round()"):
        "cutting instead of rounding is accepted: pictures of bytes come out the same",
}
CHECK_ONLY = {  # rejected by the check, too fine for what a fresh scene shows
    ("segment_by_saliency", "255 -> 256"): "a byte more in bright places; white turns black",
    ("segment_by_saliency", "255 -> 254"): "a byte less in bright places",
    ("segment_by_saliency", "blurred <= low by Lt"): "a tie at the low quantile, in one fresh "
                                                     "scene of five",
}


def code_of(grade_id):
    """The code of a cell of the solution notebook, as the notebook's source has it."""
    source = (ROOT / "solutions/03_saliency.py").read_text(encoding="utf-8")
    cell = next(cell for cell in re.split(r"(?m)^(?=# %%)", source)
                if f'"grade_id": "{grade_id}"' in cell)
    return "\n".join(line for line in cell.splitlines()[1:] if "###" not in line)


def function_of(exercise, source):
    names = {"torch": torch, "cv2": cv2, "np": np}
    for text in (code_of("setup_grab_cut"), source):
        exec(compile(text, "<mutant>", "exec"), names)
    return names[exercise]


def killed_by_check(exercise, function):
    try:
        checks.EXERCISES[exercise](function)
    except checks.CheckFailed:
        return True
    return False


def killed_by_hidden(exercise, function):
    for cell in vars(hidden).values():
        if isinstance(cell, Cell) and cell.exercise.name == exercise:
            try:
                cell(function)
            except AssertionError:
                return True
    return False


def listed(table, exercise, words):
    return any(name == exercise and part in words for name, part in table)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("exercise", SOLUTIONS)
def test_every_mutant_is_rejected_and_loses_points(exercise, record_property):
    survivors, total, by_check, by_hidden = [], 0, 0, 0
    for words, source in mutants(code_of(SOLUTIONS[exercise])):
        total += 1
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                function = function_of(exercise, source)
            except Exception:  # a mutant that cannot even be defined
                by_check, by_hidden = by_check + 1, by_hidden + 1
                continue
            check, points = (killed_by_check(exercise, function),
                             killed_by_hidden(exercise, function))
        by_check, by_hidden = by_check + check, by_hidden + points
        excused = listed(EQUIVALENT, exercise, words) or (
            check and listed(CHECK_ONLY, exercise, words))
        if not (check and points) and not excused:
            survivors.append(words)
    record_property("verdict", (exercise, f"{total} mutants", f"rejected by the check {by_check}, "
                                f"by hidden cells {by_hidden}"))
    assert not survivors


def test_what_is_excused_still_occurs():
    for exercise, part in {**EQUIVALENT, **CHECK_ONLY}:
        assert any(part in words for words, _ in mutants(code_of(SOLUTIONS[exercise]))), part
