"""What is made once and kept outside the course's folder: where it lies, and how it is cleared."""

import os
from pathlib import Path


def folder() -> Path:
    """Where the course keeps what takes long to make: CS_VIS_CACHE, or cs_vis among the caches."""
    named = os.environ.get("CS_VIS_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "cs_vis")


def files() -> list[Path]:
    """What the course has kept there."""
    return sorted(file for file in folder().glob("*.safetensors*") if file.is_file())


def clear() -> int:
    """Delete what the course has kept; how many bytes that was. Whatever else lies there stays."""
    sizes = [(file, file.stat().st_size) for file in files()]
    for file, _ in sizes:
        file.unlink()
    return sum(size for _, size in sizes)
