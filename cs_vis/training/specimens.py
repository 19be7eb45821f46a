"""The two networks of the drawn world.

The robust network is made in two parts: first against changes bounded in every value (L-inf),
then, with its batch norm folded away, against those and changes bounded in length (L2).
"""

import numpy as np
import torch

from .. import specimens
from ..models.specimen_net import SpecimenNet
from . import data
from .descent import Tuning, descend, descend_in_both_balls, descend_robustly
from .loop import checkpoint_at, run, write
from .net import TrainingNet, fold

# Stages (side of the image in pixels, images seen): small images first, the real size last.
ORDINARY = ((64, 64_000), (96, 64_000), (128, 48_000))
ROBUST = ((96, 16_000), (128, 16_000))
TUNINGS = (Tuning(520, 4e-4, 8 / 255, 3.0, 0.5), Tuning(400, 3e-4, 8 / 255, 4.0, 0.67))


def steps_of(stages):
    """The side of the images at every step."""
    return [px for px, seen in stages for _ in range(seen // data.BATCH)]


def train(name, folder, weights, seed, progress):
    """Train "specimens", or fine-tune it into "specimens-robust"; returns the weights' path."""
    net = TrainingNet(len(specimens.class_names)).to(memory_format=torch.channels_last)
    if name == "specimens-robust":
        net.load_state_dict(finished(folder, seed))
    pool = data.pool(folder, progress=progress)
    state, seconds = part_one(name, net, pool, folder, seed, progress)
    if name == "specimens-robust":
        state, more = part_two(state, pool, folder, seed, progress)
        seconds += more
    return save(name, state, weights, pool[0], seconds, seed)


def part_one(name, net, pool, folder, seed, progress):
    """A TrainingNet from small images to the real size; its folded weights, and the seconds."""
    robust = name == "specimens-robust"
    sides, peak = (steps_of(ROBUST), 1e-3) if robust else (steps_of(ORDINARY), 3e-3)

    def step(optimizer, number, generator):
        px = sides[number]
        images, labels = data.sample(*pool, px, px == sides[-1], generator)
        return (descend_robustly(net, optimizer, images, labels, generator) if robust
                else descend(net, optimizer, images, labels))
    seconds = run(name, net, step, len(sides), peak, folder / f"{name}.pt", seed, progress)
    return fold(net), seconds


def part_two(state, pool, folder, seed, progress):
    """The robust network tuned in both balls, at the real size and without batch norm."""
    net = SpecimenNet(classes=len(specimens.class_names)).to(memory_format=torch.channels_last)
    net.load_state_dict(state)

    seconds = 0.0
    for number, tuning in enumerate(TUNINGS, 1):
        def step(optimizer, _, generator):
            images, labels = data.moved(*pool, generator)
            return descend_in_both_balls(net, optimizer, images, labels, tuning, generator)
        checkpoint = folder / f"specimens-robust-tuning-{number}.pt"
        seconds += run(f"tuning {number}", net, step, tuning.steps, tuning.peak, checkpoint, seed,
                       progress)
    return net.state_dict(), seconds


def finished(folder, seed):
    """The weights of the ordinary network at the end of its training."""
    saved = checkpoint_at(folder / "specimens.pt", seed)
    if saved is None or saved["step"] < len(steps_of(ORDINARY)):
        raise FileNotFoundError(f"folder={str(folder)!r} holds no finished specimens.pt, from "
                                "which the robust network starts: run `cs-vis train specimens` "
                                "first")
    return saved["net"]


def save(name, state, weights, pictures, seconds, seed):
    """Write the weights with their class names and the mean colour of what was learned from."""
    mean = (pictures[:2000].astype(np.float64).mean(axis=(0, 1, 2)) / 255).round(4).tolist()
    return write(weights / f"{name}.safetensors", state, seconds, seed,
                 class_names=specimens.class_names, mean_color=mean)
