"""nbgrader's own commands in this course: what they take, what they refuse, and in which words."""

import csv
import json
import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbgrader.api import Gradebook
from test_build import NAME, copy_toy, released
from test_stock import FAST, hand_in, right, wrong

from cs_vis import __version__
from cs_vis.grading import build, commands, stock


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A workspace where one student has been graded."""
    folder = tmp_path_factory.mktemp("commands")
    root = copy_toy(folder / "course")
    build.build(NAME, root=root)
    workspace = stock.make_workspace(folder / "work", NAME, root=root)
    stock.generate_assignment(workspace, NAME)
    hand_in(workspace, "ada", json.dumps(wrong(released(workspace))).encode())
    assert [grade.points for grade in stock.grade_class(workspace, NAME, **FAST)] == [0]
    return workspace


@pytest.fixture
def workspace(made, tmp_path):
    return shutil.copytree(made, tmp_path / "work")


def gradebook(workspace):
    return Gradebook(f"sqlite:///{workspace / 'gradebook.db'}")


def said(result):
    assert not result["success"]
    return stock.last_line(result)


def change(file, edit):
    """Edit a notebook's file in place."""
    notebook = nbformat.read(file, as_version=4)
    edit(notebook)
    file.write_text(nbformat.writes(notebook))


def source_of(workspace):
    return workspace / "solutions" / NAME / f"{NAME}.ipynb"


def release_of(workspace):
    return workspace / "notebooks" / NAME / f"{NAME}.ipynb"


def with_another_check(notebook):
    check = next(cell for cell in notebook.cells if cell.id == "half_check")
    again = nbformat.from_dict({**check, "id": "third_check"})
    again.metadata.nbgrader.grade_id = "third_check"
    notebook.cells.append(again)


def test_a_gradebook_with_other_cells_is_refused_before_anything_is_touched(workspace):
    change(source_of(workspace), with_another_check)
    before = release_of(workspace).read_bytes()
    sentence = said(stock.open_course(workspace).generate_assignment(NAME))
    assert "submissions to another version of 01_toy, with other cells (third_check)" in sentence
    assert "move gradebook.db, autograded and feedback aside" in sentence
    assert release_of(workspace).read_bytes() == before


def test_grading_on_a_release_with_other_cells_is_refused(workspace):
    change(release_of(workspace), with_another_check)
    with pytest.raises(RuntimeError, match=r"with other cells \(third_check\)"):
        next(stock.grade_class(workspace, NAME))
    assert (workspace / "autograded" / "ada").is_dir()


def test_a_gradebook_without_submissions_takes_other_cells(workspace):
    (workspace / "gradebook.db").unlink()
    stock.generate_assignment(workspace, NAME)
    change(source_of(workspace), with_another_check)
    stock.generate_assignment(workspace, NAME)


def reworded(notebook):
    check = next(cell for cell in notebook.cells if cell.id == "half_check")
    check.source = check.source.replace("twice 5 is 5", "twice 5 is five")


def test_a_reworded_check_asks_for_one_command_which_keeps_what_is_graded(workspace):
    change(release_of(workspace), reworded)
    sentence = said(stock.open_course(workspace).autograde(NAME, "ada"))
    assert "the gradebook was made from another version of 01_toy, which differs in half_check: " \
           "run `nbgrader generate_assignment 01_toy`" in sentence
    change(source_of(workspace), reworded)
    stock.generate_assignment(workspace, NAME)
    assert commands.outdated(stock.open_course(workspace).coursedir, NAME) is None
    with gradebook(workspace) as held:
        assert held.find_submission(NAME, "ada").max_score == 5


def test_an_assignment_that_is_not_there_yet_is_a_sentence(workspace):
    (workspace / "gradebook.db").unlink()
    course = stock.open_course(workspace)
    assert f"does not know {NAME} yet: run `nbgrader generate" in said(
        course.autograde(NAME, "ada"))
    release_of(workspace).unlink()
    assert f"{NAME}.ipynb is missing: run `cs-vis build {NAME}`" in said(
        course.autograde(NAME, "ada"))


def test_a_release_of_another_version_than_the_grader_is_said(workspace):
    change(release_of(workspace), lambda notebook: notebook.metadata.cs_vis.update(version="0.1.0"))
    result = stock.open_course(workspace, **FAST).autograde(NAME, "ada")
    assert result["success"]
    assert f"notebooks/{NAME} is of version 0.1.0, and this is cs_vis {__version__}: " in result["log"]


def test_where_nobody_handed_in_the_folder_is_named(workspace):
    sentence = said(stock.open_course(workspace).autograde(NAME, "nobody"))
    assert f"there is nothing in submitted/nobody/{NAME}" in sentence


def test_a_broken_list_is_refused_before_anything_is_graded(workspace):
    (workspace / "students.csv").write_text("id,name\nada,Ada\n")
    assert "students.csv, line 1: 'name' is no column" in said(
        stock.open_course(workspace).autograde(NAME, "ada"))
    with pytest.raises(ValueError, match="students.csv, line 1"):
        next(stock.grade_class(workspace, NAME))


def test_points_and_comments_by_hand_stay_when_graded_again(workspace):
    with gradebook(workspace) as held:
        held.find_grade("double_check", NAME, NAME, "ada").manual_score = 1.5
        held.find_comment("double_solution", NAME, NAME, "ada").manual_comment = "Nearly: $2x$."
        held.db.commit()
    grade = stock.grade_one(workspace, NAME, "ada", FAST)
    assert grade.points == 1.5
    with gradebook(workspace) as held:
        assert held.find_grade("double_check", NAME, NAME, "ada").needs_manual_grade
    page = (workspace / "feedback" / "ada" / NAME / f"{NAME}.html").read_text()
    assert "Nearly: <math" in page and "points given by hand" in page


def late(workspace, config=""):
    """The grade of right work handed in ten hours late."""
    hand_in(workspace, "eve", json.dumps(right(released(workspace))).encode())
    (workspace / "submitted" / "eve" / NAME / "timestamp.txt").write_text(
        "2026-03-02 10:00:00 UTC")
    with gradebook(workspace) as held:
        held.update_or_create_assignment(NAME, duedate="2026-03-01 23:59:00 UTC")
    with (workspace / "nbgrader_config.py").open("a") as file:
        file.write(config)
    return stock.grade_one(workspace, NAME, "eve", FAST)


def test_lateness_costs_nothing_unless_it_is_configured(workspace):
    assert late(workspace) == ("eve", 5, 5, "all checks passed")


def test_lateness_costs_what_is_configured(workspace):
    grade = late(workspace, '\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    assert grade == ("eve", 0, 5, "all checks passed; 5 off: late")
    page = (workspace / "feedback" / "eve" / NAME / f"{NAME}.html").read_text()
    assert "Handed in late" in page and "0 of 5 points" in page


def nbgrader(folder, *arguments, **environment):
    return subprocess.run([sys.executable, "-m", "nbgrader", *arguments], cwd=folder, text=True,
                          capture_output=True, timeout=300, env={**os.environ, **environment})


def test_a_refusal_on_the_command_line_is_one_sentence(workspace):
    change(release_of(workspace), with_another_check)
    done = nbgrader(workspace, "autograde", NAME)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr and "with other cells (third_check)" in done.stderr


def test_nbgrader_does_not_go_on_without_the_course(workspace, tmp_path):
    (tmp_path / "cs_vis.py").write_text("raise ImportError('no course here')")
    done = nbgrader(workspace, "autograde", NAME, PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "nbgrader_config.py: no course here. Run `make setup`" in done.stderr


def test_export_gives_the_reason_and_quotes_what_holds_a_comma(workspace):
    with gradebook(workspace) as held:
        held.update_or_create_student("hedy", first_name="Hedy", last_name="Lamarr, Inventor")
    assert nbgrader(workspace, "export").returncode == 0
    with (workspace / "grades.csv").open(newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert rows["ada"]["why"] == "double: double: twice 3 is 6; also half"
    assert (rows["hedy"]["last_name"], rows["hedy"]["score"]) == ("Lamarr, Inventor", "0.0")
    assert rows["hedy"]["why"] == "nothing was handed in"
    assert nbgrader(workspace, "export", "--ExportPlugin.student=['ada']").returncode == 0
    assert "hedy" not in (workspace / "grades.csv").read_text()
