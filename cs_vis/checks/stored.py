"""The stored tensors of a notebook: what is right, and the fingerprints of known mistakes."""

import json
import math
from collections import defaultdict
from typing import NamedTuple

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from .. import datasets

LIKENESS = 3e-3  # a fingerprint is kept in half precision, so this is how near a likeness must be


class Goldens(NamedTuple):
    """What is right, and what known mistakes return."""
    tensors: dict[str, torch.Tensor]  # "exercise/case/output"
    fingerprints: dict[str, dict]  # exercise -> (names of mistakes, which form) -> "case/output"


def load_goldens(notebook: str) -> Goldens:
    """The goldens of a notebook, for example of "03_saliency"."""
    with safe_open(datasets.path(f"goldens/{notebook}.safetensors"), framework="pt") as file:
        return unpack({key: file.get_tensor(key) for key in file.keys()}, file.metadata())


def save_goldens(goldens: Goldens, path) -> None:
    tensors, about = pack(goldens)
    save_file(tensors, path, {**about, "torch": torch.__version__})
    path.chmod(0o644)  # safetensors writes for the owner alone


def pack(goldens: Goldens) -> tuple[dict, dict]:
    """The tensors and the metadata of a file. Fingerprints of one shape lie in one tensor, beside
    the places of their names in the metadata's list."""
    tensors, about = dict(goldens.tensors), {}
    for exercise, known in goldens.fingerprints.items():
        about[exercise] = json.dumps([[*names, form] for names, form in known])
        groups = defaultdict(list)
        for index, prints in enumerate(known.values()):
            for place, tensor in prints.items():
                kept = tensor if tensor.dtype == torch.bool else tensor.half()
                groups[place, tuple(tensor.shape), kept.dtype].append((index, kept))
        for number, ((place, _, _), group) in enumerate(groups.items()):
            which, stack = zip(*group)
            tensors[f"{exercise}/{place}/which/{number}"] = torch.tensor(which, dtype=torch.int16)
            stack = torch.stack(stack)
            about[f"{exercise}/{place}/{number}"] = json.dumps(list(stack.shape))
            if stack.dtype == torch.bool:  # eight pixels to a byte
                stack = torch.from_numpy(np.packbits(stack.numpy()))
            tensors[f"{exercise}/{place}/prints/{number}"] = stack
    return tensors, about


def unpack(tensors: dict, about: dict) -> Goldens:
    """The goldens of which `pack` made these."""
    goldens = Goldens({}, {})
    for key, tensor in tensors.items():
        exercise, case, output, *group = key.split("/")
        if not group:
            goldens.tensors[key] = tensor
        elif group[0] == "prints":
            names = [(tuple(entry[:-1]), entry[-1]) for entry in json.loads(about[exercise])]
            known = goldens.fingerprints.setdefault(exercise, {name: {} for name in names})
            shape = json.loads(about[f"{exercise}/{case}/{output}/{group[1]}"])
            if tensor.dtype == torch.uint8:  # masks
                bits = np.unpackbits(tensor.numpy(), count=math.prod(shape))
                tensor = torch.from_numpy(bits.astype(bool)).view(shape)
            for index, one in zip(tensors[key.replace("/prints/", "/which/")].tolist(), tensor):
                known[names[index]][f"{case}/{output}"] = one
    return goldens


def golden_of(goldens: Goldens, exercise, case) -> dict[str, torch.Tensor]:
    """What is right in this case, by name of the output. Raises LookupError if none is stored."""
    prefix = f"{exercise.name}/{case.name}/"
    golden = {key.removeprefix(prefix): tensor for key, tensor in goldens.tensors.items()
              if key.startswith(prefix)}
    if not golden:
        raise LookupError(f"The goldens of {exercise.notebook} hold nothing for {exercise.name} "
                          f"with {case.name}: they are out of date. This is not your mistake. Run "
                          f"`make goldens` in a clone, or reinstall cs_vis.")
    return golden
