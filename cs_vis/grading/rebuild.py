"""A submission put back on the course's own notebook: only what students write is theirs."""

import re
from collections import defaultdict
from copy import deepcopy

from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.utils import compute_checksum

from cs_vis.cells import (calls_shell, find_places, is_answer, is_changed, nbgrader, place, text,
                          without_shell)
from cs_vis.handin import is_of_another

VERSION = re.compile(r"\d+(\.\w+){0,3}")
OWN = "extra-"  # the ids of cells that students added begin with it
COURSE_ID = re.compile(r"cell-\d{3}")  # of a cell that is neither graded nor an answer


def rebuild(release, submitted):
    """The release with the student's answers and extra cells, and a list of remarks on the rest.

    Solution cells are found by grade_id; of several copies the last one that is not empty is
    the answer, and the others run before it. Every other cell of the course, its tags and its
    metadata are the release's, so a moved, copied, deleted or edited one does no harm; one of
    another version is left out. What students write for the shell or for pip becomes a comment.
    Neither argument is changed.
    """
    places = {place(cell): cell for cell in release.cells}
    version = other_version(release, submitted, places)
    answers, extra, remarks = splice(places, submitted, bool(version))
    if version:
        remarks.insert(0, f"This notebook was made from {version} of the assignment. It was "
                       f"graded with the exercises and checks of {said(version_of(release))}.")
    cells = list(extra[None])
    for cell in deepcopy(release.cells):
        name = place(cell)
        if name in answers:
            cell.source = answers[name]
        elif is_answer(cell):
            remarks.append(f"The cell {name} was missing or empty, so its exercise is unsolved.")
        cells += [cell, *extra[name]]
    rebuilt = deepcopy(release)
    rebuilt.cells = cells
    return rebuilt, list(dict.fromkeys(remarks))


def version_of(notebook) -> str:
    """The version of the course that a notebook was handed out with; empty where it says none."""
    noted = notebook.get("metadata", {}).get("cs_vis")
    version = noted.get("version") if isinstance(noted, dict) else None
    return version if isinstance(version, str) and VERSION.fullmatch(version) else ""


def said(version) -> str:
    return f"version {version}" if version else "the current version"


def other_version(release, submitted, places) -> str:
    """Which other version of the assignment a submission was made from; empty where it was not.

    nbgrader notes a checksum in each cell that it hands out, which tells even where no version
    is noted.
    """
    noted, current = version_of(submitted), version_of(release)
    if noted and current and noted != current:
        return said(noted)
    return "another version" if is_of_another(submitted, places) else ""


def splice(places, submitted, other=False):
    """Sort the submitted cells: sources that replace the release's, cells that come after one.

    other: the submission was made from another version, whose cells may differ honestly.
    """
    answers, extra, remarks, after = {}, defaultdict(list), [], None
    names = find_places(places, submitted.cells)
    last = {name: i for i, name in enumerate(names) if text(submitted.cells[i]).strip()}
    for i, (name, cell) in enumerate(zip(names, submitted.cells)):
        if name is None and other and is_courses(cell):
            continue
        own = name is None or is_answer(places[name])
        if own and calls_shell(cell):
            remarks.append("Lines that install something or call the shell (`%pip`, `!ls`) were "
                           "not run: all that the course needs is here.")
        if name is None or (own and last.get(name, i) != i):
            extra[after].append(plain(cell, f"{OWN}{i:03d}"))
            if name is not None:
                remarks.append(f"The cell {name} was there twice: the last copy counts.")
            continue
        after = name
        if own and text(cell).strip():
            answers[name] = without_shell(text(cell))
        elif is_changed(cell, places[name]) and not (other and is_untouched(cell)):
            remarks.append(undone(places[name]))
    return answers, extra, remarks


def is_courses(cell) -> bool:
    """Whether a cell is the course's, though not of this version."""
    roles = nbgrader(cell)
    return bool((roles.get("locked") or roles.get("grade")) and not roles.get("solution")
                or COURSE_ID.fullmatch(str(cell.get("id"))))


def is_untouched(cell) -> bool:
    """Whether a cell is what nbgrader handed out, by its checksum; yes where it has none."""
    try:
        return nbgrader(cell).get("checksum") in (None, compute_checksum(cell))
    except (AttributeError, KeyError, TypeError, ValueError):  # its metadata were edited
        return False


def undone(cell) -> str:
    """The remark on a changed cell of the course, which is named so that a student finds it."""
    first_line, *_ = text(cell).split("\n")
    name = nbgrader(cell).get("grade_id") or f"that begins with `{first_line}`"
    return (f"The cell {name} is the course's: your changes to it were undone. "
            f"Write your own code into your answers, or into cells that you add.")


def plain(cell, name):
    """A fresh cell with nothing but the student's text: no tags, metadata or outputs."""
    if cell.get("cell_type") == "code":
        return new_code_cell(without_shell(text(cell)), id=name)
    return new_markdown_cell(text(cell), id=name)
