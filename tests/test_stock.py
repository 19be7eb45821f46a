"""What nbgrader with our configuration makes of good, bad and strange submissions."""

import json
import os
import re
import shutil
from functools import partial

import nbformat
import pytest
from nbformat.v4 import new_code_cell
from nbgrader.utils import compute_checksum
from test_build import NAME, RIGHT, TOY, copy_toy, released

from cs_vis import __version__
from cs_vis.course import ROOT
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
BROKEN = {"empty_file": b"", "broken_json": b'{"cells": [', "no_notebook": b"[1, 2]",
         "latin1": "{'caf\xe9'".encode("latin1"), "odd_cells": b'{"cells": [3], "metadata": {},'
         b' "nbformat": 4, "nbformat_minor": 5}'}


TAKEN = {  # a student whose work is right: the files in the folder, and what the feedback says
    "copy": ([f"{NAME} (1).ipynb"], f"You handed in {NAME} (1).ipynb, which is the only notebook"),
    "saved_by_browser": ([f"{NAME}.ipynb.txt"], f"You handed in {NAME}.ipynb.txt"),
    "unpacked": ([f"hand in/{NAME}.ipynb", f"__MACOSX/._{NAME}.ipynb",
                  ".ipynb_checkpoints/a.ipynb"], f"You handed in hand in/{NAME}.ipynb"),
    "with_draft": ([f"{NAME}.ipynb", "draft.ipynb"], "the other notebooks that you handed in were "
                   "not: draft.ipynb"),
}
NOTHING = {  # a student's files, and why there is nothing to grade
    "empty_folder": ([], "No notebook was handed in: the folder is empty."),
    "report": (["report.pdf"], "No notebook was handed in: the folder holds only report.pdf."),
    "two_drafts": (["a.ipynb", "b.ipynb"], f"None of the 2 notebooks that were handed in is called "
                   f"{NAME}.ipynb, so none was graded: a.ipynb, b.ipynb."),
}
LISTED = ("id,first_name,last_name,email\nright,Ada,\"Lovelace, Countess\",ada@example.org\n"
          "hedy,Hedy,Lamarr,hedy@example.org\n")


@pytest.fixture(scope="module")
def grades(workspace):
    for make in CLASS:
        hand_in(workspace, make.__name__, json.dumps(make(released(workspace))).encode())
    for name, content in BROKEN.items():
        hand_in(workspace, name, content)
    for name, (files, _) in {**TAKEN, **NOTHING}.items():
        hand_in(workspace, name, json.dumps(right(released(workspace))).encode(), files)
    (workspace / "students.csv").write_text(LISTED)
    before = content_of(workspace / "submitted")
    grades = {grade.student: grade for grade in stock.grade_class(workspace, NAME, **FAST)}
    assert content_of(workspace / "submitted") == before  # what was handed in is only read
    return grades


def content_of(folder):
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def hand_in(workspace, student, content, files=(f"{NAME}.ipynb",)):
    folder = workspace / "submitted" / student / NAME
    folder.mkdir(parents=True)
    for file in files:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_bytes(content)


def page_of(workspace, student):
    return (workspace / "feedback" / student / NAME / f"{NAME}.html").read_text()


@pytest.mark.parametrize("make", CLASS, ids=lambda make: make.__name__)
def test_points_and_reason(grades, make):
    points, reason = CLASS[make]
    grade = grades[make.__name__]
    assert (grade.points, grade.maximum) == (points, 5), grade
    assert reason in grade.reason


@pytest.mark.parametrize("name", TAKEN)
def test_the_only_notebook_counts_whatever_its_name(workspace, grades, name):
    assert (grades[name].points, grades[name].reason) == (5, "all checks passed")
    assert TAKEN[name][1] in page_of(workspace, name)


@pytest.mark.parametrize("name", NOTHING)
def test_where_there_is_nothing_to_grade_it_is_a_zero_with_its_reason(workspace, grades, name):
    assert grades[name].points == 0
    assert grades[name].reason.startswith(NOTHING[name][1])
    assert NOTHING[name][1] in page_of(workspace, name)
    assert "nothing to grade" in page_of(workspace, name)


def test_who_is_listed_and_handed_in_nothing_has_a_row_that_says_so(workspace, grades):
    assert grades["hedy"] == ("hedy", 0, 5, "nothing was handed in")
    assert "Ada Lovelace, Countess (right)" in page_of(workspace, "right")


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_is_no_notebook_is_a_zero_with_its_reason(grades, name):
    assert grades[name].points == 0
    assert "could not be read" in grades[name].reason or name == "odd_cells"


def test_a_timeout_is_one_sentence(workspace, grades):
    page = page_of(workspace, "endless")
    assert page.count("This cell ran longer than the time limit.") == 1
    assert "ran longer than the time limit<" in page.replace("\n", "<")  # in the table
    assert "KeyboardInterrupt" not in page


def test_no_feedback_shows_a_path_of_this_machine(workspace, grades):
    paths = [str(ROOT), str(workspace), "ipykernel", "site-packages", os.path.expanduser("~/")]
    for student in grades.keys() - {"hedy"}:
        page = page_of(workspace, student)
        assert not [path for path in paths if path in page], student


def test_feedback_fetches_nothing(workspace, grades):
    page = page_of(workspace, "edited_setup")
    assert not re.search(r"""(?:src|href)="(?!#|data:)|<script|@import|url\(""", page)


def test_feedback_shows_messages_but_no_hidden_test(workspace, grades):
    for student in grades.keys() - {"hedy"}:
        page = page_of(workspace, student)
        text = re.sub(r"<[^>]+>", "", page)
        for secret in ("secret_input", "1234", "98765", "HIDDEN"):
            assert secret not in text, (student, secret)
    page = page_of(workspace, "wrong_for_hidden")
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
        assert sentence in page_of(workspace, student), student


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


def test_honest_work_causes_no_warning(workspace):
    hand_in(workspace, "honest", json.dumps(right(released(workspace))).encode())
    result = stock.open_course(workspace, **FAST).autograde(NAME, "honest")
    assert result["success"]
    assert "WARNING" not in result["log"] and "has changed" not in result["log"]


def of_version(notebook, version):
    """As a course of another version would have handed it out: other texts, checks and cells."""
    notebook.metadata.cs_vis = {"version": version}
    check = cell_of(notebook, "half_check")
    check.source += "\n# as it was then"
    check.metadata.nbgrader.checksum = compute_checksum(check)
    old = nbformat.from_dict({**check, "id": "old_check", "source": "assert old"})
    old.metadata = nbformat.from_dict({**check.metadata, "nbgrader": {
        **check.metadata.nbgrader, "grade_id": "old_check"}})
    notebook.cells += [old, new_code_cell("raise OSError", id="cell-099")]
    return notebook


def test_a_submission_of_another_version_is_graded_on_the_current_one(workspace):
    release = released(workspace)
    rebuilt, remarks = rebuild(release, of_version(right(released(workspace)), "0.1.0"))
    assert remarks == ["This notebook was made from version 0.1.0 of the assignment. It was graded "
                       f"with the exercises and checks of version {__version__}."]
    assert [cell.source for cell in rebuilt.cells] == [cell.source for cell in right(release).cells]


def test_another_version_is_noticed_where_none_is_noted(workspace):
    submitted = of_version(right(released(workspace)), "0.1.0")
    del submitted.metadata["cs_vis"]
    _, remarks = rebuild(released(workspace), submitted)
    assert len(remarks) == 1 and "made from another version of the assignment" in remarks[0]


@pytest.mark.parametrize("noted", [None, "0.1.0", {"version": 3}, {"version": "<b>1"}])
def test_a_note_that_is_no_version_is_passed_over(workspace, noted):
    submitted = right(released(workspace))
    submitted.metadata.cs_vis = noted
    assert rebuild(released(workspace), submitted)[1] == []


def test_a_check_that_was_edited_is_said_of_another_version_too(workspace):
    submitted = of_version(right(released(workspace)), "0.1.0")
    cell_of(submitted, "double_check").source = "print('fine')"
    _, remarks = rebuild(released(workspace), submitted)
    assert len(remarks) == 2 and "The cell double_check is the course's" in remarks[1]


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
    monkeypatch.setattr(stock, "prepare", lambda *names: {})
    monkeypatch.setattr(stock, "grade_one", end_for_bob)
    grades = sorted(stock.grade_class(tmp_path, NAME, workers=1))
    assert [(grade.student, grade.points) for grade in grades] == [
        ("ada", 5), ("bob", 0), ("eve", 5)]
    assert grades[1].reason == "not graded: the grading process ended"
