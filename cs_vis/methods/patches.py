"""What a channel answers to: where it is largest in thousands of pictures, and what lies there."""

from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import nn

from ..models import activations
from ..require import require_at_most, require_generator, require_lists, require_whole
from ..specimens import class_names, part_names

AT_ONCE = 8  # pictures: on a CPU sooner than 64, whose maps do not fit into its caches


class Peaks(NamedTuple):
    """Where each channel of a layer is largest in each picture: three tensors (pictures, C)."""
    values: torch.Tensor
    rows: torch.Tensor  # of the layer's map
    cols: torch.Tensor


@torch.no_grad()
def peaks(model: nn.Module, batches: Iterable[torch.Tensor], layers) -> dict[str, Peaks]:
    """The peak of every channel in every picture, on the CPU: one pass for all layers.

    batches: pictures (n, 3, H, W) in [0, 1], batch by batch (`batched`), which may be of several
    sizes. layers: names of layers that have places. Raises ValueError for no batch.
    """
    require_lists(layers=layers)
    found = {layer: [] for layer in layers}
    for images in batches:
        for layer, a in activations(model, images, layers).items():
            values, places = a.flatten(2).max(dim=2)  # (n, C, h, w) -> (n, C)
            found[layer].append([x.cpu() for x in (values, places // a.shape[3],
                                                   places % a.shape[3])])
    if not all(found.values()):
        raise ValueError("batches has no pictures: pass at least one batch (n, 3, H, W)")
    return {layer: Peaks(*map(torch.cat, zip(*rows))) for layer, rows in found.items()}


def batched(pictures: torch.Tensor, device="cpu", size: int = AT_ONCE):
    """Pictures (N, 3, H, W), bytes or in [0, 1], as batches in [0, 1] on the device."""
    for batch in pictures.split(size):
        yield batch.to(device).float() / 255 if batch.dtype == torch.uint8 else batch.to(device)


def owner_names() -> list[str]:
    """What a pixel of a specimen may lie on: 0 the background, then all parts of all kinds."""
    return ["background", *(f"{kind}: {name}" for kind in class_names
                            for name in part_names(kind))]


def owners_at(collection, pictures, rows, cols) -> torch.Tensor:
    """What the pixel (row, col) of each of the pictures lies on: places in owner_names().

    Three long tensors of one shape. Outside the picture it is the pixel at the border.
    """
    first = torch.tensor([*accumulate([1, *(len(part_names(kind)) for kind in class_names)])])
    height, width = collection.owners.shape[1:]
    own = collection.owners[pictures, rows.clamp(0, height - 1), cols.clamp(0, width - 1)].long()
    return torch.where(own > 0, first[collection.labels[pictures]] + own - 1, 0)


class Detector(NamedTuple):
    """What a channel's strongest patches lie on."""
    channel: int
    name: str     # of a part
    share: float  # of its k strongest patches, in pictures that had no say in the name
    base: float   # the same share where the places are the same, and the pictures any


def detectors(collection, found: Peaks, field, *, k: int = 30,
              generator: torch.Generator) -> list[Detector]:
    """What each channel is a detector of: the part that the middles of its best patches lie on.

    found: its peaks in the pictures of the collection. field: (size, stride, start) of a unit. The
    k strongest patches in the first half of the pictures choose the part, and those in the second
    half say how often it is there: so that chance has no choice. Raises TypeError or ValueError
    for a k above the pictures of a half.
    """
    require_whole(k=k, at_least=1)
    require_generator(generator)
    count, (size, stride, start) = len(found.values), field
    require_at_most("k", k, count // 2, "pictures in each half")
    names, lies_on = owner_names(), []
    for half in (slice(0, count // 2), slice(count // 2, count)):
        best = found.values[half].topk(k, dim=0).indices + half.start  # (k, C)
        rows, cols = (start + x.gather(0, best) * stride + size // 2 for x in found[1:])
        lies_on.append(owners_at(collection, best, rows, cols))  # (k, C)
    seen = torch.nn.functional.one_hot(lies_on[0], len(names)).sum(dim=0)  # (C, names)
    chosen = seen[:, 1:].argmax(dim=1) + 1
    share = (lies_on[1] == chosen).float().mean(dim=0)
    anywhere = torch.randint(count, (64, *rows.shape), generator=generator)
    base = owners_at(collection, anywhere, rows.expand_as(anywhere), cols.expand_as(anywhere))
    base = (base == chosen).float().mean(dim=(0, 1))
    return [Detector(c, names[chosen[c]], share[c].item(), base[c].item())
            for c in range(len(chosen))]
