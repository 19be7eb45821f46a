"""The stored tensors of a notebook: what is right, and the fingerprints of known mistakes."""

import json
from typing import NamedTuple

import torch
from safetensors import safe_open

from .. import datasets


class Goldens(NamedTuple):
    """The stored tensors of a notebook, and the errors that some mistakes end in."""
    tensors: dict[str, torch.Tensor]  # "exercise/case/output" or "exercise/case/output/mistake"
    errors: dict[str, str]  # "exercise/case/mistake" -> name of the error


def load_goldens(notebook: str) -> Goldens:
    """The goldens of a notebook, for example of "03_saliency"."""
    with safe_open(datasets.path(f"goldens/{notebook}.safetensors"), framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}
        return Goldens(tensors, json.loads(file.metadata()["errors"]))


def golden_of(goldens: Goldens, exercise, case) -> dict[str, torch.Tensor]:
    """What is right in this case, by name of the output. Raises LookupError if none is stored."""
    prefix = f"{exercise.name}/{case.name}/"
    golden = {key.removeprefix(prefix): tensor for key, tensor in goldens.tensors.items()
              if key.startswith(prefix) and key.count("/") == 2}
    if not golden:
        raise LookupError(f"The goldens of {exercise.notebook} hold nothing for {exercise.name} "
                          f"with {case.name}: they are out of date. This is not your mistake. Run "
                          f"`make goldens` in a clone, or reinstall cs_vis.")
    return golden
