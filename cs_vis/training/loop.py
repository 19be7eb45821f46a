"""A run of many steps: learning rate, progress, checkpoints from which it goes on, and its end."""

import json
import math
import time

import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from tqdm.auto import tqdm

CHECKPOINT_SECONDS = 60


def learning_rate(step, total, peak):
    """A short warm-up, then a cosine to zero."""
    warm = max(1, total // 20)
    return peak * min(1, (step + 1) / warm) * 0.5 * (1 + math.cos(math.pi * step / total))


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


def run(name, net, take, steps, peak, checkpoint, seed, progress, optimizer=optimizer_of):
    """All steps, from the checkpoint on where there is one; returns the seconds used so far.

    take(optimizer, number, generator) takes one step and returns the loss; optimizer(net) is what
    takes it.
    """
    optimizer, step, seconds = optimizer(net), 0, 0.0
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


def write(path, state, seconds, seed, **facts):
    """Round the weights to fp16 and write them with what a user must know; returns the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    facts["training"] = {"seed": seed, "minutes": round(seconds / 60, 1),
                         "torch": torch.__version__, "numpy": np.__version__,
                         "opencv": cv2.__version__, "threads": torch.get_num_threads()}
    halves = {key: tensor.detach().half().contiguous() for key, tensor in state.items()}
    save_file(halves, path, metadata={key: json.dumps(fact) for key, fact in facts.items()})
    path.chmod(0o644)  # safetensors writes for the owner alone
    return path
