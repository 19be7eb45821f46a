"""nbgrader's commands with the manners of this course; nbgrader_config.py puts them in their place.

nbgrader lets a configuration choose the steps of its commands, but not the classes that find
what there is to do. These take over there, for `nbgrader ...`, for formgrader and for stock.py.
"""

import csv
import glob
import os
from pathlib import Path

import nbformat
from nbconvert.exporters import Exporter
from nbgrader import utils
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import api, autogradeapp, generateassignmentapp
from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.converters.base import NbGraderException
from nbgrader.plugins import ExportPlugin
from nbgrader.preprocessors import ClearHiddenTests
from traitlets import default

from cs_vis import __version__
from cs_vis.course import find_assignment
from cs_vis.grading import feedback, roster, said
from cs_vis.grading.feedback import Score
from cs_vis.grading.rebuild import version_of
from cs_vis.grading.steps import read_release

COLUMNS = ("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
           "raw_score", "late_submission_penalty", "score", "max_score", "why")


def take_over() -> None:
    """Let nbgrader's commands and formgrader use the classes below."""
    for module in (api, generateassignmentapp):
        module.GenerateAssignment = GenerateAnew
    for module in (api, autogradeapp):
        module.Autograde = GradeEverybody


class GenerateAnew(GenerateAssignment):
    """generate_assignment: refuse, before anything is touched, what the gradebook cannot take."""

    def init_notebooks(self):
        super().init_notebooks()
        name = self.coursedir.assignment_id
        for file in sum(self.assignments.values(), []):
            source = nbformat.read(file, as_version=4)
            refuse(self, other_cells(source, self.coursedir, name))


class GradeEverybody(Autograde):
    """autograde: every folder submitted/STUDENT/NAME is graded, whatever lies in it.

    nbgrader by itself passes over a folder whose notebook has another name, or none.
    """

    def init_notebooks(self):
        coursedir, name = self.coursedir, self.coursedir.assignment_id
        refuse(self, outdated(coursedir, name))
        if remark := built_by_another(coursedir, name):
            self.log.warning(remark)
        self.enter_students()
        pattern = self._format_source(name, coursedir.student_id)
        folders = [folder for folder in glob.glob(pattern) if os.path.isdir(folder)]
        if not folders:
            refuse(self, f"there is nothing in submitted/{coursedir.student_id}/{name}: lay each "
                         f"student's notebook into submitted/STUDENT/{name}/{name}.ipynb")
        self.assignments = {folder: [os.path.join(folder, f"{name}.ipynb")] for folder in folders}

    def enter_students(self):
        """Write the names of those who are graded now into the gradebook, as the list has them."""
        try:
            students = roster.read(Path(self.coursedir.root) / roster.FILE)
        except ValueError as error:
            refuse(self, str(error))
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            roster.enter(gradebook, {student: row for student, row in students.items()
                                     if self.coursedir.student_id in ("*", student)})


def refuse(command, sentence: str | None) -> None:
    """End a command of nbgrader with a sentence, if there is one."""
    if sentence:
        command.log.error(sentence)
        raise NbGraderException(sentence)


def outdated(coursedir, name: str) -> str | None:
    """In a sentence, why the gradebook does not fit the notebook that is handed out."""
    try:
        release = read_release(coursedir, name)
    except FileNotFoundError:
        return (f"notebooks/{name}/{name}.ipynb is missing: run `cs-vis build {name}`, then "
                f"`nbgrader generate_assignment {name}`")
    with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        try:
            known = gradebook.find_notebook(name, name)
        except MissingEntry:
            return (f"the gradebook does not know {name} yet: run "
                    f"`nbgrader generate_assignment {name}` first")
        points = {cell.name: cell.max_score for cell in known.grade_cells}
        held = {cell.name: (without_tests(cell), points.get(cell.name))
                for cell in known.source_cells}
    handed_out = {cell.metadata.nbgrader.grade_id: (cell.source,
                                                    cell.metadata.nbgrader.get("points"))
                  for cell in release.cells if noted(cell)}
    other = sorted(cell for cell in held.keys() | handed_out.keys()
                   if held.get(cell) != handed_out.get(cell))
    if other:
        return other_cells(release, coursedir, name) or (
            f"the gradebook was made from another version of {name}, which differs in "
            f"{', '.join(other)}: run `nbgrader generate_assignment {name}`, which keeps all "
            f"points and comments, then grade again")
    return None


def built_by_another(coursedir, name: str) -> str | None:
    """In a sentence, that the notebook that is handed out was built by another cs_vis."""
    version = version_of(read_release(coursedir, name))
    if version == __version__:
        return None
    return (f"notebooks/{name} is of version {version or 'unknown'}, and this is cs_vis "
            f"{__version__}: `cs-vis build {name}` brings it up to date")


def other_cells(notebook, coursedir, name: str) -> str | None:
    """In a sentence, why this notebook cannot go into the gradebook, which holds submissions."""
    with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        try:
            known = gradebook.find_notebook(name, name)
        except MissingEntry:
            return None
        held = {(role, cell.name) for role in ("grade", "solution", "task", "source")
                for cell in getattr(known, f"{role}_cells")}
        if not known.submissions:
            return None
    new = {(role, cell.metadata.nbgrader.grade_id) for cell in notebook.cells if noted(cell)
           for role, plays in (("grade", utils.is_grade), ("solution", utils.is_solution),
                               ("task", utils.is_task), ("source", noted)) if plays(cell)}
    if new == held:
        return None
    names = sorted({cell for _, cell in new ^ held})
    return (f"the gradebook holds submissions to another version of {name}, with other cells "
            f"({', '.join(names)}). Go on with the version that the class began with; or move "
            f"gradebook.db, autograded and feedback aside, and begin again with "
            f"`nbgrader generate_assignment {name}` (comments and points given by hand stay "
            f"behind)")


def noted(cell) -> bool:
    """Whether the gradebook has a note of this cell."""
    return any(plays(cell) for plays in (utils.is_grade, utils.is_solution, utils.is_locked,
                                         utils.is_task))


def without_tests(cell) -> str:
    """The source of a cell in the gradebook as it is handed out."""
    copy = nbformat.from_dict({"source": cell.source or ""})
    ClearHiddenTests()._remove_hidden_test_region(copy)
    return copy.source


class FeedbackExporter(Exporter):
    """generate_feedback: the page of cs_vis.grading.feedback, with the gradebook's points."""

    @default("file_extension")
    def _file_extension_default(self):
        return ".html"

    def from_notebook_node(self, nb, resources=None, **kwargs):
        nb, resources = super().from_notebook_node(nb, resources, **kwargs)
        names, root = resources["nbgrader"], Path(self.parent.coursedir.root)
        with Gradebook(names["db_url"]) as gradebook:
            work = gradebook.find_submission_notebook(
                names["notebook"], names["assignment"], names["student"])
            scores = {grade.name: score_of(grade) for grade in work.grades}
            comments = {comment.name: comment.manual_comment for comment in work.comments}
            name = roster.full_name(vars(gradebook.find_student(names["student"])))
            penalty = work.late_submission_penalty or 0.0
        page = feedback.page(
            nb, title=find_assignment(names["assignment"], root)["title"],
            student=f"{name} ({names['student']})" if name else names["student"], scores=scores,
            remarks=nb.metadata.get("cs_vis", {}).get("remarks", ()), comments=comments,
            penalty=penalty)
        return page, resources


def score_of(grade) -> Score:
    """What the gradebook says of one graded cell."""
    given = grade.manual_score is not None
    return Score(grade.score, grade.max_score, bool(grade.needs_manual_grade and not given), given)


def waiting(work) -> str:
    """What is added to the reason of a submission while a person has not read all of it."""
    points = sum(grade.max_score for notebook in work.notebooks for grade in notebook.grades
                 if score_of(grade).waits)
    return f"; {points:g} points wait for a person" if points else ""


class Export(ExportPlugin):
    """export: nbgrader's grades.csv, with the reason, and with names that hold a comma."""

    def export(self, gradebook):
        coursedir = self.parent.coursedir
        chosen = {kind: set(map(str, names)) for kind, names in
                  (("assignment", self.assignment), ("student", self.student))}
        rows = [row(gradebook, assignment, student, coursedir)
                for assignment in gradebook.assignments for student in gradebook.students
                if assignment.name in (chosen["assignment"] or {assignment.name})
                and student.id in (chosen["student"] or {student.id})]
        with open(self.to or "grades.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([COLUMNS, *rows])


def row(gradebook, assignment, student, coursedir) -> list:
    """One student's line for one assignment, in the order of COLUMNS."""
    about = [student.id, student.last_name, student.first_name, student.email]
    try:
        work = gradebook.find_submission(assignment.name, student.id)
    except MissingEntry:
        return [assignment.name, assignment.duedate, None, *about, 0.0, 0.0, 0.0,
                assignment.max_score, "nothing was handed in"]
    penalty = work.late_submission_penalty
    return [assignment.name, assignment.duedate, work.timestamp, *about, work.score, penalty,
            max(0.0, work.score - penalty), assignment.max_score,
            why(coursedir, assignment.name, student.id) + waiting(work)]


def why(coursedir, name: str, student: str) -> str:
    """What said.reason says of a student's graded notebook."""
    folder = coursedir.format_path(coursedir.autograded_directory, student, name)
    file = Path(folder) / f"{name}.ipynb"
    if not file.is_file():
        return "not graded: run `nbgrader autograde` again, which says why"
    return said.reason(nbformat.read(file, as_version=4))
