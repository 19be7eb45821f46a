"""What students get: no answer, no hidden test, nothing unexpected, and nbgrader agrees."""

import csv
import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest

from cs_vis.grading import build, sample_class
from cs_vis.course import ROOT, read_course

NAMES = [entry["name"] for entry in read_course()["assignments"]]


def notebook(folder, name, root=ROOT):
    return nbformat.read(root / folder / name / f"{name}.ipynb", as_version=4)


def roles(cell):
    return cell.metadata.get("nbgrader", {})


def test_nothing_but_the_courses_notebooks_is_handed_out():
    tracked = subprocess.run(["git", "ls-files", "notebooks"], cwd=ROOT, capture_output=True,
                             text=True)
    if tracked.returncode:
        pytest.skip("not a git clone")
    assert set(tracked.stdout.split()) <= {f"notebooks/{name}/{name}.ipynb" for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_the_release_holds_no_answer_and_no_hidden_test(name):
    handed_out = notebook("notebooks", name)
    text = "\n".join(cell.source for cell in handed_out.cells)
    for mark in ("BEGIN ", "END ", "SOLUTION", "HIDDEN", "cs_vis.reference", "cs_vis.grading"):
        assert mark not in text, mark
    for line in secret_lines(notebook("solutions", name)):
        assert line not in text, line
    assert all(not cell.get("outputs") for cell in handed_out.cells)
    stubs = {"code": "raise NotImplementedError", "markdown": "write your answer in place of this"}
    assert all(stubs[cell.cell_type] in cell.source for cell in handed_out.cells
               if roles(cell).get("solution"))


def secret_lines(solution):
    """Lines between nbgrader's marks that are long enough to be told from other code."""
    for cell in solution.cells:
        for block in re.findall(r"### BEGIN.*?\n(.*?)### END", cell.source, flags=re.S):
            yield from (line.strip() for line in block.splitlines() if len(line.strip()) > 25)


@pytest.mark.parametrize("name", NAMES)
def test_ids_are_unique_and_checks_may_fail(name):
    cells = notebook("notebooks", name).cells
    assert len({cell.id for cell in cells}) == len(cells)
    graded = [cell for cell in cells if roles(cell).get("grade")]
    graded = [cell for cell in graded if cell.cell_type == "code"]  # not what a person marks
    assert graded and all("raises-exception" in cell.metadata.tags for cell in graded)
    answers = [cell for cell in cells if roles(cell).get("solution")]
    assert answers and all("raises-exception" in cell.metadata.tags for cell in answers
                           if cell.cell_type == "code")
    assert all(not cell.metadata.editable for cell in graded)


@pytest.mark.parametrize("name", NAMES)
def test_the_executed_solution_is_built_from_its_source(name):
    source = (ROOT / "solutions" / f"{name}.py").read_text(encoding="utf-8")
    fresh, built = build.convert(source), notebook("solutions", name)
    assert list(map(parts, fresh.cells)) == list(map(parts, built.cells)), "run `cs-vis build`"


def parts(cell):
    """All of a cell but its outputs: type, text, points, locks, tags."""
    return cell.id, cell.cell_type, cell.source, cell.metadata


@pytest.mark.parametrize("name", NAMES)
def test_the_release_is_built_from_the_source(name, tmp_path):
    """To the byte; its checksums, too, so that nbgrader takes it for its own."""
    root = tmp_path / "clone"
    for file in ("course.toml", "nbgrader_config.py", f"solutions/{name}.py"):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, root / file)
    _, fresh = build.build(name, execute=False, root=root)
    committed = ROOT / "notebooks" / name / f"{name}.ipynb"
    assert fresh.read_bytes() == committed.read_bytes(), "run `cs-vis build`"


@pytest.mark.parametrize("name", NAMES)
def test_the_executed_solution_ran_from_top_to_bottom(name):
    file = ROOT / "solutions" / name / f"{name}.ipynb"
    assert file.stat().st_size <= build.LIMIT
    for cell in notebook("solutions", name).cells:
        if cell.cell_type == "code":
            assert cell.execution_count, cell.id
            assert all(out.output_type != "error" for out in cell.outputs), cell.id
            assert "execution" not in cell.metadata  # times of the day it was built


@pytest.mark.parametrize("name", NAMES)
def test_points_sum_to_what_the_course_says(name):
    entry = next(entry for entry in read_course()["assignments"] if entry["name"] == name)
    build.check_points(notebook("solutions", name), entry["points"])


@pytest.mark.parametrize("name", NAMES)
def test_the_unsolved_notebook_runs_to_its_end(name, tmp_path, monkeypatch):
    """Only checks may fail, and only by saying kindly that the exercise is not written yet."""
    monkeypatch.setenv("CS_VIS_PROFILE", "test")
    handed_out = notebook("notebooks", name)
    build.NotebookClient(handed_out, kernel_name="python3", timeout=120,
                         resources={"metadata": {"path": str(tmp_path)}}).execute()
    errors = {cell.id: out.ename for cell in handed_out.cells for out in cell.get("outputs", [])
              if out.output_type == "error"}
    assert errors and set(errors.values()) == {"NotSolved"}
    said = "".join(out.get("text", "") for cell in handed_out.cells
                   for out in cell.get("outputs", []))
    assert "Solve the exercise above first" in said


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """What an instructor works in: the clone's own files, a list of students, what they handed in.

    Ada's file has its name, Alonzo's another; Hypatia's folder is empty, and Hedy has none.
    """
    folder = tmp_path_factory.mktemp("clone")
    for file in ("course.toml", "nbgrader_config.py"):
        shutil.copyfile(ROOT / file, folder / file)
    for step in ("solutions", "notebooks"):
        shutil.copytree(ROOT / step, folder / step)
    name = sample_class.NAME
    right = sample_class.write(notebook("notebooks", name),
                               sample_class.right_answers(notebook("solutions", name)),
                               sample_class.CLASS[0])
    for student, file in (("ada", f"{name}.ipynb"), ("alonzo", "final.ipynb"), ("hypatia", None)):
        submitted = folder / "submitted" / student / name
        submitted.mkdir(parents=True)
        if file:
            (submitted / file).write_bytes(right)
    (folder / "students.csv").write_text("id,first_name,email\nada,Ada,ada@example.org\n"
                                         "hedy,Hedy,hedy@example.org\n")
    return folder


def nbgrader(folder, *arguments):
    """What the command says."""
    return subprocess.run([sys.executable, "-m", "nbgrader", *arguments], cwd=folder, check=True,
                          env={**os.environ, "OMP_NUM_THREADS": "1"}, timeout=300, text=True,
                          stderr=subprocess.PIPE).stderr


def test_nbgraders_own_commands_work_in_a_copy(copy):
    name = sample_class.NAME
    nbgrader(copy, "generate_assignment", name)  # must work although notebooks/ is there already
    ours, theirs = (root / "notebooks" / name / f"{name}.ipynb" for root in (ROOT, copy))
    assert theirs.read_bytes() == ours.read_bytes()
    assert [file.name for file in theirs.parent.iterdir()] == [theirs.name]
    assert "has changed" not in nbgrader(copy, "autograde", name)
    nbgrader(copy, "generate_feedback", name)
    nbgrader(copy, "export")
    with (copy / "grades.csv").open(newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert {student: (float(row["score"]), row["why"]) for student, row in rows.items()} == {
        "ada": (20, "all checks passed"), "alonzo": (20, "all checks passed"),
        "hypatia": (0, "No notebook was handed in: the folder is empty."),
        "hedy": (0, "nothing was handed in")}
    assert {float(row["max_score"]) for row in rows.values()} == {20}
    pages = {student: (copy / "feedback" / student / name / f"{name}.html").read_text()
             for student in ("ada", "alonzo", "hypatia")}
    assert "Ada (ada)" in pages["ada"]
    assert "You handed in final.ipynb, which is the only notebook there" in pages["alonzo"]
    assert "No notebook was handed in" in pages["hypatia"]
    for page in pages.values():
        assert "cs_vis.grading.hidden" not in page and "HIDDEN" not in page
