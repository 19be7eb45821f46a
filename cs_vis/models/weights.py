"""Where ImageNet weights come from: the folder CS_VIS_WEIGHTS, torchvision's cache, a download."""

import os
from pathlib import Path

import torch
import torchvision
from safetensors.torch import load_file

ENDINGS = (".safetensors", ".pth")  # in this order


def published(name: str):
    """torchvision's entry of the network's first published weights, those of its paper."""
    return next(iter(torchvision.models.get_model_weights(name)))


def find(name: str, names) -> tuple[dict, Path]:
    """The weights of network `name` and the file they are from; `names` are all networks.

    Looks in the folder CS_VIS_WEIGHTS, then in torchvision's cache, then downloads to that.
    Raises FileNotFoundError, saying what to do, if none of these has them.
    """
    file = in_folder(name, names)
    if file is not None:
        return _read(file), file
    cached = Path(torch.hub.get_dir(), "checkpoints", Path(published(name).url).name)
    if not cached.exists():
        _download(name, cached)
    return _read(cached), cached


def folder() -> Path | None:
    """The folder named by CS_VIS_WEIGHTS, None if that is unset."""
    value = os.environ.get("CS_VIS_WEIGHTS")
    if not value:
        return None
    if not Path(value).is_dir():
        raise FileNotFoundError(f"CS_VIS_WEIGHTS={value!r} is not a folder; set it to the one "
                                f"that holds your weights files, or unset it")
    return Path(value)


def at_hand(wanted) -> list[str]:
    """Those of the wanted networks whose weights lie in the folder CS_VIS_WEIGHTS: no download."""
    from . import imagenet  # here, for that imports us
    return [name for name in wanted
            if folder() is not None and in_folder(name, imagenet.NAMES) is not None]


def in_folder(name: str, names) -> Path | None:
    """The file of network `name` in the folder CS_VIS_WEIGHTS, None if there is none."""
    files = [] if folder() is None else sorted(folder().iterdir())
    own = Path(published(name).url).name  # MNASNet's begins otherwise: mnasnet0.5_...
    files = [file for file in files if file.name == own
             or file.suffix in ENDINGS and owner(file.name, names) == name]
    return min(files, key=lambda file: ENDINGS.index(file.suffix), default=None)


def owner(file_name: str, names) -> str | None:
    """The network a file belongs to: the longest name with which its own begins.

    So vgg16_bn-6c64b313.pth is no file of vgg16, and resnet18x.pth is none of resnet18.
    """
    fitting = [name for name in names
               if file_name.startswith(name) and not file_name[len(name):][:1].isalnum()]
    return max(fitting, key=len, default=None)


def _read(file):
    try:
        if file.suffix == ".safetensors":
            state = load_file(file)
        else:
            state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # each reader has its own exceptions for a damaged file
        raise ValueError(f"{file} cannot be read as weights ({type(error).__name__}); it is "
                         f"damaged or no such file: delete it, or fetch it again") from None
    if not isinstance(state, dict) or not all(map(torch.is_tensor, state.values())):
        raise ValueError(f"{file} holds no plain dictionary of tensors; save it again with "
                         f"torch.save(model.state_dict(), ...)")
    broken = [key for key, value in state.items() if not torch.isfinite(value).all()]
    if broken:
        raise ValueError(f"{file} has values that are not finite, in {broken[0]!r}; it holds no "
                         f"complete network: give another file")
    return state


def _download(name, cached):
    try:
        published(name).get_state_dict(
            progress=True, check_hash=True, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError) as error:  # no network, or a wrong checksum
        where = os.environ.get("CS_VIS_WEIGHTS") or "unset now"
        raise FileNotFoundError(
            f"name={name!r}: no weights here, and the download failed ({error}). Fetch "
            f"{published(name).url} where there is a network, and either put it into "
            f"{cached.parent}, or name its folder in CS_VIS_WEIGHTS ({where}; looked for "
            f"{name}*.safetensors, {name}*.pth). Without any file, load_model('specimens') and "
            f"untrained({name!r}, generator=...) work") from None
