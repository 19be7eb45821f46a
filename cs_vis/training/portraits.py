"""What the generator learns from: every specimen upright, whole, in the middle, and behind it its
background, blurred. Where a thing stands, and among what, a small network would waste itself on."""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from ..specimens.draw import class_names
from ..specimens.scene import compose
from . import data

POOL = 16_000
WORKERS = -1   # processes that draw: all cores
TURN = 0.15    # radians, at most, from upright
SIZE = 0.85    # of the frame's side
HIDDEN = 0.01  # the share of a thing that others may cover
BOKEH = 12     # pixels, sigma of the background's blur


def pool(folder, *, progress=True):
    """Portraits (n, 128, 128, 3) uint8, masks (n, 128, 16) of packed bits, labels (n,): those of
    POOL drawn that are not covered. Drawn once and kept in `folder`."""
    def draw():
        chunks = [range(i, min(i + 64, POOL)) for i in range(0, POOL, 64)]
        jobs = Parallel(n_jobs=WORKERS, return_as="generator")(map(delayed(draw_range), chunks))
        drawn = list(tqdm(jobs, "portraits", total=len(chunks), disable=not progress))
        return dict(zip(("pictures", "masks", "labels"), map(np.concatenate, zip(*drawn))))
    return data.kept(folder / f"portraits-{POOL}.npz", draw)


def draw_range(indices):
    """The portraits among these numbers: pictures, packed masks, labels."""
    pictures, masks, labels = [], [], []
    for i in indices:
        rng = np.random.default_rng([data.POOL_SEED, i])
        label, turn = rng.integers(len(class_names)), rng.uniform(-TURN, TURN)
        picture, parts, facts = compose(rng, class_names[label], pose={
            "angle": turn, "size": SIZE, "centre": (0.5, 0.5), "flip": False})
        if facts["hidden"] <= HIDDEN:
            mask = np.any(list(parts.values()), axis=0)
            pictures.append(on_blurred(picture, mask))
            masks.append(np.packbits(mask, axis=1))
            labels.append(label)
    return (np.array(pictures, np.uint8).reshape(-1, 128, 128, 3),
            np.array(masks, np.uint8).reshape(-1, 128, 16), np.array(labels, np.int64))


def on_blurred(picture, mask):
    """A picture (128, 128, 3) with all blurred but the thing."""
    own = mask.astype(np.float32)[..., None]  # (128, 128, 1)
    away = 1 - cv2.dilate(own, np.ones((5, 5)))[..., None]  # its rim has the thing's colours
    blurred = [cv2.GaussianBlur(x, (0, 0), BOKEH) for x in (picture * away, away)]
    behind = blurred[0] / (blurred[1][..., None] + 1e-3)
    soft = cv2.GaussianBlur(own, (0, 0), 0.7)[..., None]
    return (picture * soft + behind * (1 - soft)).clip(0, 255).round().astype(np.uint8)


def sample(portraits, side, count, generator):
    """A batch: images (count, 3, side, side), masks (count, 1, side, side), labels."""
    pictures, masks, labels = portraits
    index = torch.randint(len(labels), (count,), generator=generator).numpy()
    images = torch.from_numpy(pictures[index]).permute(0, 3, 1, 2).float() / 255
    own = torch.from_numpy(np.unpackbits(masks[index], axis=2)).float()[:, None]
    images, own = (F.interpolate(x, (side, side), mode="area") for x in (images, own))
    labels = torch.from_numpy(labels[index])
    return images.contiguous(memory_format=torch.channels_last), own, labels
