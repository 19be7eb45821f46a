"""The frozen gallery: a few specimens of each kind as files, the same for everyone and for ever."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from .. import datasets
from .draw import class_names, draw, part_names, to_tensor
from .scene import SIZE

PER_KIND = 8
# One colour per part in the files that hold the masks, so that they can be looked at as well.
PALETTE = [(0, 0, 0), (230, 60, 50), (60, 170, 75), (60, 110, 220), (245, 200, 40), (200, 90, 210)]


class Gallery(NamedTuple):
    """The frozen pictures, kind by kind in the order of class_names."""

    images: torch.Tensor  # (M, 3, 128, 128) float32 in [0, 1]
    labels: torch.Tensor  # (M,) long
    masks: torch.Tensor   # (M, 128, 128) bool
    parts: list           # M dicts: part name -> (128, 128) bool


def gallery() -> Gallery:
    """The frozen pictures with labels, masks and parts, eight of each kind.

    Raises FileNotFoundError when the files are missing.
    """
    pictures, labels, parts = [], [], []
    for label, kind in enumerate(class_names):
        with Image.open(datasets.path(f"gallery/{kind}.webp")) as strip:
            pictures.append(cut(np.asarray(strip.convert("RGB"))))  # (8, 128, 128, 3)
        with Image.open(datasets.path(f"gallery/{kind}-parts.png")) as strip:
            for owner in cut(np.array(strip)):  # (128, 128): 0 outside, else 1 + part
                parts.append({name: torch.from_numpy(owner == i)
                              for i, name in enumerate(part_names(kind), 1)})
        labels += [label] * PER_KIND
    masks = torch.stack([torch.stack(list(part.values())).any(dim=0) for part in parts])
    return Gallery(to_tensor(np.concatenate(pictures)), torch.tensor(labels), masks, parts)


def cut(strip):
    """A strip (128, 8 * 128, ...) into its pictures (8, 128, 128, ...)."""
    return np.stack(np.split(strip, PER_KIND, axis=1))


def freeze(folder: Path) -> None:
    """Draw the gallery anew into `folder`. Goldens and notebooks must be made again afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    for label, kind in enumerate(class_names):
        drawn = [draw(1000 * label + i, kind) for i in range(PER_KIND)]
        strip = torch.cat([one.image[0] for one in drawn], dim=2)  # (3, 128, 8 * 128)
        pixels = (strip * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(folder / f"{kind}.webp", lossless=True, quality=100, method=6)
        owner = np.zeros((SIZE, SIZE * PER_KIND), np.uint8)
        for i, one in enumerate(drawn):
            for j, name in enumerate(part_names(kind), 1):
                owner[:, i * SIZE:(i + 1) * SIZE][one.parts[name].numpy()] = j
        masks = Image.fromarray(owner, mode="P")
        masks.putpalette([value for color in PALETTE for value in color])
        masks.save(folder / f"{kind}-parts.png", optimize=True)


if __name__ == "__main__":
    freeze(datasets.path("gallery"))
