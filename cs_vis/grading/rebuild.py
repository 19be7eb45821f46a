"""A submission put back on the course's own notebook: only what students write is theirs."""

import re
from collections import defaultdict
from copy import deepcopy

from nbformat.v4 import new_code_cell, new_markdown_cell

# Lines for the shell or for pip, with those they go on in (\ at the end); `!=` begins no such line.
SHELL_LINE = re.compile(
    r"^([ \t]*)((?:!(?!=)|%(?:pip|conda|mamba|uv|cd|sx|system)\b|pip3?[ ]install\b)"
    r"(?:.*\\\n)*.*)", re.M)
SHELL_CELL = re.compile(r"\s*%%(?:!|(?:bash|sh|script|system|sx|cmd)\b)")


def rebuild(release, submitted):
    """The release with the student's answers and extra cells, and a list of remarks on the rest.

    Solution cells are found by grade_id; of several copies the last one that is not empty is
    the answer, and the others run before it. Every other cell of the course, its tags and its
    metadata are the release's, so a moved, copied, deleted or edited one does no harm. What
    students write for the shell or for pip becomes a comment. Neither argument is changed.
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
    return rebuilt, list(dict.fromkeys(remarks))


def splice(places, submitted):
    """Sort the submitted cells: sources that replace the release's, cells that come after one."""
    answers, extra, remarks, after = {}, defaultdict(list), [], None
    names = find_places(places, submitted.cells)
    last = {name: i for i, name in enumerate(names) if text(submitted.cells[i]).strip()}
    for i, (name, cell) in enumerate(zip(names, submitted.cells)):
        own = name is None or is_answer(places[name])
        if own and cell.get("cell_type") == "code" and without_shell(text(cell)) != text(cell):
            remarks.append("Lines that install something or call the shell (`%pip`, `!ls`) were "
                           "not run: all that the course needs is here.")
        if name is None or (own and last.get(name, i) != i):
            extra[after].append(plain(cell, f"extra-{i:03d}"))
            if name is not None:
                remarks.append(f"The cell {name} was there twice: the last copy counts.")
            continue
        after = name
        if own and text(cell).strip():
            answers[name] = without_shell(text(cell))
        elif is_changed(cell, places[name]):
            remarks.append(undone(places[name]))
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


def is_changed(cell, original) -> bool:
    """Whether a check or a set-up cell was edited; texts and pictures ("look") invite play."""
    worth_saying = (original.cell_type == "code" and not is_answer(original)
                    and "look" not in original.metadata.get("tags", []))
    return worth_saying and text(cell).strip() != text(original).strip()


def undone(cell) -> str:
    """The remark on a changed cell of the course, which is named so that a student finds it."""
    first_line, *_ = text(cell).split("\n")
    name = nbgrader(cell).get("grade_id") or f"that begins with `{first_line}`"
    return (f"The cell {name} is the course's: your changes to it were undone. "
            f"Write your own code into your answers, or into cells that you add.")


def without_shell(source) -> str:
    """The code with what would change the machine it is graded on turned into comments."""
    if SHELL_CELL.match(source):
        return re.sub("^", "# ", source, flags=re.M)
    # `pass`, for the line may be all there is in a block.
    return SHELL_LINE.sub(lambda found: f"{found[1]}pass  # not run when graded: "
                                        + found[2].replace("\n", " "), source)


def text(cell) -> str:
    return "".join(cell.get("source", ""))  # the format allows a list of lines


def plain(cell, name):
    """A fresh cell with nothing but the student's text: no tags, metadata or outputs."""
    if cell.get("cell_type") == "code":
        return new_code_cell(without_shell(text(cell)), id=name)
    return new_markdown_cell(text(cell), id=name)
