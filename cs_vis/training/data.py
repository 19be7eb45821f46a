"""What the networks are trained on: a pool of drawn specimens, cropped and flipped at random."""

import numpy as np
import torch
import torch.nn.functional as F

from ..specimens.draw import draw_many

POOL, BATCH = 32_000, 64
MOVED = 48  # images in a batch of the second part
POOL_SEED = 1_000_000  # fresh images for tests use small seeds


def pool(folder, *, progress=True):
    """The training images (POOL, 128, 128, 3) uint8 and labels, drawn once and kept in `folder`."""
    return kept(folder / f"pool-{POOL}.npz", lambda: dict(zip(("pictures", "labels"), draw_many(
        POOL, POOL_SEED, workers=-1, progress=progress))))


def kept(path, draw):
    """The arrays of an npz file; where it is not there, those that draw() returns by name, written
    beside it first: what is there is whole."""
    if not path.exists():
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.savez(file, **draw())
        part.replace(path)
    with np.load(path) as arrays:
        return tuple(arrays[name] for name in arrays.files)


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


def moved(pictures, labels, generator):
    """A batch at full size: random images, all rolled alike, flipped, made brighter or darker."""
    index = torch.randint(len(labels), (MOVED,), generator=generator).numpy()
    images = torch.from_numpy(pictures[index]).permute(0, 3, 1, 2).float() / 255
    images = images.roll(torch.randint(-12, 13, (2,), generator=generator).tolist(), (2, 3))
    flip = torch.rand(MOVED, 1, 1, 1, generator=generator) < 0.5
    light = 0.85 + 0.3 * torch.rand(MOVED, 1, 1, 1, generator=generator)
    images = (torch.where(flip, images.flip(3), images) * light).clamp(0, 1)
    return images.contiguous(memory_format=torch.channels_last), torch.from_numpy(labels[index])
