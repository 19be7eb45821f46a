"""What a student handed in: which file of the folder is the notebook, and what is in it.

The folder is only read. Whatever it holds, there is something to grade, or a reason why not.
"""

from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat.v4 import new_notebook

ENDINGS = (".ipynb", ".ipynb.txt", ".ipynb.json")  # as some browsers save it


class Work(NamedTuple):
    notebook: nbformat.NotebookNode
    remarks: list[str] = []  # what the student should know about the file
    nothing: str = ""        # why there is nothing to grade


def read(folder: Path, name: str) -> Work:
    """The notebook of one submission; an empty one, with the reason, where none can be graded."""
    file, remark = find(Path(folder), name)
    if file is None:
        return Work(new_notebook(), nothing=remark)
    try:
        notebook = nbformat.reads(file.read_text(encoding="utf-8-sig"), as_version=4)
        notebook.cells = [cell for cell in notebook.cells if isinstance(cell, dict)]
    except Exception:  # a broken file may break the reader in any way
        return Work(new_notebook(), nothing=f"{file.name} could not be read as a notebook: open "
                    "it in Jupyter, save it again and hand it in once more.")
    if not isinstance(notebook.get("metadata"), dict):
        notebook.metadata = nbformat.from_dict({})
    return Work(notebook, [remark] if remark else [])


def find(folder: Path, name: str) -> tuple[Path | None, str]:
    """The file to grade, None if there is none or a choice, and what is to be said about it."""
    files = notebooks_in(folder)
    right = folder / f"{name}.ipynb"
    others = ", ".join(str(file.relative_to(folder)) for file in files if file != right)
    if right in files:
        return right, others and (f"{right.name} was graded; the other notebooks that you handed "
                                  f"in were not: {others}.")
    if len(files) == 1:
        return files[0], (f"You handed in {others}, which is the only notebook there, so it was "
                          f"taken for {right.name}.")
    if files:
        return None, (f"None of the {len(files)} notebooks that were handed in is called "
                      f"{right.name}, so none was graded: {others}. Hand in one, by that name.")
    return None, f"No notebook was handed in: {what_else(folder)}."


def notebooks_in(folder: Path) -> list[Path]:
    """All notebooks in the folder and below it, but hidden ones: editors and zips leave these."""
    return sorted(file for file in folder.rglob("*")
                  if file.name.lower().endswith(ENDINGS) and file.is_file()
                  and not any(part.startswith((".", "__MACOSX"))
                              for part in file.relative_to(folder).parts))


def what_else(folder: Path) -> str:
    """What a folder without notebooks holds."""
    names = sorted(file.name for file in folder.iterdir()
                   if file.name != "timestamp.txt" and not file.name.startswith("."))
    return f"the folder holds only {', '.join(names[:5])}" if names else "the folder is empty"
