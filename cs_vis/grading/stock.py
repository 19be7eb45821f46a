"""nbgrader from Python: a workspace of its own, its three commands, and the grade table."""

import shutil
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
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
from cs_vis.course import ROOT, find_assignment


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
    # Several processes write the gradebook, so one may have to wait (seconds) for another.
    config.CourseDirectory.db_url = f"sqlite:///{workspace / 'gradebook.db'}?timeout=60"
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
    lost = []
    for student, grade in grade_apart(workspace, name, students, execute, workers):
        if grade is None:
            lost.append(student)
        else:
            yield grade
    # A process that ended took others along: now each has its own, and only the culprit is lost.
    for student in lost:
        for _, grade in grade_apart(workspace, name, [student], execute, 1):
            yield grade or no_grade(workspace, name, student, "the grading process ended")


def grade_apart(workspace, name, students, execute, workers):
    """Yield (student, Grade) as each is done in other processes; None where the process ended."""
    # Fresh processes: a forked copy of this one would share its threads and its database.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        jobs = {pool.submit(grade_one, workspace, name, student, execute): student
                for student in students}
        for job in as_completed(jobs):
            try:
                yield jobs[job], job.result()
            except BrokenProcessPool:
                yield jobs[job], None


def grade_one(workspace: Path, name: str, student: str, execute: dict) -> Grade:
    """Autograde one submission and write its feedback; any failure is a 0 with its reason."""
    try:
        course = open_course(workspace, **execute)
        result = patient(course.autograde, name, student)
        if not result["success"]:
            return no_grade(workspace, name, student, last_line(result))
        with course.gradebook as gradebook:
            entry = gradebook.find_submission(name, student)
            points, maximum = entry.score, entry.max_score
        graded = workspace / "autograded" / student / name / f"{name}.ipynb"
        why = reason(nbformat.read(graded, as_version=4))
        result = patient(course.generate_feedback, name, student)
        if not result["success"]:
            why += f"; no feedback: {last_line(result)}"
        return Grade(student, points, maximum, why)
    except Exception as error:  # whatever it is, the rest of the class is still to be graded
        return no_grade(workspace, name, student, f"{type(error).__name__}: {error}")


def no_grade(workspace: Path, name: str, student: str, why: str) -> Grade:
    """0 points for a submission that could not be graded."""
    points = find_assignment(name, workspace)["points"]
    return Grade(student, 0.0, points, shorten(f"not graded: {why}", 110, placeholder=" ..."))


def patient(step, *arguments) -> dict:
    """What a step of nbgrader returns, tried once more where another had locked the gradebook."""
    result = step(*arguments)
    if not result["success"] and "database is locked" in result_log(result):
        result = step(*arguments)
    return result


def result_log(result: dict) -> str:
    """All that nbgrader said about a step that failed."""
    return "\n".join(filter(None, (result.get("error"), result.get("log")))).strip()


def last_line(result: dict) -> str:
    """The last thing that nbgrader said about a step that failed."""
    return (result_log(result) or "nbgrader gives no reason").splitlines()[-1]


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
