"""Where the data files of the course lie: beside the package in a clone, inside it in the wheel."""

from pathlib import Path

from safetensors import safe_open

PACKAGE = Path(__file__).resolve().parent
FOLDERS = (PACKAGE.parent / "datasets", PACKAGE / "_datasets")  # clone, wheel


def path(name: str) -> Path:
    """The file or folder `name` under datasets/, for example "weights/specimens.safetensors".

    Raises FileNotFoundError, saying where it looked, when the file is in neither place.
    """
    for folder in FOLDERS:
        if (folder / name).exists():
            return folder / name
    raise FileNotFoundError(
        f"name={name!r} is not among the data files of cs_vis (looked in "
        f"{' and '.join(str(folder) for folder in FOLDERS)}): reinstall the package, "
        f"or, in a clone, restore the file with `git checkout -- datasets`")


def weights(name: str) -> tuple[dict, dict]:
    """The weights `name` that ship, float32 tensors by their names, and the texts kept with them."""
    with safe_open(path(f"weights/{name}.safetensors"), framework="pt") as file:
        return {key: file.get_tensor(key).float() for key in file.keys()}, file.metadata()
