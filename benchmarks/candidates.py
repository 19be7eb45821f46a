"""The networks that the benchmarks compare: those that ship, and files of weights like theirs."""

import os.path
from pathlib import Path

import torch

from cs_vis import datasets
from cs_vis.models import SpecimenNet, load_model, specimen_net


def network(name_or_file: str, device) -> SpecimenNet:
    """A shipped network by its name, or one in training by its .safetensors file; frozen."""
    if name_or_file in specimen_net.NAMES:
        model = load_model(name_or_file, device=device)
    else:
        model = from_file(Path(name_or_file)).eval().requires_grad_(False).to(device)
    return model.to(memory_format=torch.channels_last)  # the same scores in half the time on a CPU


def from_file(file):
    if file.suffix != ".safetensors" or not file.is_file():
        raise SystemExit(f"{file} is neither {' nor '.join(specimen_net.NAMES)} "
                         f"nor a file of weights (.safetensors)")
    # `load` looks for a name in datasets/weights, so the file is named as seen from there.
    seen = os.path.relpath(file.resolve().with_suffix(""), datasets.path("weights").resolve())
    return specimen_net.load(seen)
