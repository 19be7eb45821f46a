"""Inputs and observations as files, so that one process may draw and judge, and another call.

Closed kinds only, and no pickle: reading a file runs nothing of what is in it.
"""

import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from .inputs import Leaf, Network
from .observe import Observed, Odd, Outcome
from .path import Trace
from .place import Problem

KINDS = {kind.__name__: kind for kind in (Leaf, Network, Odd, Outcome, Observed, Problem,
                                          Trace)}


def save(value, path: Path) -> None:
    """Write tensors, plain values, and lists, tuples, dicts and our own kinds of them."""
    tensors: dict[str, torch.Tensor] = {}
    tree = encode(value, tensors)
    save_file(tensors, path, {"tree": json.dumps(tree)})


def load(path: Path):
    """What `save` wrote. Raises ValueError for a file that holds anything else."""
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}
            return decode(json.loads(file.metadata()["tree"]), tensors)
    except Exception as error:  # whatever is in the file, and whatever that breaks
        raise ValueError(f"{path} is no box of this course ({type(error).__name__}): write it "
                         f"with cs_vis.checks.boxes.save") from error


def encode(value, tensors):
    if isinstance(value, torch.Tensor):
        tensors[str(len(tensors))] = value.detach().cpu().contiguous().clone()
        return {"tensor": str(len(tensors) - 1)}
    if type(value).__name__ in KINDS and type(value) is KINDS[type(value).__name__]:
        return {"kind": type(value).__name__, "fields": [encode(x, tensors) for x in value]}
    if isinstance(value, dict):
        return {"dict": [[key, encode(x, tensors)] for key, x in value.items()]}
    if isinstance(value, (list, tuple)):
        return {type(value).__name__: [encode(x, tensors) for x in value]}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a {type(value).__name__} cannot be kept in a box: tensors, numbers, strings "
                    f"and lists or dicts of these can")


def decode(tree, tensors):
    if not isinstance(tree, dict):
        return tree
    (kind, content), = ((key, x) for key, x in tree.items() if key != "fields")
    if kind == "tensor":
        return tensors[content]
    if kind == "dict":
        return {key: decode(x, tensors) for key, x in content}
    if kind == "kind":
        return KINDS[content](*(decode(x, tensors) for x in tree["fields"]))
    return {"list": list, "tuple": tuple}[kind](decode(x, tensors) for x in content)
