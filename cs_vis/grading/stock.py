"""nbgrader from Python: a workspace of its own, its three commands, and the grade table."""

import shutil
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from textwrap import shorten
from typing import NamedTuple

import nbformat
from nbgrader.apps import NbGraderAPI
from traitlets.config import PyFileConfigLoader

from cs_vis.course import ROOT, find_assignment
from cs_vis.grading import commands, roster
from cs_vis.grading.said import reason


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
        raise RuntimeError(f"nbgrader could not generate {name}: {last_line(result)}")


def grade_class(workspace: Path, name: str, *, workers: int = 2, **execute):
    """Autograde and write feedback for everything in submitted/; yield a Grade as each is done.

    A submission that cannot be graded gets 0 with its reason, and never stops the others. Whoever
    is in students.csv and handed in nothing gets 0, too. Raises RuntimeError where the gradebook
    is of another version, ValueError where the list of students is broken.
    """
    listed = prepare(workspace, name)
    students = sorted(folder.parent.name for folder in workspace.glob(f"submitted/*/{name}")
                      if folder.is_dir())
    for student in listed.keys() - set(students):
        yield no_grade(workspace, name, student, "nothing was handed in")
    lost = []
    for student, grade in grade_apart(workspace, name, students, execute, workers):
        if grade is None:
            lost.append(student)
        else:
            yield grade
    # A process that ended took others along: now each has its own, and only the culprit is lost.
    for student in lost:
        for _, grade in grade_apart(workspace, name, [student], execute, 1):
            yield grade or no_grade(workspace, name, student,
                                    "not graded: the grading process ended")


def prepare(workspace: Path, name: str) -> dict[str, dict]:
    """Refuse a gradebook of another version; enter the students' names, and return their list."""
    course = open_course(workspace)
    if problem := commands.outdated(course.coursedir, name):
        raise RuntimeError(problem)
    listed = roster.read(workspace / roster.FILE)
    with course.gradebook as gradebook:
        roster.enter(gradebook, listed)
    return listed


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
            return no_grade(workspace, name, student, f"not graded: {last_line(result)}")
        with course.gradebook as gradebook:
            entry = gradebook.find_submission(name, student)
            late, maximum = entry.late_submission_penalty, entry.max_score
            points, unread = max(0.0, entry.score - late), commands.waiting(entry)
        graded = workspace / "autograded" / student / name / f"{name}.ipynb"
        why = reason(nbformat.read(graded, as_version=4)) + unread
        why += f"; {late:g} off: late" if late else ""
        result = patient(course.generate_feedback, name, student)
        if not result["success"]:
            why += f"; no feedback: {last_line(result)}"
        return Grade(student, points, maximum, why)
    except Exception as error:  # whatever it is, the rest of the class is still to be graded
        return no_grade(workspace, name, student, f"not graded: {type(error).__name__}: {error}")


def no_grade(workspace: Path, name: str, student: str, why: str) -> Grade:
    """0 points where there is no submission, or none that could be graded."""
    points = find_assignment(name, workspace)["points"]
    return Grade(student, 0.0, points, shorten(why, 110, placeholder=" ..."))


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
