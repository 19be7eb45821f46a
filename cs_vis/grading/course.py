"""The course as course.toml describes it, and where the clone lies."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def read_course(root: Path = ROOT) -> dict:
    """course.toml as a dictionary: id, title and the list of assignments (name, title, points)."""
    file = Path(root) / "course.toml"
    if not file.is_file():
        raise FileNotFoundError(
            f"root={str(root)!r} holds no course.toml: run this in a clone of the course")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def find_assignment(name: str, root: Path = ROOT) -> dict:
    """The entry of one assignment; KeyError, listing the names, where there is no such one."""
    entries = {entry["name"]: entry for entry in read_course(root)["assignments"]}
    if name not in entries:
        raise KeyError(f"assignment={name!r} is not in course.toml; it lists: {', '.join(entries)}")
    return entries[name]
