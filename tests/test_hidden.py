"""The graded cells: drawn in one process, called in a second that has only the wheel, judged in
the first; and the same on the stock route."""

import re
import subprocess
import sys

import pytest
import torch

from cs_vis.checks import boxes
from cs_vis.checks.inputs import Leaf, Network
from cs_vis.checks.observe import Odd, Outcome
from cs_vis.checks.path import Trace
from cs_vis.checks.place import Problem
from cs_vis.checks.stored import load_goldens
from cs_vis.course import ROOT, assignments, topic
from cs_vis.grading.hidden import SEED, Cell, Failed, Visible, until
from cs_vis.grading.hidden import saliency as hidden
from written import CELLS, EXERCISES, KNOWN, NOTEBOOKS, hidden_cells
from written import reference as reference_of

NAMES = assignments()
HIDDEN = [key for key, cell in CELLS.items() if isinstance(cell, Cell)]
SOURCE = (ROOT / "solutions/03_saliency.py").read_text(encoding="utf-8")

# What runs beside the student's code: it knows the student's package, an inbox, an outbox.
HARNESS = """
import sys
sys.modules["cs_vis.reference"] = sys.modules["cs_vis.grading"] = None  # as in the wheel
from pathlib import Path
from cs_vis.checks import boxes
from cs_vis.checks.engine import facts_of, observe_all
from cs_vis.checks.observe import Observed, observe
from importlib import import_module
import torch
folder, exercises = Path(sys.argv[1]), import_module(sys.argv[2]).EXERCISES
names = {}
exec((folder / "solution.py").read_text(), names)
for inbox in sorted(folder.glob("*.inbox")):
    asked = boxes.load(inbox)
    exercise, = (one for one in exercises if one.name == asked["exercise"])
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


def right_answers(notebook):
    """A student's right answers: the notebook's own cells; before there is one, the reference."""
    if notebook == "03_saliency":
        return solution_cells()
    source = (ROOT / f"cs_vis/reference/{topic(notebook)}.py").read_text(encoding="utf-8")
    return source.replace("from ..", "from cs_vis.")


def solution_cells():
    """The set-up and solution cells of the notebook."""
    wanted = [cell for cell in re.split(r"(?m)^(?=# %%)", SOURCE)
              if '"solution": true' in cell or "setup_grab_cut" in cell]
    return "import cv2\nimport numpy as np\nimport torch\n" + "\n".join(wanted)


def judged_apart(folder, notebook, source, python=sys.executable):
    """What each graded cell says to `source`, run in a process of its own."""
    inputs, cells = {}, hidden_cells(notebook)
    for number, (name, cell) in enumerate(cells.items()):
        inputs[name] = cell.draw(torch.Generator().manual_seed(1000 + number))
        asked = {"exercise": cell.exercise.name, "inputs": inputs[name]}
        if isinstance(cell, Cell):
            cases = [cell.case] * len(inputs[name]) if isinstance(cell.case, str) else cell.case
            asked |= {"cases": list(cases), "dtype": str(cell.dtype).removeprefix("torch.")}
        boxes.save(asked, folder / f"{name}.inbox")
    (folder / "solution.py").write_text(source)
    (folder / "harness.py").write_text(HARNESS)
    subprocess.run([python, folder / "harness.py", folder, f"cs_vis.checks.{topic(notebook)}"],
                   check=True, cwd=folder)
    said = {}
    for name, cell in cells.items():
        outcomes = boxes.load(folder / f"{name}.outbox")
        more = {"prints": False} if isinstance(cell, Visible) else {}
        said[name] = cell.judge_outcomes(inputs[name], outcomes, **more)
    return said


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_right_work_passes_when_drawn_called_and_judged_apart(notebook, tmp_path):
    said = judged_apart(tmp_path, notebook, right_answers(notebook))
    assert set(said) == set(hidden_cells(notebook)) and not any(said.values()), said


def test_wrong_work_fails_when_judged_apart(tmp_path):
    wrong = solution_cells().replace("gradient.abs().amax(dim=1)", "gradient.abs().mean(dim=1)")
    wrong = wrong.replace("g.clamp(min=0) * (x > 0)", "g * (x > 0)")
    said = judged_apart(tmp_path, "03_saliency", wrong)
    failed = {name for name, sentence in said.items() if sentence}
    assert failed == {"saliency_check", "batch", "guided_check", "backward"}
    assert "differ" in said["batch"] and "backward differs" in said["backward"]


def test_a_wrong_loop_fails_when_judged_apart(tmp_path):
    """Its path is data: outside it still says how the loop went."""
    right = right_answers("04_fooling_images")
    wrong = right.replace("            break\n", "            pass\n").replace(
        "RATE * gradient", "0.5 * gradient").replace("gradient.sign() if norm", "gradient if norm")
    said = judged_apart(tmp_path, "04_fooling_images", wrong)
    failed = {name for name, sentence in said.items() if sentence}
    assert failed == {"fooling_check", "reached", "steps", "stop", "whole", "attack_check",
                      "in_box"}
    assert "The learning rate is 1" in said["fooling_check"]
    assert "the steps go on" in said["fooling_check"]


@pytest.mark.parametrize("name", CELLS, ids="-".join)
def test_the_reference_passes_with_any_seed(name):
    cell = CELLS[name]
    function = reference_of(cell.exercise.name)
    for seed in range(3):
        inputs = cell.draw(torch.Generator().manual_seed(seed))
        more = {"prints": False} if isinstance(cell, Visible) else {}
        assert cell.judge_outcomes(inputs, cell.observe(inputs, function), **more) is None
    cell(function)  # the stock route


@pytest.mark.parametrize("name", HIDDEN, ids="-".join)
def test_public_goldens_win_no_hidden_point(name):
    """A function that knows what every visible case returns, and nothing else."""
    cell = CELLS[name]
    known = [tensor for key, tensor in load_goldens(name[0]).tensors.items()
             if key.startswith(cell.exercise.name)]

    def recall(*given):
        return next((x for x in known if x.ndim and x.shape[-2:] == given[0].shape[-2:]), known[0])
    with pytest.raises(Failed):
        cell(recall)


@pytest.mark.parametrize("name", NAMES)
def test_every_graded_cell_of_the_notebook_is_defined(name):
    source = (ROOT / f"solutions/{name}.py").read_text(encoding="utf-8")
    # What a person grades is a solution, too.
    graded = set(re.findall(r'"grade_id": "(\w+)", "grade": true(?!, "solution": true)', source))
    used = re.findall(r"hidden\.(\w+)\(", source)
    cells = hidden_cells(name)
    assert sorted(used) == sorted(cell for cell, kind in cells.items() if isinstance(kind, Cell))
    assert {cell for cell, kind in cells.items() if isinstance(kind, Visible)} <= graded
    assert len(graded) == len(cells)


def test_an_unsolved_exercise_and_an_error_are_sentences():
    def stub(*given):
        raise NotImplementedError
    with pytest.raises(Failed, match="not written yet"):
        hidden.batch(stub)
    with pytest.raises(Failed, match="Your code raised ZeroDivisionError"):
        hidden.batch(lambda *given: 1 / 0)


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_most_mistakes_lose_hidden_points(notebook):
    """Those of the values; habits that need a trap are the visible check's."""
    kept = []
    for exercise, known in KNOWN[notebook].MISTAKES.items():
        cells = [(cell, cell.draw(torch.Generator().manual_seed(SEED)))
                 for cell in hidden_cells(notebook).values()
                 if isinstance(cell, Cell) and cell.exercise.name == exercise]
        for names, function in known:
            if len(names) == 1 and not any(fails(*cell, function) for cell in cells):
                kept.append((exercise, *names))
    traps = {trap.name for exercise in EXERCISES.values() for trap in exercise.traps}
    allowed = traps | {"depends on the batch", "input changed", "weights' gradients left",
                       "model switched to train mode", "hooks left", "graph kept", "plain ReLU",
                       "the class itself not passed", "nothing for no layer",
                       # Too fine for the fresh scenes; the visible check's scenes show them.
                       "another number of rounds", "another colour space than Lab"}
    assert {name for _, name in kept} <= allowed, kept


def fails(cell, inputs, function):
    return cell.judge_outcomes(inputs, cell.observe(inputs, function)) is not None


def test_what_never_fits_is_said_to_be_no_mistake_of_the_student():
    with pytest.raises(RuntimeError, match="none fits: this is a mistake of the course"):
        until(lambda: 1, lambda one: False)


# --- boxes

def test_a_box_gives_back_what_was_put_in(tmp_path):
    inside = {"a": [1, 2.5, "x", None, True], "t": (torch.arange(3), Leaf(torch.zeros(2, 2))),
              "n": Network("tiny", {"w": torch.ones(2)}, True),
              "o": Outcome({"r": Odd("tuple", (torch.ones(1),))}, Problem("E", "t", 3, "x = 1"),
                           [("input changed", "X")]),
              "w": Trace(torch.zeros(2, 3, 4, 5), False, True)}
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
