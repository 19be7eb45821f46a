"""Thousands of specimens, drawn once and kept in the cache: for what needs many pictures."""

import hashlib
import json
import os
import re
import warnings
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import skimage
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from .. import cache
from ..require import require_whole
from .draw import draw_range, in_chunks, require_seed
from .facts import Facts
from .scene import SIZE

SEED = 2
AT_ONCE = 256  # from so many on it is worth it to draw on every core


class Collection(NamedTuple):
    """Specimens and the truth about them, the pictures as bytes: picture.float() / 255."""

    pictures: torch.Tensor  # (n, 3, 128, 128) uint8
    labels: torch.Tensor    # (n,) long, indexes class_names
    owners: torch.Tensor    # (n, 128, 128) uint8: 0 off the object, else 1 + its place in part_names
    facts: list[Facts]      # n of them


def collection(n: int, *, seed: int = SEED, progress: bool = True) -> Collection:
    """n specimens with labels, parts and facts, drawn at the first call and kept in the cache.

    Specimen i depends on (seed, i) alone, so where more of a seed are kept, the first n of those
    are given. The tensors are read from the file as they are used: do not write into them. Where
    the cache cannot be written (doctor says where it is; CS_VIS_CACHE moves it) a warning says
    so, and they are drawn for this call alone. Raises ValueError or TypeError when n is not a
    whole number >= 1, or on a bad seed.
    """
    require_whole(n=n, at_least=1)
    require_seed(seed)
    for file in kept(seed, n):
        found = read(file, n)
        if found is not None:
            return found
    drawn = drawn_now(n, seed, progress)
    file = cache.folder() / f"{stem(seed)}{n}.safetensors"
    try:
        write(file, drawn)
    except OSError as error:
        warnings.warn(f"the {n} specimens could not be kept in {file.parent} ({error}), and will "
                      f"be drawn again next time: set CS_VIS_CACHE to a folder that can be "
                      f"written and has {drawn.pictures.nbytes * 4 // 3e6:.0f} MB", stacklevel=2)
        return drawn
    return read(file, n) or drawn


def stem(seed) -> str:
    return f"specimens-{hand()}-seed{seed}-"


@lru_cache
def hand() -> str:
    """Who draws: another drawing code, or other libraries under it, may draw otherwise."""
    sources = [file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py"))]
    libraries = [library.__version__ for library in (np, cv2, skimage)]
    return hashlib.sha256(b"".join(sources) + repr(libraries).encode()).hexdigest()[:8]


def kept(seed, n) -> list[Path]:
    """The files that hold at least n specimens of this seed, the smallest first."""
    sizes = {file: int(found[1]) for file in cache.files()
             if (found := re.fullmatch(re.escape(stem(seed)) + r"(\d+)\.safetensors", file.name))}
    return sorted((file for file in sizes if sizes[file] >= n), key=sizes.get)


def read(file: Path, n: int) -> Collection | None:
    """The first n specimens of a file; None where it is damaged, or gone meanwhile."""
    try:
        with safe_open(file, framework="pt") as opened:
            tensors = [opened.get_tensor(key)[:n] for key in Collection._fields[:3]]
            return Collection(*tensors, json.loads(opened.metadata()["facts"],
                                                   object_hook=as_drawn)[:n])
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        return None


def as_drawn(facts: dict) -> dict:
    """JSON knows no tuples: what is a list now was one."""
    return {key: tuple(value) if isinstance(value, list) else value
            for key, value in facts.items()}


def write(file: Path, drawn: Collection) -> None:
    """Write the file whole, or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".safetensors-{os.getpid()}")
    try:
        save_file(dict(zip(Collection._fields[:3], drawn)), part,
                  {"facts": json.dumps(drawn.facts)})
        os.replace(part, file)
    except SafetensorError as error:  # so it calls a full disk
        raise OSError(str(error)) from None
    finally:
        part.unlink(missing_ok=True)


def drawn_now(n, seed, progress) -> Collection:
    pictures = torch.empty(n, 3, SIZE, SIZE, dtype=torch.uint8)
    labels = torch.empty(n, dtype=torch.long)
    owners = torch.empty(n, SIZE, SIZE, dtype=torch.uint8)
    facts = []
    for picture, label, owner, known in in_chunks(owned_range, n, seed, progress=progress,
                                                  workers=-1 if n >= AT_ONCE else 1):
        place = slice(len(facts), len(facts) + len(label))
        pictures[place] = torch.from_numpy(picture).permute(0, 3, 1, 2)
        labels[place], owners[place] = torch.from_numpy(label), torch.from_numpy(owner)
        facts += known
    return Collection(pictures, labels, owners, facts)


def owned_range(seed, indices):
    """Specimens (seed, i): pictures (n, 128, 128, 3), labels, owners (n, 128, 128), facts."""
    pictures, labels, _, parts, facts = draw_range(seed, indices, parts=True, facts=True)
    return pictures, labels, np.stack([owner(one) for one in parts]), facts


def owner(parts: dict) -> np.ndarray:
    """Who owns each pixel (128, 128) uint8: 0 nobody, else 1 + the part's place among the parts."""
    places = np.arange(1, len(parts) + 1, dtype=np.uint8)[:, None, None]
    return (np.stack([*parts.values()]) * places).max(axis=0)
