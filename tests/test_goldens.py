"""The stored tensors and docs/exercises.md are what `make goldens` would write today."""

import pytest
import torch

from cs_vis.checks.distance import largest_error, share_that_differs
from cs_vis.checks.stored import golden_of, load_goldens, save_goldens
from cs_vis.grading import goldens
from written import EXERCISES, NOTEBOOKS


def made_anew(notebook, folder):
    """The goldens as `make goldens` would write them today, in a file."""
    path = folder / f"{notebook}.safetensors"
    save_goldens(goldens.make(notebook), path)
    return path


def close(again, tensor):
    # Masks may differ between releases of OpenCV, by as much as the checks allow.
    distance, bound = ((share_that_differs, 0.01) if tensor.dtype == torch.bool
                       else (largest_error, 2e-3 if tensor.dtype == torch.float16 else 1e-5))
    return torch.equal(again, tensor) or distance(again.double(), tensor.double()) < bound


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_regenerated_tensors_are_the_stored_ones(notebook, tmp_path, monkeypatch):
    stored, fresh = load_goldens(notebook), made_anew(notebook, tmp_path)
    monkeypatch.setattr("cs_vis.datasets.path", lambda name: fresh)
    again = load_goldens(notebook)
    assert again.tensors.keys() == stored.tensors.keys()
    for key, tensor in stored.tensors.items():
        one = again.tensors[key]
        assert (one.shape, one.dtype) == (tensor.shape, tensor.dtype) and close(one, tensor), key
    for exercise, known in stored.fingerprints.items():
        assert again.fingerprints[exercise].keys() == known.keys()
        for names, prints in known.items():
            theirs = again.fingerprints[exercise][names]
            assert all(close(theirs[place], x) for place, x in prints.items()), names


def test_every_case_is_stored_the_tiny_ones_in_float64():
    for exercise in EXERCISES.values():
        stored = load_goldens(exercise.notebook)
        for case in exercise.cases:
            kind = torch.float64 if case.tiny else torch.float32
            assert {tensor.dtype for tensor in golden_of(stored, exercise, case).values()} <= {
                kind, torch.bool}


def test_fingerprints_differ_from_what_is_right_in_two_cases():
    for exercise in EXERCISES.values():
        stored = load_goldens(exercise.notebook)
        cases = {case.name: case for case in exercise.cases}
        for names, prints in stored.fingerprints[exercise.name].items():
            apart = set()
            for place, tensor in prints.items():
                case, output = place.split("/")
                right = golden_of(stored, exercise, cases[case])[output]
                if tensor.shape != right.shape or not cases[case].distance(
                        tensor.double(), right.double()) <= cases[case].tolerance:
                    apart.add(case)
            assert len(apart) >= 2, names


def test_exercises_page_is_current():
    page = (goldens.ROOT / "docs/exercises.md").read_text(encoding="utf-8")
    assert page == goldens.exercises_page(), "run `make goldens` and commit docs/exercises.md"


def test_exercises_page_has_a_row_for_each_exercise():
    rows = [line for line in goldens.exercises_page().splitlines() if line.startswith("| 03_")]
    assert len(rows) == len(goldens.exercises_of("03_saliency")) == 4
    assert len({row.replace("\\|", "").count("|") for row in rows}) == 1
