"""What `python -m cs_vis doctor` says: what is installed, what computes, which data are there."""

import os
import platform
import time
from importlib import metadata
from pathlib import Path

import torch
from packaging.requirements import Requirement

from . import __version__, cache, datasets
from .device import pick_device
from .methods.generator import codes, load_generator
from .models import imagenet, load_model, specimen_net, weights


def report() -> str:
    """Versions, device and data files, then a hint for each problem, as lines of text."""
    lines = [f"cs_vis {__version__}, Python {platform.python_version()}, {platform.platform()}"]
    hints = []
    for title, section in (("packages", packages), ("computing", computing), ("data", data),
                           ("kept from earlier", caches)):
        rows, advice = section()
        width = max((len(name) for name, _ in rows), default=0)
        lines += ["", title] + [f"  {name:{width}}  {value}" for name, value in rows]
        hints += advice
    lines += ["", "to do" if hints else "All is well."] + [f"  {hint}" for hint in hints]
    return "\n".join(lines)


def packages():
    """Each package that cs_vis asks for beside the version found: (rows, hints)."""
    try:
        asked = [Requirement(text) for text in metadata.requires("cs_vis") or ()]
    except metadata.PackageNotFoundError:
        return [], ["cs_vis is not installed: run `pip install -e .` in the clone, "
                    "or install its wheel"]
    rows, hints = [], []
    for package in asked:
        optional = package.marker is not None  # an extra's
        if package.name.replace("-", "_") == "cs_vis" or package.name in dict(rows):
            continue
        version = _version(package.name)
        if version is None:
            rows.append((package.name, "not installed" + ", optional" * optional))
        elif package.specifier.contains(version, prereleases=True):
            rows.append((package.name, version))
        else:
            rows.append((package.name, f"{version}, but {package.specifier} is needed"))
        if rows[-1][1] != version and not (optional and version is None):
            hints.append(f"{package.name} is {rows[-1][1]}: pip install '{package.name}"
                         f"{package.specifier}'")
    return rows, hints


def computing():
    """The device and the threads: (rows, hints)."""
    device = pick_device()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = torch.get_num_threads()
    rows = [("device", f"{device} ({name})"), ("cores", str(cores)), ("threads", str(threads))]
    if threads <= cores:
        return rows, []
    return rows, [f"torch uses {threads} threads on {cores} cores, which slows it down: "
                  f"set OMP_NUM_THREADS={cores} before Python starts"]


def data():
    """The files under datasets/, and the folders named by the environment: (rows, hints)."""
    rows, hints = [], []
    for name in specimen_net.NAMES:
        _note(rows, hints, f'load_model("{name}")', _trial, name)
    _note(rows, hints, "load_generator()", _painting)
    for folder, ending in (("goldens", "safetensors"), ("gallery", "webp"), ("deepdream", "jpg"),
                           ("filters_and_activations", "jpg")):
        _note(rows, hints, folder, _count, folder, ending)
    _note(rows, hints, "CS_VIS_WEIGHTS", _imagenet_files)
    photos = os.environ.get("CS_VIS_PHOTOS")
    found = f"{photos}: {len(list(Path(photos).glob('*.jpg')))} photographs" if photos else "unset"
    rows.append(("CS_VIS_PHOTOS", found))
    return rows, hints


def caches():
    """Where things are kept that took long to make or to fetch, and how large they are."""
    hub = Path(torch.hub.get_dir(), "checkpoints")
    fetched = [file for file in hub.glob("*.pth") if file.is_file()]
    return [("drawn specimens", _held(cache.folder(), cache.files())
             + "; cs-vis doctor --clear deletes them" * bool(cache.files())),
            ("torch's networks", _held(hub, fetched))], []


def _held(folder, files):
    size = sum(file.stat().st_size for file in files)
    return f"{folder}: " + (f"{len(files)} {'file' if len(files) == 1 else 'files'}, "
                            f"{size / 1e6:.1f} MB" if files else "nothing")


def clear() -> str:
    """Delete what the course has kept, and say so. What torch has fetched is left to torch."""
    return f"deleted {cache.clear() / 1e6:.1f} MB in {cache.folder()}"


def _version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _note(rows, hints, name, look, *args):
    try:
        rows.append((name, look(*args)))
    except (FileNotFoundError, ValueError) as error:
        rows.append((name, "missing"))
        hints.append(f"{name}: {error}")


def _trial(name):
    return _pass(load_model(name), torch.full((1, 3, 128, 128), 0.5))


def _painting():
    painter = load_generator()
    return _pass(painter, codes(painter, torch.tensor([0]),
                                generator=torch.Generator().manual_seed(0)))


def _pass(network, given):
    start = time.perf_counter()
    with torch.no_grad():
        network(given)
    million = sum(weight.numel() for weight in network.parameters()) / 1e6
    return (f"{million:.2f} million weights, {len(network.class_names)} classes, "
            f"{1000 * (time.perf_counter() - start):.0f} ms a picture on the CPU")


def _count(folder, ending):
    files = list(datasets.path(folder).glob(f"*.{ending}"))
    if not files:
        raise FileNotFoundError(f"{datasets.path(folder)} holds no .{ending} file: reinstall the "
                                f"package, or, in a clone, run `git checkout -- datasets`")
    return f"{len(files)} .{ending}, {sum(file.stat().st_size for file in files) / 1e6:.1f} MB"


def _imagenet_files():
    folder = weights.folder()
    if folder is None:
        return "unset: ImageNet networks come from torchvision's cache, or a download"
    found = [name for name in imagenet.NAMES if weights.in_folder(name, imagenet.NAMES)]
    return f"{folder}: {', '.join(found) or 'no file of a network'}"
