"""The stored tensors and docs/exercises.md are what `make goldens` would write today."""

import pytest
import torch

from cs_vis import checks
from cs_vis.checks.distance import largest_error, share_that_differs
from cs_vis.checks.stored import golden_of, load_goldens
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
        distance, bound = ((share_that_differs, 0.01) if tensor.dtype == torch.bool
                           else (largest_error, 1e-5))
        assert torch.equal(again, tensor) or distance(again, tensor) < bound, key


def test_every_case_is_stored_the_tiny_ones_in_float64():
    stored = load_goldens("03_saliency")
    for exercise in checks.EXERCISES.values():
        for case in exercise.cases:
            kind = torch.float64 if case.fingerprints else torch.float32
            assert {tensor.dtype for tensor in golden_of(stored, exercise, case).values()} <= {
                kind, torch.bool}


def test_exercises_page_is_current():
    page = (goldens.ROOT / "docs/exercises.md").read_text(encoding="utf-8")
    assert page == goldens.exercises_page(), "run `make goldens` and commit docs/exercises.md"


def test_exercises_page_has_a_row_for_each_exercise():
    rows = [line for line in goldens.exercises_page().splitlines() if line.startswith("| 03_")]
    assert len(rows) == len(checks.EXERCISES) == 4
    assert len({row.replace("\\|", "").count("|") for row in rows}) == 1
