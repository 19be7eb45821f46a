"""The course as course.toml describes it: which notebooks there are, and where their files lie.

The number orders a notebook; the rest of its name is its topic, and the name of the module that
holds its part of each folder: 03_saliency has checks/saliency, widgets/saliency.py and so on.
"""

import tomllib
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.parent  # of the clone
# Beside the package in a clone, inside it in the student's wheel.
FILES = (ROOT / "course.toml", PACKAGE / "_datasets" / "course.toml")
NOTEBOOKS = (ROOT / "notebooks", PACKAGE / "_datasets" / "notebooks")


def read_course(root: Path | None = None) -> dict:
    """course.toml as a dictionary: id, title and the list of assignments (name, title, points).

    root: the folder it lies in; by default the clone, or the installed package.
    """
    files = FILES if root is None else (Path(root) / "course.toml",)
    for file in files:
        if file.is_file():
            return tomllib.loads(file.read_text(encoding="utf-8"))
    raise FileNotFoundError(
        f"root={str(root or ROOT)!r} holds no course.toml: run this in a clone of the course")


def assignments(root: Path | None = None) -> list[str]:
    """The names of the course's assignments, in order: "03_saliency" and so on."""
    return [entry["name"] for entry in read_course(root)["assignments"]]


def find_assignment(name: str, root: Path | None = None) -> dict:
    """The entry of one assignment; KeyError, listing the names, where there is no such one."""
    entries = {entry["name"]: entry for entry in read_course(root)["assignments"]}
    if name not in entries:
        raise KeyError(f"assignment={name!r} is not in course.toml; it lists: {', '.join(entries)}")
    return entries[name]


def notebook_file(name: str) -> Path:
    """The students' notebook of one assignment, as it is handed out."""
    for folder in NOTEBOOKS:
        if (folder / name / f"{name}.ipynb").is_file():
            return folder / name / f"{name}.ipynb"
    raise FileNotFoundError(f"assignment={name!r} has no notebook here: reinstall cs_vis, or, in a "
                            f"clone of the course, run `cs-vis build {name}`")


def topic(name: str) -> str:
    """What an assignment is about, as its modules are called: "03_saliency" is about "saliency"."""
    return name.partition("_")[2]
