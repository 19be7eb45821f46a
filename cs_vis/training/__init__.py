"""Training what ships, one command each: `cs-vis train specimens`, then `cs-vis train
specimens-robust`, then `cs-vis train generator`. Everything is drawn from the seed and the
number of the step, so a run that was killed goes on as if nothing had happened."""

from pathlib import Path

import torch

from . import generator, specimens

NAMES = ("specimens", "specimens-robust", "generator")

__all__ = ["train", "NAMES"]


def train(name: str, *, folder="runs", weights="datasets/weights", seed: int = 0,
          progress: bool = True) -> Path:
    """Train one of NAMES; returns the path of its weights, fp16 safetensors in `weights`.

    `folder` keeps the drawn images and a checkpoint every minute or so; the same call resumes.
    Some 40 minutes on 2 cores for "specimens", an hour for "specimens-robust", which starts from
    it, and half an hour for "generator", which sees with the robust network that ships.
    Raises ValueError on an unknown name, or a checkpoint made with another seed, FileNotFoundError
    when the robust network has no start.
    """
    if name not in NAMES:
        raise ValueError(f"name={name!r} cannot be trained; choose one of {', '.join(NAMES)}")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if name == "generator":
            return generator.train(folder, Path(weights), seed, progress)
        return specimens.train(name, folder, Path(weights), seed, progress)
