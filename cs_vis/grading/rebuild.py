"""A submission put back on the course's own notebook: only what students write is theirs."""

from collections import defaultdict
from copy import deepcopy

from nbformat.v4 import new_code_cell, new_markdown_cell


def rebuild(release, submitted):
    """The release with the student's answers and extra cells, and a list of remarks on the rest.

    Solution cells are found by grade_id; of several copies the last one that is not empty is
    the answer, and the others run before it. Locked cells, tags and metadata are the release's,
    so a moved, copied, deleted or edited check does no harm. Neither argument is changed.
    """
    places = {place(cell): cell for cell in release.cells}
    answers, extra, remarks = splice(places, submitted)
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
    return rebuilt, remarks


def splice(places, submitted):
    """Sort the submitted cells: sources that replace the release's, cells that come after one."""
    answers, extra, remarks, after = {}, defaultdict(list), [], None
    names = find_places(places, submitted.cells)
    last = {name: i for i, name in enumerate(names) if text(submitted.cells[i]).strip()}
    for i, (name, cell) in enumerate(zip(names, submitted.cells)):
        if name is None or (is_answer(places[name]) and last.get(name, i) != i):
            extra[after].append(plain(cell, f"extra-{i:03d}"))
            if name is not None:
                remarks.append(f"The cell {name} was there twice: the last copy counts.")
            continue
        after = name
        if is_locked(places[name]):
            if text(cell) != text(places[name]):
                remarks.append(f"The cell {name} is the course's: your changes to it were undone.")
        elif text(cell).strip():
            answers[name] = text(cell)
    return answers, extra, remarks


def find_places(places, cells):
    """Which cell of the release each cell is, None where it is the student's own.

    Some editors drop the ids of cells; then the same text means the same cell.
    """
    by_text = {text(cell): name for name, cell in places.items()}
    return [place(cell) if place(cell) in places else by_text.get(text(cell)) for cell in cells]


def place(cell):
    """What a cell is known by: its grade_id, else its id."""
    return nbgrader(cell).get("grade_id") or cell.get("id")


def nbgrader(cell) -> dict:
    """The cell's nbgrader metadata, empty where there is none or it is broken."""
    found = cell.get("metadata", {}).get("nbgrader")
    return found if isinstance(found, dict) else {}


def is_answer(cell) -> bool:
    return bool(nbgrader(cell).get("solution"))


def is_locked(cell) -> bool:
    return not is_answer(cell) and bool(nbgrader(cell).get("grade") or nbgrader(cell).get("locked"))


def text(cell) -> str:
    return "".join(cell.get("source", ""))  # the format allows a list of lines


def plain(cell, name):
    """A fresh cell with nothing but the student's text: no tags, metadata or outputs."""
    new = new_code_cell if cell.get("cell_type") == "code" else new_markdown_cell
    return new(text(cell), id=name)
