"""nbgrader from Python: a workspace of its own, its three commands, and the grade table."""

import shutil
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from textwrap import shorten
from typing import NamedTuple

import nbformat
from nbgrader import utils
from nbgrader.apps import NbGraderAPI
from traitlets.config import PyFileConfigLoader

from cs_vis.checks import EXERCISES
from cs_vis.grading.course import ROOT


class Grade(NamedTuple):
    student: str
    points: float
    maximum: float
    reason: str


def make_workspace(folder, name: str, *, root: Path = ROOT) -> Path:
    """A folder with what nbgrader needs of the course to grade one assignment."""
    workspace = Path(folder).resolve()
    workspace.mkdir(parents=True, exist_ok=True)
    for file in ("course.toml", "nbgrader_config.py"):
        shutil.copyfile(Path(root, file), workspace / file)
    source = Path(root, "solutions", name, f"{name}.ipynb")
    if not source.is_file():
        raise FileNotFoundError(f"assignment={name!r} is not built: run `cs-vis build {name}`")
    (workspace / "solutions" / name).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, workspace / "solutions" / name / source.name)
    return workspace


def open_course(workspace: Path, **execute) -> NbGraderAPI:
    """nbgrader's Python interface on this workspace; `execute` sets traits of its Execute step."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(workspace)).load_config()
    config.CourseDirectory.root = str(workspace)
    config.Execute.update(execute)
    return NbGraderAPI(config=config)


def generate_assignment(workspace: Path, name: str) -> None:
    """Write notebooks/NAME in the workspace and note its graded cells in the gradebook."""
    result = open_course(workspace).generate_assignment(name)
    if not result["success"]:
        raise RuntimeError(f"nbgrader could not generate {name}:\n{result_log(result)}")


def grade_class(workspace: Path, name: str, *, workers: int = 2, **execute):
    """Autograde and write feedback for everything in submitted/; yield a Grade as each is done.

    A submission that cannot be graded gets 0 with its reason, and never stops the others.
    """
    students = sorted(folder.parent.name for folder in workspace.glob(f"submitted/*/{name}"))
    # Fresh processes: a forked copy of this one would share its threads and its database.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        jobs = {pool.submit(grade_one, workspace, name, student, execute): student
                for student in students}
        for job in as_completed(jobs):
            yield job.result()


def grade_one(workspace: Path, name: str, student: str, execute: dict) -> Grade:
    """Autograde one submission and write its feedback."""
    course = open_course(workspace, **execute)
    result = course.autograde(name, student)
    with course.gradebook as gradebook:
        if not result["success"]:
            maximum = gradebook.find_assignment(name).max_score
            return Grade(student, 0.0, maximum, result_log(result).splitlines()[-1])
        entry = gradebook.find_submission(name, student)
        points, maximum = entry.score, entry.max_score
    course.generate_feedback(name, student)
    graded = workspace / "autograded" / student / name / f"{name}.ipynb"
    return Grade(student, points, maximum, reason(nbformat.read(graded, as_version=4)))


def result_log(result: dict) -> str:
    """What nbgrader said about a step that failed."""
    return (result.get("log") or result.get("error") or "nbgrader gives no reason").strip()


def reason(graded) -> str:
    """One line on a graded notebook: what failed first, and which other exercises did."""
    if any(cell.get("id") == "remarks" and "could not be read" in cell.source
           for cell in graded.cells):
        return "not a notebook: the file could not be read"
    failed = {}  # exercise -> its first failure
    for cell in graded.cells:
        if utils.is_grade(cell) and message(cell):
            failed.setdefault(cell.metadata.nbgrader.grade_id.split("_")[0], message(cell))
    if not failed:
        return "all checks passed"
    (exercise, sentence), *others = failed.items()
    also = f"; also {', '.join(name for name, _ in others)}" if others else ""
    return f"{exercise}: {sentence}{also}"


def message(cell) -> str:
    """What the error says that a cell ended in, in one short line; empty where it ended well."""
    errors = [out for out in cell.get("outputs", []) if out.output_type == "error"]
    if not errors:
        return ""
    error = errors[-1]  # after a timeout nbgrader's own error follows the interrupt
    if error.ename in ("NotSolved", "NotImplementedError"):
        return "not written yet"
    lines = error.evalue.strip().splitlines() or [error.ename]
    return known_mistakes().get(lines[0]) or shorten(lines[0], 90, placeholder=" ...")


@cache
def known_mistakes() -> dict[str, str]:
    """The names of the mistakes that checks recognise, by the sentence a check then raises."""
    return {sentence: name for exercise in EXERCISES.values()
            for name, sentence in exercise.mistakes.items()}
