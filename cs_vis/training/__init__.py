"""Training the two networks: `cs-vis train specimens`, then `cs-vis train specimens-robust`.

Everything is drawn from the seed and the number of the step, so a run that was killed goes on from
its last checkpoint as if nothing had happened.
"""

import json
import math
import time
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn
from tqdm.auto import tqdm

from .. import specimens
from ..models.specimen_net import NAMES
from . import data
from .net import TrainingNet, fold

# Stages (side of the image in pixels, images seen): small images first, the real size last.
ORDINARY = ((64, 64_000), (96, 64_000), (128, 48_000))
ROBUST = ((96, 16_000), (128, 16_000))
RADIUS, REPLAYS = 6 / 255, 3  # of the perturbations the robust network is trained against
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


def train(name: str, *, folder="runs", weights="datasets/weights", seed: int = 0,
          progress: bool = True) -> Path:
    """Train "specimens", or fine-tune it into "specimens-robust"; returns the weights' path.

    `folder` keeps the drawn images and a checkpoint every minute or so; the same call resumes.
    Weights are written as fp16 safetensors into `weights`. At most 45 minutes each on 2 cores.
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
        pictures, labels = data.pool(folder, progress=progress)
        seconds = run(name, net, pictures, labels, folder / f"{name}.pt", seed, progress)
    return save(name, net, Path(weights), pictures, seconds, seed)


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


def run(name, net, pictures, labels, checkpoint, seed, progress):
    """All steps, from the checkpoint on where there is one; returns the seconds used so far."""
    robust = name == "specimens-robust"
    sides, peak = (steps_of(ROBUST), 1e-3) if robust else (steps_of(ORDINARY), 3e-3)
    optimizer, step, seconds = optimizer_of(net), 0, 0.0
    saved = checkpoint_at(checkpoint, seed)
    if saved:
        net.load_state_dict(saved["net"])
        optimizer.load_state_dict(saved["optimizer"])
        step, seconds = saved["step"], saved["seconds"]
    net.train()
    clock = kept = time.monotonic()
    bar = tqdm(total=len(sides), initial=step, desc=name, unit="step", disable=not progress)
    while step < len(sides):
        generator = torch.Generator().manual_seed(1_000_003 * seed + step)
        torch.manual_seed(1_000_003 * seed + step)  # for dropout: a resumed run is the same run
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, len(sides), peak)
        px = sides[step]
        images, targets = data.sample(pictures, labels, px, px == sides[-1], generator)
        loss = (descend_robustly(net, optimizer, images, targets, generator) if robust
                else descend(net, optimizer, images, targets))
        step += 1
        bar.update()
        bar.set_postfix(px=px, loss=f"{loss:.3f}")
        if time.monotonic() - kept > CHECKPOINT_SECONDS or step == len(sides):
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


def save(name, net, weights, pictures, seconds, seed):
    """Fold, round to fp16 and write the weights with what a user must know about them."""
    weights.mkdir(parents=True, exist_ok=True)
    mean = (pictures[:2000].astype(np.float64).mean(axis=(0, 1, 2)) / 255).round(4).tolist()
    about = {"class_names": json.dumps(specimens.class_names), "mean_color": json.dumps(mean),
             "training": json.dumps({
                 "seed": seed, "minutes": round(seconds / 60, 1), "torch": torch.__version__,
                 "numpy": np.__version__, "opencv": cv2.__version__,
                 "threads": torch.get_num_threads()})}
    path = weights / f"{name}.safetensors"
    save_file({key: tensor.half() for key, tensor in fold(net).items()}, path, metadata=about)
    path.chmod(0o644)  # safetensors writes for the owner alone
    return path
