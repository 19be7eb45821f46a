"""The sample class gets exactly the points it deserves."""

import csv

import nbformat
import pytest

from cs_vis.grading import demo, sample_class
from cs_vis.checks.points import graded_cells
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


def exported(folder):
    with (folder / "grades.csv").open(newline="", encoding="utf-8") as file:
        return {row["student_id"]: row for row in csv.DictReader(file)}


def test_grades_are_exported(folder, grades):
    points = {student: float(row["score"]) for student, row in exported(folder).items()}
    assert points == {student: grade.points for student, grade in grades.items()}
    assert exported(folder)["evariste"]["first_name"] == "Évariste"
    assert exported(folder)["sofia"]["email"] == "sofia@example.org"


def test_who_handed_in_nothing_has_a_row_that_says_so(folder, grades):
    missing, = grades.keys() - {submission.student for submission in sample_class.CLASS}
    assert grades[missing] == (missing, 0, 20, "nothing was handed in")
    assert exported(folder)[missing]["why"] == "nothing was handed in"
    assert not (folder / "feedback" / missing).exists()


def test_the_table_has_names_and_reasons(grades):
    stories = {entry.student: entry.story for entry in sample_class.CLASS}
    lines = demo.table(sorted(grades.values()), stories, {"ada": {"first_name": "Ada"}}).split("\n")
    assert len(lines) == 1 + len(grades)
    assert lines[1].split() == "Ada 20/20 right all checks passed".split()
    assert max(map(len, lines)) < 160


def test_everybody_who_handed_in_gets_feedback_without_hidden_tests(folder, grades):
    for submission in sample_class.CLASS:
        page = (folder / "feedback" / submission.student / NAME / f"{NAME}.html").read_text()
        assert sample_class.NAMES[submission.student].strip() in page
        for secret in ("HIDDEN", "cs_vis.grading.hidden", str(ROOT), str(folder)):
            assert secret not in page, (submission.student, secret)


def test_feedback_opens_with_the_reason(folder, grades):
    for student, line in [
            ("carl", "mean over channels"), ("alan", "ran longer than the time limit"),
            ("leonhard", "not written yet"), ("isaac", "nothing to grade")]:
        page = (folder / "feedback" / student / NAME / f"{NAME}.html").read_text()
        assert f"<td>{line}" in page, student


OTHERS = [name for name in sample_class.CLASSES if name != NAME]


@pytest.mark.parametrize("name", [*[pytest.param(name, marks=pytest.mark.slow)
                                    for name in OTHERS[:-1]], OTHERS[-1]])
def test_the_other_assignments_are_graded_too(name, tmp_path):
    """A few each: right work, two of the known mistakes, and a blank notebook."""
    known = {mistake for mistakes in mistakes_of(name).MISTAKES.values()
             for names, _ in mistakes for mistake in names}
    handed_in = {entry.student: entry for entry in sample_class.CLASSES[name]}
    assert sum(entry.story in known for entry in handed_in.values()) == 2
    read = sum(worth for worth, _, by_hand in graded_cells(name) if by_hand)
    assert {0, 20 - read} < {entry.points for entry in handed_in.values()}
    graded = {grade.student: grade for grade in demo.grade_sample_class(tmp_path / "class", name)}
    for student, entry in handed_in.items():
        assert (graded[student].points, graded[student].maximum) == (entry.points, 20)
        assert entry.reason in graded[student].reason, graded[student]
        page = (tmp_path / "class" / "feedback" / student / name / f"{name}.html").read_text()
        assert "cs_vis.grading.hidden" not in page


def test_a_change_that_no_longer_fits_is_refused():
    release, solution = (nbformat.read(ROOT / step / NAME / f"{NAME}.ipynb", as_version=4)
                         for step in ("notebooks", "solutions"))
    stale = sample_class.Submission("zoe", "stale", 0, "", {sample_class.SALIENCY: ("amix", "")})
    with pytest.raises(ValueError, match="student='zoe' changes 'amix'"):
        sample_class.write(release, sample_class.right_answers(solution), stale)
