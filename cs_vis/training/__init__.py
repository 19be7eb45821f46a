"""Training the two networks: `cs-vis train specimens`, then `cs-vis train specimens-robust`.

The robust network is made in two parts: first against changes bounded in every value (L-inf),
then, with its batch norm folded away, against those and changes bounded in length (L2). Everything
is drawn from the seed and the number of the step, so a run that was killed goes on from its last
checkpoint as if nothing had happened.
"""

import json
import math
import time
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn
from tqdm.auto import tqdm

from .. import specimens
from ..models.specimen_net import NAMES, SpecimenNet
from . import data
from .net import TrainingNet, fold

# Stages (side of the image in pixels, images seen): small images first, the real size last.
ORDINARY = ((64, 64_000), (96, 64_000), (128, 48_000))
ROBUST = ((96, 16_000), (128, 16_000))
RADIUS, REPLAYS = 6 / 255, 3  # of the perturbations the robust network is trained against


class Tuning(NamedTuple):
    """A run of the second part, at full size: each image in an L-inf or in an L2 ball."""
    steps: int
    peak: float   # of the learning rate
    linf: float   # radius, the largest change of any value
    l2: float     # radius, the length of the change over the whole picture
    share: float  # of the images that are changed within the L2 ball


TUNINGS = (Tuning(520, 4e-4, 8 / 255, 3.0, 0.5), Tuning(400, 3e-4, 8 / 255, 4.0, 0.67))
BALL_REPLAYS = 4
CHECKPOINT_SECONDS = 60


def steps_of(stages):
    """The side of the images at every step."""
    return [px for px, seen in stages for _ in range(seen // data.BATCH)]


def learning_rate(step, total, peak):
    """A short warm-up, then a cosine to zero."""
    warm = max(1, total // 20)
    return peak * min(1, (step + 1) / warm) * 0.5 * (1 + math.cos(math.pi * step / total))


def descend(net, optimizer, images, labels):
    """One step of the weights; returns the loss. Images that require it get their gradient."""
    with torch.autocast(images.device.type, torch.bfloat16):
        loss = F.cross_entropy(net(images), labels, label_smoothing=0.05)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 2.0)
    optimizer.step()
    return loss.item()


def descend_robustly(net, optimizer, images, labels, generator):
    """Adversarial training "for free", Shafahi et al. 2019: each backward pass serves twice,
    for a step of the weights and for a step of the attack."""
    delta = (torch.rand(images.shape, generator=generator) * 2 - 1).to(images) * RADIUS
    for _ in range(REPLAYS):
        attacked = (images + delta).clamp(0, 1).requires_grad_()
        loss = descend(net, optimizer, attacked, labels)
        delta = (delta + 0.7 * RADIUS * attacked.grad.sign()).clamp(-RADIUS, RADIUS)
    return loss


def descend_in_both_balls(net, optimizer, images, labels, tuning, generator):
    """The same, each image in a ball of its own: some L-inf, some L2."""
    in_l2 = torch.rand(len(images), 1, 1, 1, generator=generator).to(images) < tuning.share
    delta = (torch.rand(images.shape, generator=generator) * 2 - 1).to(images) * tuning.linf
    for _ in range(BALL_REPLAYS):
        attacked = (images + delta).clamp(0, 1).requires_grad_()
        loss = descend(net, optimizer, attacked, labels)
        along = attacked.grad / length(attacked.grad)
        step = torch.where(in_l2, tuning.l2 * along, tuning.linf * attacked.grad.sign())
        delta = delta + 0.7 * step
        shorter = delta * (tuning.l2 / length(delta)).clamp(max=1)
        delta = torch.where(in_l2, shorter, delta.clamp(-tuning.linf, tuning.linf))
    return loss


def length(images):
    """The L2 norm of each image, (N, 1, 1, 1)."""
    return images.flatten(1).norm(dim=1).clamp(min=1e-12)[:, None, None, None]


def train(name: str, *, folder="runs", weights="datasets/weights", seed: int = 0,
          progress: bool = True) -> Path:
    """Train "specimens", or fine-tune it into "specimens-robust"; returns the weights' path.

    `folder` keeps the drawn images and a checkpoint every minute or so; the same call resumes.
    Weights are written as fp16 safetensors into `weights`. Some 40 minutes on 2 cores for the
    ordinary network, an hour for the robust one.
    Raises ValueError on an unknown name, or a checkpoint made with another seed, FileNotFoundError
    when the robust network has no start.
    """
    if name not in NAMES:
        raise ValueError(f"name={name!r} cannot be trained; choose 'specimens' or "
                         "'specimens-robust'")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = TrainingNet(len(specimens.class_names)).to(memory_format=torch.channels_last)
        if name == "specimens-robust":
            net.load_state_dict(finished(folder, seed))
        pool = data.pool(folder, progress=progress)
        state, seconds = part_one(name, net, pool, folder, seed, progress)
        if name == "specimens-robust":
            state, more = part_two(state, pool, folder, seed, progress)
            seconds += more
    return save(name, state, Path(weights), pool[0], seconds, seed)


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


def checkpoint_at(path, seed):
    """What an earlier run left, None if there was none; another seed's run cannot be resumed."""
    if not path.exists():
        return None
    saved = torch.load(path, weights_only=True)
    if saved["seed"] != seed:
        raise ValueError(f"seed={seed}, but {path} was made with seed={saved['seed']}: resume with "
                         f"that seed, or give another folder")
    return saved


def optimizer_of(net):
    """AdamW, with weight decay on matrices and kernels alone."""
    matrices = [p for p in net.parameters() if p.ndim > 1]
    vectors = [p for p in net.parameters() if p.ndim == 1]
    return torch.optim.AdamW([{"params": matrices, "weight_decay": 0.03},
                              {"params": vectors, "weight_decay": 0.0}])


def run(name, net, take, steps, peak, checkpoint, seed, progress):
    """All steps, from the checkpoint on where there is one; returns the seconds used so far.

    take(optimizer, number, generator) takes one step and returns the loss.
    """
    optimizer, step, seconds = optimizer_of(net), 0, 0.0
    saved = checkpoint_at(checkpoint, seed)
    if saved:
        net.load_state_dict(saved["net"])
        optimizer.load_state_dict(saved["optimizer"])
        step, seconds = saved["step"], saved["seconds"]
    net.train()
    clock = kept = time.monotonic()
    bar = tqdm(total=steps, initial=step, desc=name, unit="step", disable=not progress)
    while step < steps:
        generator = torch.Generator().manual_seed(1_000_003 * seed + step)
        torch.manual_seed(1_000_003 * seed + step)  # for dropout: a resumed run is the same run
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps, peak)
        loss = take(optimizer, step, generator)
        step += 1
        bar.update()
        bar.set_postfix(loss=f"{loss:.3f}")
        if time.monotonic() - kept > CHECKPOINT_SECONDS or step == steps:
            now = time.monotonic()
            seconds, clock, kept = seconds + now - clock, now, now
            keep(checkpoint, net, optimizer, step, seconds, seed)
    return seconds


def keep(checkpoint, net, optimizer, step, seconds, seed):
    """Write the checkpoint beside the old one, then put it in its place: one always survives."""
    part = checkpoint.with_suffix(".part")
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict(), "step": step,
                "seconds": seconds, "seed": seed}, part)
    part.replace(checkpoint)


def save(name, state, weights, pictures, seconds, seed):
    """Round to fp16 and write the weights with what a user must know about them."""
    weights.mkdir(parents=True, exist_ok=True)
    mean = (pictures[:2000].astype(np.float64).mean(axis=(0, 1, 2)) / 255).round(4).tolist()
    about = {"class_names": json.dumps(specimens.class_names), "mean_color": json.dumps(mean),
             "training": json.dumps({
                 "seed": seed, "minutes": round(seconds / 60, 1), "torch": torch.__version__,
                 "numpy": np.__version__, "opencv": cv2.__version__,
                 "threads": torch.get_num_threads()})}
    path = weights / f"{name}.safetensors"
    halves = {key: tensor.detach().half().contiguous() for key, tensor in state.items()}
    save_file(halves, path, metadata=about)
    path.chmod(0o644)  # safetensors writes for the owner alone
    return path
