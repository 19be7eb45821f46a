"""check.progress(): the points of the checks that passed in this session."""

import pytest
import torch

from cs_vis import check
from cs_vis.checks import EXERCISES, points
from cs_vis.course import read_course
from cs_vis.reference.saliency import GuidedReLU

NAME = "03_saliency"


@pytest.fixture(autouse=True)
def fresh():
    """A session in which no check has run yet."""
    before = dict(points.ended)
    points.ended.clear()
    yield
    points.ended.clear()
    points.ended.update(before)


def lines(capsys):
    """What progress prints: the first words of each line, and the line."""
    capsys.readouterr()  # what the checks said
    check.progress()
    return {line.split()[0]: " ".join(line.split()) for line in capsys.readouterr().out.splitlines()
            if line}


class Unsolved(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        raise NotImplementedError

    @staticmethod
    def backward(ctx, g):
        raise NotImplementedError


def test_before_any_check_it_says_what_to_do(capsys):
    check.progress()
    assert capsys.readouterr().out.startswith("No check has run in this session. Run the one below")


def test_the_last_run_of_a_check_counts(capsys):
    check.GuidedReLU(GuidedReLU)
    said = lines(capsys)
    assert said[f"{NAME}:"].startswith(f"{NAME}: 2 of the 8 points of its checks")
    assert said["GuidedReLU"] == "GuidedReLU 2 of 2 passed"
    assert said["occlusion_map"] == "occlusion_map 0 of 2 not run yet"
    assert said["Of"] == ("Of the notebook's 20 points, the others come when it is graded: "
                          "12 by hidden tests on other inputs.")
    with pytest.raises(check.NotSolved):
        check.GuidedReLU(Unsolved)
    said = lines(capsys)
    assert said[f"{NAME}:"].startswith(f"{NAME}: 0 of the 8")
    assert said["GuidedReLU"] == "GuidedReLU 0 of 2 not passed yet: read what its check says"
    check.GuidedReLU(GuidedReLU)
    assert lines(capsys)["GuidedReLU"] == "GuidedReLU 2 of 2 passed"


def test_what_is_no_function_or_stops_half_way_has_not_passed(capsys, monkeypatch):
    check.GuidedReLU(GuidedReLU)
    with pytest.raises(check.CheckFailed, match="Pass the function itself"):
        check.GuidedReLU(7)
    assert points.ended == {"GuidedReLU": False}

    def stop(*arguments):
        raise KeyboardInterrupt
    check.GuidedReLU(GuidedReLU)
    monkeypatch.setattr("cs_vis.checks.engine.observe_all", stop)
    with pytest.raises(KeyboardInterrupt):
        check.GuidedReLU(GuidedReLU)
    assert points.ended == {"GuidedReLU": False}


def test_looking_changes_nothing(capsys):
    check.GuidedReLU(GuidedReLU)
    first = lines(capsys)
    assert lines(capsys) == first and points.ended == {"GuidedReLU": True}
    assert check.progress() is None


@pytest.mark.parametrize("entry", read_course()["assignments"], ids=lambda entry: entry["name"])
def test_points_are_those_of_the_notebook(entry):
    """Every exercise has a graded check, and the notebook's points are the course's."""
    cells = points.graded_cells(entry["name"])
    assert sum(worth for worth, _, _ in cells) == entry["points"]
    for exercise in EXERCISES.values():
        if exercise.notebook == entry["name"]:
            assert any(f"check.{exercise.name}(" in source for _, source, _ in cells)


def test_answers_that_a_person_reads_are_named(monkeypatch):
    cells = [(2, "check.f(f)", False), (3, "# hidden", False), (4, "", True)]
    monkeypatch.setattr(points, "graded_cells", lambda name: cells)
    said = points.table("01_words", ["f"])
    assert "0 of the 2 points of its checks" in said
    assert said.endswith("Of the notebook's 9 points, the others come when it is graded: 3 by "
                         "hidden tests on other inputs and 4 by a person who reads your answers.")
