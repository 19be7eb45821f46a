"""The stored tensors and docs/exercises.md are what `make goldens` would write today."""

import pytest
import torch

from cs_vis import checks
from cs_vis.checks.distance import largest_error
from cs_vis.checks.stored import load_goldens
from cs_vis.grading import goldens


@pytest.fixture(scope="module")
def fresh():
    return goldens.make("03_saliency")


def test_regenerated_tensors_are_the_stored_ones(fresh):
    stored = load_goldens("03_saliency")
    assert fresh.tensors.keys() == stored.tensors.keys()
    assert fresh.errors == stored.errors
    for key, tensor in stored.tensors.items():
        again = fresh.tensors[key]
        assert (again.shape, again.dtype) == (tensor.shape, tensor.dtype), key
        # Masks may differ between releases of OpenCV, by as much as the checks allow.
        bound = 0.01 if tensor.dtype == torch.bool else 1e-5
        assert torch.equal(again, tensor) or largest_error(again, tensor) < bound, key


def test_references_on_tiny_cases_are_stored_in_float64():
    stored = load_goldens("03_saliency")
    for exercise in checks.EXERCISES.values():
        for case in exercise.cases:
            right = {key: tensor for key, tensor in stored.tensors.items()
                     if key.startswith(f"{exercise.name}/{case.name}/") and key.count("/") == 2}
            assert right or not case.fingerprints
            assert all(tensor.dtype in (torch.float64, torch.bool)
                       for tensor in right.values() if case.fingerprints)


def test_exercises_page_is_current():
    page = (goldens.ROOT / "docs/exercises.md").read_text(encoding="utf-8")
    assert page == goldens.exercises_page(), "run `make goldens` and commit docs/exercises.md"


def test_exercises_page_has_a_row_for_each_exercise():
    rows = [line for line in goldens.exercises_page().splitlines() if line.startswith("| 03_")]
    assert len(rows) == len(checks.EXERCISES) == 4
    assert len({row.replace("\\|", "").count("|") for row in rows}) == 1
