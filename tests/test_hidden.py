"""The graded cells: drawn in one process, called in a second that has only the wheel, judged in
the first; and the same on the stock route."""

import re
import subprocess
import sys

import pytest
import torch

from cs_vis import checks
from cs_vis.checks import boxes
from cs_vis.checks.inputs import Leaf, Network
from cs_vis.checks.observe import Odd, Outcome
from cs_vis.checks.place import Problem
from cs_vis.course import ROOT
from cs_vis.grading.goldens import mistakes_of
from cs_vis.grading.hidden import Cell, Failed, Visible
from cs_vis.grading.hidden import saliency as hidden
from cs_vis.reference import saliency as reference

CELLS = {name: cell for name, cell in vars(hidden).items() if isinstance(cell, (Cell, Visible))}
SOURCE = (ROOT / "solutions/03_saliency.py").read_text(encoding="utf-8")

# What runs beside the student's code: it knows the student's package, an inbox, an outbox.
HARNESS = """
import sys
sys.modules["cs_vis.reference"] = sys.modules["cs_vis.grading"] = None  # as in the wheel
from pathlib import Path
from cs_vis import checks
from cs_vis.checks import boxes
from cs_vis.checks.engine import facts_of, observe_all
from cs_vis.checks.observe import Observed, observe
import torch
folder, function = Path(sys.argv[1]), None
names = {}
exec((folder / "solution.py").read_text(), names)
for inbox in sorted(folder.glob("*.inbox")):
    asked = boxes.load(inbox)
    exercise = checks.EXERCISES[asked["exercise"]]
    function = names[asked["exercise"]]
    if "cases" in asked:
        ways = {case.name: case.call for case in exercise.cases}
        found = [observe(ways[case], given, function, dtype=getattr(torch, asked["dtype"]))
                 for case, given in zip(asked["cases"], asked["inputs"])]
    else:
        found = Observed(observe_all(exercise, asked["inputs"], function),
                         facts_of(exercise, function))
    boxes.save(found, inbox.with_suffix(".outbox"))
"""


def solution_cells():
    """The set-up and solution cells of the notebook, as a student's right answer."""
    wanted = [cell for cell in re.split(r"(?m)^(?=# %%)", SOURCE)
              if '"solution": true' in cell or "setup_grab_cut" in cell]
    return "import cv2\nimport numpy as np\nimport torch\n" + "\n".join(wanted)


def judged_apart(folder, source, python=sys.executable):
    """What each graded cell says to `source`, run in a process of its own."""
    inputs = {}
    for number, (name, cell) in enumerate(CELLS.items()):
        inputs[name] = cell.draw(torch.Generator().manual_seed(1000 + number))
        asked = {"exercise": cell.exercise.name, "inputs": inputs[name]}
        if isinstance(cell, Cell):
            cases = [cell.case] * len(inputs[name]) if isinstance(cell.case, str) else cell.case
            asked |= {"cases": list(cases), "dtype": str(cell.dtype).removeprefix("torch.")}
        boxes.save(asked, folder / f"{name}.inbox")
    (folder / "solution.py").write_text(source)
    (folder / "harness.py").write_text(HARNESS)
    subprocess.run([python, folder / "harness.py", folder], check=True, cwd=folder)
    said = {}
    for name, cell in CELLS.items():
        outcomes = boxes.load(folder / f"{name}.outbox")
        more = {"prints": False} if isinstance(cell, Visible) else {}
        said[name] = cell.judge_outcomes(inputs[name], outcomes, **more)
    return said


def test_right_work_passes_when_drawn_called_and_judged_apart(tmp_path):
    said = judged_apart(tmp_path, solution_cells())
    assert set(said) == set(CELLS) and not any(said.values()), said


def test_wrong_work_fails_when_judged_apart(tmp_path):
    wrong = solution_cells().replace("gradient.abs().amax(dim=1)", "gradient.abs().mean(dim=1)")
    wrong = wrong.replace("g.clamp(min=0) * (x > 0)", "g * (x > 0)")
    said = judged_apart(tmp_path, wrong)
    failed = {name for name, sentence in said.items() if sentence}
    assert failed == {"saliency_check", "batch", "guided_check", "backward"}
    assert "differ" in said["batch"] and "backward differs" in said["backward"]


@pytest.mark.parametrize("name", CELLS)
def test_the_reference_passes_with_any_seed(name):
    cell = CELLS[name]
    function = getattr(reference, cell.exercise.name)
    for seed in range(3):
        inputs = cell.draw(torch.Generator().manual_seed(seed))
        more = {"prints": False} if isinstance(cell, Visible) else {}
        assert cell.judge_outcomes(inputs, cell.observe(inputs, function), **more) is None
    cell(function)  # the stock route


@pytest.mark.parametrize("name", [name for name, cell in CELLS.items() if isinstance(cell, Cell)])
def test_public_goldens_win_no_hidden_point(name):
    """A function that knows what every visible case returns, and nothing else."""
    cell = CELLS[name]
    from cs_vis.checks.stored import load_goldens
    known = [tensor for key, tensor in load_goldens("03_saliency").tensors.items()
             if key.startswith(cell.exercise.name)]

    def recall(*given):
        return next((x for x in known if x.ndim and x.shape[-2:] == given[0].shape[-2:]), known[0])
    with pytest.raises(Failed):
        cell(recall)


def test_every_graded_cell_of_the_notebook_is_defined():
    graded = set(re.findall(r'"grade_id": "(\w+)", "grade": true', SOURCE))
    used = set(re.findall(r"hidden\.(\w+)\(", SOURCE))
    assert used == {name for name, cell in CELLS.items() if isinstance(cell, Cell)}
    assert {name for name, cell in CELLS.items() if isinstance(cell, Visible)} <= graded
    assert len(graded) == len(CELLS)


def test_an_unsolved_exercise_and_an_error_are_sentences():
    def stub(*given):
        raise NotImplementedError
    with pytest.raises(Failed, match="not written yet"):
        hidden.batch(stub)
    with pytest.raises(Failed, match="Your code raised ZeroDivisionError"):
        hidden.batch(lambda *given: 1 / 0)


def test_most_mistakes_lose_hidden_points():
    """Those of the values; habits that need a trap are the visible check's."""
    kept = []
    for exercise, known in mistakes_of("03_saliency").MISTAKES.items():
        cells = [cell for cell in CELLS.values()
                 if isinstance(cell, Cell) and cell.exercise.name == exercise]
        for names, function in known:
            if len(names) == 1 and not any(fails(cell, function) for cell in cells):
                kept.append((exercise, *names))
    traps = {trap.name for exercise in checks.EXERCISES.values() for trap in exercise.traps}
    allowed = traps | {"depends on the batch", "input changed", "weights' gradients left",
                       "model switched to train mode", "hooks left", "plain ReLU",
                       "the class itself not passed",
                       # Too fine for the fresh scenes; the visible check's scenes show them.
                       "another number of rounds", "another colour space than Lab"}
    assert {name for _, name in kept} <= allowed, kept


def fails(cell, function):
    try:
        cell(function)
    except AssertionError:
        return True
    return False


# --- boxes

def test_a_box_gives_back_what_was_put_in(tmp_path):
    inside = {"a": [1, 2.5, "x", None, True], "t": (torch.arange(3), Leaf(torch.zeros(2, 2))),
              "n": Network("tiny", {"w": torch.ones(2)}, True),
              "o": Outcome({"r": Odd("tuple", (torch.ones(1),))}, Problem("E", "t", 3, "x = 1"),
                           [("input changed", "X")])}
    boxes.save(inside, tmp_path / "box")
    again = boxes.load(tmp_path / "box")
    assert repr(again) == repr(inside) and isinstance(again["o"], Outcome)


@pytest.mark.parametrize("value", [object(), {1, 2}, lambda: 0, torch.nn.ReLU()])
def test_a_box_takes_closed_kinds_only(value, tmp_path):
    with pytest.raises(TypeError, match="cannot be kept in a box"):
        boxes.save({"x": value}, tmp_path / "box")


@pytest.mark.parametrize("content", [b"", b"\x80\x04pickle", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_broken_box_is_refused(content, tmp_path):
    (tmp_path / "box").write_bytes(content)
    with pytest.raises(ValueError, match="is no box of this course"):
        boxes.load(tmp_path / "box")
