"""Training the two networks: `cs-vis train specimens`, then `cs-vis train specimens-robust`.

The networks are trained with batch normalisation, which is folded into the convolutions at the end.
Everything is drawn from the seed and the number of the step, so a run that was killed goes on from
its last checkpoint as if nothing had happened.
"""

import json
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn
from tqdm.auto import tqdm

from . import specimens

WIDTHS = ((24,), (48, 48), (96, 96), (128, 128), (192, 192))
POOL, BATCH = 32_000, 64
POOL_SEED = 1_000_000  # fresh images for tests use small seeds
# Stages (side of the image in pixels, images seen): small images first, the real size last.
ORDINARY = ((64, 64_000), (96, 64_000), (128, 48_000))
ROBUST = ((96, 16_000), (128, 16_000))
RADIUS, REPLAYS = 6 / 255, 3  # of the perturbations the robust network is trained against
CHECKPOINT_SECONDS = 60


class TrainingNet(nn.Module):
    """A SpecimenNet with batch normalisation after each convolution, as long as it learns."""

    def __init__(self, classes, widths=WIDTHS):
        super().__init__()
        self.blocks = nn.ModuleList()
        before = 3
        for block in widths:
            units = nn.ModuleList()
            for width in block:
                conv = nn.Conv2d(before, width, 3, padding=1, bias=False)
                units.append(nn.Sequential(conv, nn.BatchNorm2d(width), nn.ReLU()))
                before = width
            self.blocks.append(units)
        self.fc = nn.Linear(before, classes)

    def forward(self, images):
        x = (images - 0.5) / 0.25
        for i, block in enumerate(self.blocks):
            x = F.max_pool2d(x, 2) if i else x
            for unit in block:
                x = unit(x)
        return self.fc(F.dropout(x.mean(dim=(2, 3)), 0.1, self.training))


def fold(net):
    """The state dict of the SpecimenNet that computes what `net` computes in eval mode."""
    state = {"fc.weight": net.fc.weight, "fc.bias": net.fc.bias}
    for i, block in enumerate(net.blocks, 1):
        for j, (conv, norm, _) in enumerate(block, 1):
            gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            state[f"conv{i}_{j}.weight"] = conv.weight * gain[:, None, None, None]
            state[f"conv{i}_{j}.bias"] = norm.bias - norm.running_mean * gain
    return {name: tensor.detach().contiguous() for name, tensor in state.items()}


def pool(folder, *, progress=True):
    """The training images (POOL, 128, 128, 3) uint8 and labels, drawn once and kept in `folder`."""
    kept = folder / f"pool-{POOL}.npz"
    if not kept.exists():
        images, labels, _ = specimens.batch(POOL, POOL_SEED, workers=-1, progress=progress)
        pictures = (images * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
        part = kept.with_suffix(".part")
        with part.open("wb") as file:
            np.savez(file, pictures=pictures, labels=labels.numpy())
        part.replace(kept)
    with np.load(kept) as data:
        return data["pictures"], data["labels"]


def sample(pictures, labels, px, last, generator):
    """A batch: random images, all cropped alike, resized to px, flipped at random."""
    index = torch.randint(len(labels), (BATCH,), generator=generator).numpy()
    images = torch.from_numpy(pictures[index]).permute(0, 3, 1, 2).float() / 255
    size = images.shape[-1]
    shrink = (0.1 if last else 0.2) * torch.rand((), generator=generator).item()
    side = round(size * (1 - shrink))
    top, left = torch.randint(size - side + 1, (2,), generator=generator).tolist()
    images = images[:, :, top:top + side, left:left + side]
    if side != px:
        images = F.interpolate(images, (px, px), mode="bilinear", antialias=True,
                               align_corners=False)
    flip = torch.rand(BATCH, 1, 1, 1, generator=generator) < 0.5
    images = torch.where(flip, images.flip(3), images)
    return images.contiguous(memory_format=torch.channels_last), torch.from_numpy(labels[index])


def steps_of(stages):
    """The side of the images at every step."""
    return [px for px, seen in stages for _ in range(seen // BATCH)]


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
    Weights are written as fp16 safetensors into `weights`. About 20 minutes each on 2 quiet cores.
    Raises ValueError on an unknown name, FileNotFoundError when the robust network has no start.
    """
    if name not in ("specimens", "specimens-robust"):
        raise ValueError(f"name={name!r} cannot be trained; choose 'specimens' or "
                         "'specimens-robust'")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = TrainingNet(len(specimens.class_names)).to(memory_format=torch.channels_last)
        if name == "specimens-robust":
            net.load_state_dict(finished(folder))
        pictures, labels = pool(folder, progress=progress)
        seconds = run(name, net, pictures, labels, folder / f"{name}.pt", seed, progress)
    return save(name, net, Path(weights), pictures, seconds, seed)


def finished(folder):
    """The weights of the ordinary network at the end of its training."""
    path = folder / "specimens.pt"
    saved = torch.load(path, weights_only=True) if path.exists() else {"step": 0}
    if saved["step"] < len(steps_of(ORDINARY)):
        raise FileNotFoundError(f"folder={str(folder)!r} holds no finished specimens.pt, "
                                "from which the robust "
                                "network starts: run `cs-vis train specimens` first")
    return saved["net"]


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
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        net.load_state_dict(saved["net"])
        optimizer.load_state_dict(saved["optimizer"])
        step, seconds = saved["step"], saved["seconds"]
    net.train()
    clock = kept = time.monotonic()
    bar = tqdm(total=len(sides), initial=step, desc=name, unit="step", disable=not progress)
    while step < len(sides):
        generator = torch.Generator().manual_seed(1_000_003 * seed + step)
        torch.manual_seed(1_000_003 * seed
                          + step)  # for dropout, so that a resumed run is the same run
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, len(sides), peak)
        px = sides[step]
        images, targets = sample(pictures, labels, px, px == sides[-1], generator)
        loss = (descend_robustly(net, optimizer, images, targets, generator) if robust
                else descend(net, optimizer, images, targets))
        step += 1
        bar.update()
        bar.set_postfix(px=px, loss=f"{loss:.3f}")
        if time.monotonic() - kept > CHECKPOINT_SECONDS or step == len(sides):
            now = time.monotonic()
            seconds, clock, kept = seconds + now - clock, now, now
            keep(checkpoint, net, optimizer, step, seconds)
    return seconds


def keep(checkpoint, net, optimizer, step, seconds):
    """Write the checkpoint beside the old one, then put it in its place: one always survives."""
    part = checkpoint.with_suffix(".part")
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict(), "step": step,
                "seconds": seconds}, part)
    part.replace(checkpoint)


def save(name, net, weights, pictures, seconds, seed):
    """Fold, round to fp16 and write the weights with what a user must know about them."""
    weights.mkdir(parents=True, exist_ok=True)
    mean = (pictures[:2000].astype(np.float64).mean(axis=(0, 1, 2)) / 255).round(4).tolist()
    about = {"class_names": json.dumps(specimens.class_names), "mean_color": json.dumps(mean),
             "training": json.dumps({"seed": seed, "minutes": round(seconds / 60, 1),
                                     "torch": torch.__version__,
                                     "numpy": np.__version__, "threads": torch.get_num_threads()})}
    path = weights / f"{name}.safetensors"
    save_file({key: tensor.half() for key, tensor in fold(net).items()}, path, metadata=about)
    path.chmod(0o644)  # safetensors writes for the owner alone
    return path
