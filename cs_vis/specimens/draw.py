"""Drawing on demand: one specimen or thousands, the same for the same seed."""

from functools import lru_cache
from itertools import chain
from typing import NamedTuple

import numpy as np
import torch
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from ..require import is_whole, require_whole
from .facts import Facts
from .kinds import KINDS
from .pen import Pen
from .pose import require_pose
from .scene import SIZE, compose

class_names = list(KINDS)


class Specimen(NamedTuple):
    """One picture and the truth about it."""

    image: torch.Tensor  # (1, 3, 128, 128) float32 in [0, 1]
    label: int           # indexes class_names
    mask: torch.Tensor   # (128, 128) bool: the visible part of the object
    parts: dict          # name -> (128, 128) bool; together they are the mask
    facts: Facts         # plain values: color, pose, background ...


def draw(seed: int, kind: str | None = None, *, without: tuple = (),
         pose: dict | None = None) -> Specimen:
    """Draw one specimen; `kind` is drawn too unless given, parts named in `without` are left out.

    `pose` moves the object: a dict of any keys that a Pose has, or the pose of another specimen.
    Its shadow follows; ground, clutter, light and camera stay, and so does what is not named.
    Without a part, its shadow goes too; all else stays as it is. Raises ValueError or TypeError
    on a seed that is no whole number >= 0, an unknown kind, a part that the kind does not have,
    an unknown key of a pose or a value outside its limits (centre 0 to 1, size 0.1 to 2 ...).
    """
    require_seed(seed)
    rng = np.random.default_rng(seed)
    chosen = class_names[rng.integers(len(class_names))]
    kind = chosen if kind is None else require_kind(kind)
    without = require_parts(kind, without)
    picture, parts, facts = compose(rng, kind, without, require_pose(pose))
    mask = np.any(list(parts.values()), axis=0)
    parts = {name: torch.from_numpy(part) for name, part in parts.items() if name not in without}
    return Specimen(to_tensor(picture[None]), class_names.index(kind), torch.from_numpy(mask),
                    parts, facts)


def batch(n: int, seed: int, *, workers: int = 1, progress: bool = False, parts: bool = False,
          facts: bool = False) -> tuple:
    """Draw n specimens: images (n, 3, 128, 128) in [0, 1], labels (n,), masks (n, 128, 128) bool.

    `parts` appends a list of n dicts {name: (128, 128) bool}, `facts` a list of n Facts.
    Specimen i depends on (seed, i) alone, not on n or on the number of `workers` (processes; -1
    takes every core; worth it from about a thousand specimens). `progress` shows a bar.
    Raises ValueError or TypeError when n or workers is not a whole number >= 1, or on a bad seed.
    """
    pictures, labels, masks, *lists = draw_many(n, seed, workers=workers, progress=progress,
                                                parts=parts, facts=facts)
    if parts:
        lists[0] = [{name: torch.from_numpy(part) for name, part in one.items()}
                    for one in lists[0]]
    return to_tensor(pictures), torch.from_numpy(labels), torch.from_numpy(masks), *lists


def draw_many(n, seed, *, workers=1, progress=False, parts=False, facts=False):
    """What `batch` draws, as arrays; the pictures (n, 128, 128, 3) are uint8, a quarter as big."""
    require_whole(n=n, at_least=1)
    require_seed(seed)
    if not (is_whole(workers) and workers == -1):
        require_whole(workers=workers, at_least=1)
    columns = list(zip(*in_chunks(draw_range, n, seed, parts, facts, workers=workers,
                                  progress=progress)))
    return *map(np.concatenate, columns[:3]), *(list(chain(*column)) for column in columns[3:])


def in_chunks(function, n, seed, *options, workers, progress):
    """function(seed, range, *options) of 64 indices after the other, in order, under a bar."""
    chunks = [range(i, min(i + 64, n)) for i in range(0, n, 64)]
    jobs = Parallel(n_jobs=workers, return_as="generator")(
        delayed(function)(seed, chunk, *options) for chunk in chunks)
    with tqdm(total=n, unit="specimen", disable=not progress) as bar:
        for chunk, drawn in zip(chunks, jobs):
            yield drawn
            bar.update(len(chunk))


def draw_range(seed, indices, parts=False, facts=False):
    """Specimens (seed, i): pictures (n, 128, 128, 3) uint8, labels, masks; lists, if wanted."""
    pictures, labels, masks, owned, known = [], [], [], [], []
    for i in indices:
        rng = np.random.default_rng([seed, i])
        labels.append(rng.integers(len(class_names)))
        picture, part, fact = compose(rng, class_names[labels[-1]])
        pictures.append(picture)
        masks.append(np.any(list(part.values()), axis=0))
        owned.append(part)
        known.append(fact)
    return (np.stack(pictures), np.array(labels, np.int64), np.stack(masks),
            *([owned] if parts else []), *([known] if facts else []))


def part_names(kind: str) -> tuple:
    """The names of a kind's parts, in the order they are drawn; ValueError on an unknown kind."""
    return _part_names(require_kind(kind))


@lru_cache
def _part_names(kind):
    pen = Pen(np.random.default_rng(0), lambda points: points * SIZE / 2 + SIZE / 2, SIZE)
    KINDS[kind][0](pen)
    return tuple(pen.names)


def to_tensor(pictures):
    """(N, H, W, 3) uint8 -> (N, 3, H, W) float32 in [0, 1]."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous().float() / 255


def require_seed(seed):
    require_whole(seed=seed)
    if seed < 0:
        raise ValueError(f"seed={seed} is negative; it must be 0 or more, for example seed={-seed}")


def require_kind(kind):
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"kind={kind!r} is not a kind of specimen; choose one of "
                         f"{', '.join(KINDS)}")
    return kind


def require_parts(kind, without):
    if not isinstance(without, (str, tuple, list, set)):
        raise TypeError(f"without={without!r} is a {type(without).__name__}; it must be a part's "
                        f"name or a tuple of them, for example without={part_names(kind)[0]!r}")
    without = (without,) if isinstance(without, str) else tuple(without)
    unknown = [part for part in without if part not in part_names(kind)]
    if unknown:
        raise ValueError(f"without={unknown[0]!r} is not a part of {kind!r}; its parts are "
                         f"{', '.join(part_names(kind))}")
    return without
