"""What `cs-vis new-workspace DIR` does: lay the course's notebooks out, and touch nobody's work."""

import json
import os
from pathlib import Path

from . import __version__
from .course import assignments, notebook_file

# The folders of nbgrader's steps: what lies there is handed out, graded or given back.
NBGRADER = ("solutions", "notebooks", "submitted", "autograded", "feedback")


def lay_out(folder: Path) -> list[tuple[str, Path]]:
    """Put each notebook into a folder of its own: what was done, and the path, for each of them.

    What was done is "new", "there" (the same bytes), "kept" (a student's work on this version)
    or "beside" (a student's work on another version is kept, and this version put beside it).
    No file is ever overwritten. Raises ValueError, saying why, where `folder` cannot be used.
    """
    sources = {name: notebook_file(name) for name in assignments()}
    try:
        require_place(folder)
        return [lay(source, folder / name) for name, source in sources.items()]
    except OSError as error:
        raise ValueError(f"DIR={str(folder)!r} cannot be written to ({error.strerror}): choose "
                         f"another folder, such as ~/my-course") from None


def require_place(folder: Path) -> None:
    """Refuse a file, and the folders whose contents nbgrader takes for its own."""
    path = folder.resolve()
    if path.exists() and not path.is_dir():
        raise ValueError(f"DIR={str(folder)!r} is a file: name a folder, or a new one")
    for course in path.parents:
        step = path.relative_to(course).parts[0]
        if step in NBGRADER and (course / "nbgrader_config.py").is_file():
            raise ValueError(f"DIR={str(folder)!r} lies in {step!r}, where nbgrader keeps what it "
                             f"hands out and grades: choose another folder, such as ~/my-course")


def lay(source: Path, folder: Path) -> tuple[str, Path]:
    """Put one notebook into `folder`, beside what may be there."""
    content, target, done = source.read_bytes(), folder / source.name, "new"
    if target.is_file() and version(target) != version(source):
        target, done = folder / f"{source.stem}-{__version__}{source.suffix}", "beside"
    if not target.exists():
        write(target, content)
        return done, target
    if not target.is_file():
        raise ValueError(f"{target} is a folder, and a notebook belongs there: rename it")
    return "there" if target.read_bytes() == content else "kept", target


def version(file: Path) -> str | None:
    """The version that a notebook says it is of; None where it does not say, or is damaged."""
    try:
        return json.loads(file.read_bytes())["metadata"]["cs_vis"]["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def write(target: Path, content: bytes) -> None:
    """Write a new file whole or not at all: under another name first, which is then changed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_bytes(content)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


SAID = {"new": "new", "there": "there already",
        "kept": "kept as it is, with your work; to start afresh, rename it and run this again",
        "beside": "the new version; your work on the other one, beside it, is untouched"}


def report(folder: Path, done: list[tuple[str, Path]]) -> str:
    """What was laid out, and what to do next, as lines of text."""
    width = max(len(str(path)) for _, path in done)
    first = done[0][1]
    return "\n".join([
        *(f"{str(path):{width}}  {SAID[what]}" for what, path in done), "",
        "Next:", f'  cd "{folder}"' if " " in str(folder) else f"  cd {folder}", "  jupyter lab",
        f"Open {first.relative_to(folder)} and run its cells in order. Before you hand it in:",
        f"  cs-vis check {first.relative_to(folder)}"])
