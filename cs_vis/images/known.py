"""Pictures that go with a network: specimens for the course's own, photographs for ImageNet's."""

import os
from pathlib import Path

import torch

from .. import specimens
from ..require import require_device, require_model, require_whole

SIDE = 224  # pixels, of a photograph for a network that takes many sizes


def examples(model, count: int, *, device="cpu") -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures (N, 3, S, S) in [0, 1] of things the network has names for, and labels (N,).

    For a network of the drawn world specimens of the gallery, of as many kinds as possible; for
    any other photographs: those of the folder CS_VIS_PHOTOS, with the labels in their file names
    (NNNN_label.jpg), or the course's own with what the network says. N is count, or all there are.
    Raises ValueError or TypeError for a count below 1 or another device, FileNotFoundError for an
    empty folder.
    """
    require_model(model)
    require_whole(count=count, at_least=1)
    device = require_device(device)
    if list(getattr(model, "class_names", [])) == list(specimens.class_names):
        found, labels = of_the_gallery(count)
    elif os.environ.get("CS_VIS_PHOTOS"):
        found, labels = of_the_folder(Path(os.environ["CS_VIS_PHOTOS"]), count, side_of(model))
    else:
        return of_the_course(model, count, device)
    return found.to(device), labels.to(device)


def side_of(model) -> int:
    return getattr(model, "side", None) or SIDE


def of_the_gallery(count):
    """The first of each kind, then the second of each, and so on."""
    gallery = specimens.gallery()
    kinds = len(specimens.class_names)
    chosen = torch.arange(len(gallery.labels)).view(kinds, -1).T.flatten()[:count]
    return gallery.images[chosen], gallery.labels[chosen]


def of_the_folder(folder, count, side):
    """Photographs from the whole range of the folder's classes."""
    from . import load
    files = sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.jpg"))
    if not files:
        raise FileNotFoundError(f"CS_VIS_PHOTOS={str(folder)!r} holds no photographs "
                                f"NNNN_label.jpg, NNNN the ImageNet class; name another folder, "
                                f"or unset it")
    count = min(count, len(files))
    files = [files[i * len(files) // count] for i in range(count)]
    return (torch.cat([load(file, size=(side, side)) for file in files]),
            torch.tensor([int(file.stem[:4]) for file in files]))


def of_the_course(model, count, device):
    """The held-out photographs; nobody but the network says what they show."""
    from . import HELD_OUT, photo
    side = side_of(model)
    found = torch.cat([photo(name, size=(side, side)) for name in HELD_OUT[:count]]).to(device)
    with torch.no_grad():
        return found, model(found).argmax(dim=1)
