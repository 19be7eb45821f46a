"""What nbgrader with our configuration makes of good, bad and strange submissions."""

import json
import os
import re
import shutil
from functools import partial

import nbformat
import pytest
from nbformat.v4 import new_code_cell
from test_build import NAME, RIGHT, TOY, copy_toy, released

from cs_vis.grading import build, steps, stock
from cs_vis.grading.rebuild import rebuild, without_shell

FAST = {"timeout_func": partial(steps.time_limit, check=4)}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stock")
    root = copy_toy(folder / "course")
    build.build(NAME, root=root)
    workspace = stock.make_workspace(folder / "work", NAME, root=root)
    stock.generate_assignment(workspace, NAME)
    return workspace


def solve(notebook, **answers):
    for cell in notebook.cells:
        cell.source = {**RIGHT, **answers}.get(cell.id, cell.source)
    return notebook


def cell_of(notebook, name):
    return next(cell for cell in notebook.cells if cell.id == name)


def right(nb):
    return solve(nb)


def blank(nb):
    return nb


def wrong(nb):
    return solve(nb, double_solution="def double(x):\n    return x + 4")


def wrong_for_hidden(nb):
    return solve(nb, double_solution="def double(x):\n    return x + (3 if x == 3 else 5)")


def warning(nb):
    return solve(nb, double_solution="import sys, warnings\ndef double(x):\n"
                 "    warnings.warn('mind'); print('a bar', file=sys.stderr); return 2 * x")


def raising(nb):
    return solve(nb, half_solution="def half(x):\n    raise ValueError('no halves here')")


def endless(nb):
    return solve(nb, half_solution="def half(x):\n    while True: pass")


def deadly(nb):
    return solve(nb, half_solution="import os\ndef half(x):\n    os._exit(1)")


def published(nb):
    """A value before the failing assertion: nbgrader would take it for points."""
    return solve(nb, half_solution="def half(x):\n    from IPython import get_ipython\n"
                 "    get_ipython().displayhook(2.0); return 7")


def skipping(nb):
    for cell in nb.cells:
        cell.metadata.tags = ["skip-execution", "", "look"]
    return nb


def copied(nb):
    """A solution cell copied in Jupyter: the same grade_id twice."""
    solve(nb)
    first = cell_of(nb, "double_solution")
    again = nbformat.from_dict({**first, "id": "copy"})
    first.source = "def double(x):\n    return 0"
    nb.cells.insert(nb.cells.index(first) + 1, again)
    return nb


def missing(nb):
    solve(nb)
    nb.cells = [cell for cell in nb.cells if cell.id not in ("half_solution", "double_check")]
    return nb


def edited_check(nb):
    solve(nb, double_solution="def double(x):\n    return 7")
    cell_of(nb, "double_check").source = "print('fine')"
    cell_of(nb, "half_check").metadata.nbgrader.points = 100
    return nb


def edited_setup(nb):
    """An open set-up cell, edited so that a right answer would be a wrong one."""
    solve(nb, half_solution="def half(x):\n    return x / PARTS")
    next(cell for cell in nb.cells if cell.source.startswith("PARTS")).source = "PARTS = 3"
    return nb


def installing(nb):
    """As on Colab: the grader must neither install, nor change its folder, nor stumble."""
    solve(nb, half_solution="%pip install no-such-package\n"
          "def half(x):\n    !touch touched\n    return x / 2")
    nb.cells.insert(0, new_code_cell("!touch touched\n%cd /\n!echo \\\n  done\nten = 10"))
    nb.cells.insert(1, new_code_cell("%%bash\ntouch touched"))
    cell_of(nb, "double_solution").source = "def double(x):\n    return 2 * x * ten / 10"
    return nb


def own_helper(nb):
    """An answer that needs a cell the student added before it."""
    solve(nb, double_solution="def double(x):\n    return helper(x) * x")
    nb.cells.insert(2, new_code_cell("def helper(x):\n    return 2"))
    return nb


def without_ids(nb):
    """As other editors save it: older format, no cell ids."""
    solve(nb)
    nb.nbformat_minor = 4
    for cell in nb.cells:
        del cell["id"]
    return nb


def broken_metadata(nb):
    solve(nb)
    nb.metadata = {"kernelspec": {"name": "evil", "display_name": "Evil", "language": "R"}}
    nb.cells[0].metadata = {"nbgrader": {}}
    return nb


CLASS = {  # a notebook's maker: its points, a part of its reason
    right: (5, "all checks passed"),
    blank: (0, "double: not written yet; also half"),
    wrong: (0, "double: twice 3 is 6"),
    wrong_for_hidden: (4, "double: another input gives another answer"),
    warning: (5, "all checks passed"),
    raising: (3, "no halves here"),
    endless: (3, "longer than the time limit"),
    deadly: (3, "kernel died"),
    published: (3, "half: half of twice 5 is 5"),
    skipping: (0, "not written yet"),
    copied: (5, "all checks passed"),
    missing: (3, "not written yet"),
    edited_check: (0, "double: twice 3 is 6"),
    edited_setup: (5, "all checks passed"),
    installing: (5, "all checks passed"),
    own_helper: (5, "all checks passed"),
    without_ids: (5, "all checks passed"),
    broken_metadata: (5, "all checks passed"),
}
FILES = {"empty_file": b"", "broken_json": b'{"cells": [', "no_notebook": b"[1, 2]",
         "latin1": "{'caf\xe9'".encode("latin1"), "odd_cells": b'{"cells": [3], "metadata": {},'
         b' "nbformat": 4, "nbformat_minor": 5}'}


@pytest.fixture(scope="module")
def grades(workspace):
    for make in CLASS:
        hand_in(workspace, make.__name__, json.dumps(make(released(workspace))).encode())
    for name, content in FILES.items():
        hand_in(workspace, name, content)
    return {grade.student: grade for grade in stock.grade_class(workspace, NAME, **FAST)}


def hand_in(workspace, student, content):
    folder = workspace / "submitted" / student / NAME
    folder.mkdir(parents=True)
    (folder / f"{NAME}.ipynb").write_bytes(content)


@pytest.mark.parametrize("make", CLASS, ids=lambda make: make.__name__)
def test_points_and_reason(grades, make):
    points, reason = CLASS[make]
    grade = grades[make.__name__]
    assert (grade.points, grade.maximum) == (points, 5), grade
    assert reason in grade.reason


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_notebook_is_a_zero_with_its_reason(grades, name):
    assert grades[name].points == 0
    assert "could not be read" in grades[name].reason or name == "odd_cells"


def test_feedback_shows_messages_but_no_hidden_test(workspace, grades):
    for student in grades:
        page = (workspace / "feedback" / student / NAME / f"{NAME}.html").read_text()
        text = re.sub(r"<[^>]+>", "", page)
        for secret in ("secret_input", "1234", "98765", "HIDDEN"):
            assert secret not in text, (student, secret)
    page = (workspace / "feedback" / "wrong_for_hidden" / NAME / f"{NAME}.html").read_text()
    assert "another input gives another answer" in page
    assert "a picture that takes long" not in page  # it was not drawn


def test_feedback_tells_what_the_grader_changed(workspace, grades):
    for student, sentence in [("broken_json", "could not be read as a notebook"),
                              ("missing", "half_solution was missing"),
                              ("copied", "double_solution was there twice"),
                              ("edited_check", "The cell double_check is the course's"),
                              ("edited_setup", "begins with <code>PARTS = 2"),
                              ("edited_setup", "your changes to it were undone"),
                              ("installing", "Lines that install something")]:
        page = (workspace / "feedback" / student / NAME / f"{NAME}.html").read_text()
        assert sentence in page, student


def test_nothing_is_installed_or_called_on_the_graders_machine(workspace, grades):
    folder = workspace / "autograded" / "installing" / NAME
    assert {file.name for file in folder.iterdir()} == {f"{NAME}.ipynb"}
    code = "\n".join(cell.source for cell in nbformat.read(folder / f"{NAME}.ipynb", 4).cells)
    assert "pass  # not run when graded: %pip install no-such-package" in code
    assert "pass  # not run when graded: !echo \\   done\nten = 10" in code
    assert "# %%bash\n# touch touched" in code


@pytest.mark.parametrize("code", [
    "x = 7 % 4\n%matplotlib inline", "same = (1\n        != 2)", "%time f()\n%%timeit"])
def test_other_code_is_left_alone(code):
    assert without_shell(code) == code


@pytest.mark.parametrize("change", ["import nothing_of_this_name", "", None])
def test_set_up_cells_are_the_releases_whatever_is_handed_in(workspace, change):
    """Broken, emptied, deleted; unlocked or not; with its metadata or without."""
    release = released(workspace)
    submitted = solve(released(workspace))
    for cell in list(submitted.cells):
        if cell.source.startswith(("import warnings", "PARTS")):
            if change is None:
                submitted.cells.remove(cell)
            else:
                cell.source, cell.metadata = change, nbformat.from_dict({})
    rebuilt, remarks = rebuild(release, submitted)
    sources = [cell.source for cell in rebuilt.cells]
    assert "import nothing_of_this_name" not in sources
    assert [cell.source for cell in solve(release).cells] == sources
    assert len(remarks) == (0 if change is None else 2)


def test_play_with_a_picture_is_undone_without_a_remark(workspace):
    submitted = solve(released(workspace))
    cell_of(submitted, "cell-006").source = "print('another picture')"
    rebuilt, remarks = rebuild(released(workspace), submitted)
    assert cell_of(rebuilt, "cell-006").source == 'print("a picture that takes long")'
    assert remarks == []


def test_rebuild_changes_neither_argument(workspace):
    release, submitted = released(workspace), solve(released(workspace))
    before = json.dumps([release, submitted])
    rebuild(release, submitted)
    assert json.dumps([release, submitted]) == before


def test_stray_files_are_not_copied_along(workspace):
    hand_in(workspace, "shadow", json.dumps(right(released(workspace))).encode())
    folder = workspace / "submitted" / "shadow" / NAME
    (folder / "warnings.py").write_text("raise RuntimeError")
    grade = stock.grade_one(workspace, NAME, "shadow", FAST)
    assert grade.points == 5
    copied = {file.name for file in (workspace / "autograded" / "shadow" / NAME).iterdir()}
    assert copied == {f"{NAME}.ipynb"}


def test_a_submission_nbgrader_cannot_grade_is_a_zero(workspace):
    hand_in(workspace, "unknown", b"{}")
    folder = workspace / "submitted" / "unknown" / NAME
    shutil.move(folder / f"{NAME}.ipynb", folder / "homework.ipynb")
    grade = stock.grade_one(workspace, NAME, "unknown", FAST)
    assert grade.points == 0 and grade.reason


LOCKED = {"success": False, "error": "OperationalError: database is locked", "log": "[ERROR] no"}
FULL = {"success": False, "log": "[INFO] writing\n[ERROR] the disk is full\n"}
DONE = {"success": True}


@pytest.mark.parametrize("results, calls", [
    ([DONE], 1), ([LOCKED, DONE], 2), ([LOCKED, LOCKED, DONE], 2), ([FULL, DONE], 1)])
def test_a_step_is_tried_once_more_where_the_gradebook_was_locked(results, calls):
    left = list(results)
    assert stock.patient(lambda *names: left.pop(0), NAME, "ada") is results[calls - 1]
    assert len(left) == len(results) - calls


def test_feedback_that_fails_is_said_and_costs_no_points(workspace, grades, monkeypatch):
    monkeypatch.setattr(stock.NbGraderAPI, "autograde", lambda *names: DONE)  # it has its grade
    monkeypatch.setattr(stock.NbGraderAPI, "generate_feedback", lambda *names: FULL)
    grade = stock.grade_one(workspace, NAME, "right", FAST)
    assert grade == ("right", 5, 5, "all checks passed; no feedback: [ERROR] the disk is full")


def test_an_error_of_the_grader_itself_is_a_zero_with_its_reason(workspace, monkeypatch):
    def broken(*names):
        raise OSError("no such disk")
    monkeypatch.setattr(stock.NbGraderAPI, "autograde", broken)
    grade = stock.grade_one(workspace, NAME, "right", FAST)
    assert grade == ("right", 0, 5, "not graded: OSError: no such disk")


def end_for_bob(workspace, name, student, execute):
    """Stands for stock.grade_one, in another process."""
    if student == "bob":
        os._exit(1)
    return stock.Grade(student, 5, 5, "all checks passed")


def test_a_grading_process_that_ends_takes_nobody_along(tmp_path, monkeypatch):
    shutil.copyfile(TOY / "course.toml", tmp_path / "course.toml")
    for student in ("ada", "bob", "eve"):
        (tmp_path / "submitted" / student / NAME).mkdir(parents=True)
    monkeypatch.setattr(stock, "grade_one", end_for_bob)
    grades = sorted(stock.grade_class(tmp_path, NAME, workers=1))
    assert [(grade.student, grade.points) for grade in grades] == [
        ("ada", 5), ("bob", 0), ("eve", 5)]
    assert grades[1].reason == "not graded: the grading process ended"
