"""The sample class gets exactly the points it deserves."""

import csv
import re

import nbformat
import pytest

from cs_vis.grading import demo, sample_class
from cs_vis.course import ROOT, find_assignment
from cs_vis.grading.goldens import mistakes_of

NAME = sample_class.NAME


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("class")


@pytest.fixture(scope="module")
def grades(folder):
    return {grade.student: grade for grade in demo.grade_sample_class(folder)}


@pytest.mark.parametrize("submission", sample_class.CLASS, ids=lambda entry: entry.student)
def test_points_and_reason(grades, submission):
    grade = grades[submission.student]
    assert (grade.points, grade.maximum) == (submission.points, 20), grade
    assert submission.reason in grade.reason


def test_the_class_is_worth_grading():
    """Enough students, and the named mistakes are those of solutions/03_saliency_mistakes.py."""
    known = {name for mistakes in mistakes_of(NAME).MISTAKES.values()
             for names, _ in mistakes for name in names}
    assert len(sample_class.CLASS) >= 12
    assert sum(submission.story in known for submission in sample_class.CLASS) >= 4
    assert find_assignment(NAME)["points"] == max(entry.points for entry in sample_class.CLASS)


def test_grades_are_exported(folder, grades):
    rows = csv.DictReader((folder / "grades.csv").open())
    exported = {row["student_id"]: float(row["score"]) for row in rows}
    assert exported == {student: grade.points for student, grade in grades.items()}


def test_everybody_gets_feedback_without_hidden_tests(folder, grades):
    for student in grades:
        page = folder / "feedback" / student / NAME / f"{NAME}.html"
        text = re.sub(r"<[^>]+>", "", page.read_text())
        assert "HIDDEN" not in text and "def hidden_" not in text, student


def test_a_change_that_no_longer_fits_is_refused():
    release, solution = (nbformat.read(ROOT / step / NAME / f"{NAME}.ipynb", as_version=4)
                         for step in ("notebooks", "solutions"))
    stale = sample_class.Submission("zoe", "stale", 0, "", {sample_class.SALIENCY: ("amix", "")})
    with pytest.raises(ValueError, match="student='zoe' changes 'amix'"):
        sample_class.write(release, sample_class.right_answers(solution), stale)
