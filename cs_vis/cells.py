"""The cells of a notebook that was handed out, and of one that comes back: what is the student's.

Cells are dictionaries as a notebook's file holds them, so all this needs no package for notebooks.
"""

import re

# Lines for the shell or for pip, with those they go on in (\ at the end); `!=` begins no such line.
SHELL_LINE = re.compile(
    r"^([ \t]*)((?:!(?!=)|%(?:pip|conda|mamba|uv|cd|sx|system)\b|pip3?[ ]install\b)"
    r"(?:.*\\\n)*.*)", re.M)
SHELL_CELL = re.compile(r"\s*%%(?:!|(?:bash|sh|script|system|sx|cmd)\b)")


def place(cell):
    """What a cell is known by: its grade_id, else its id; None where neither is a name."""
    name = nbgrader(cell).get("grade_id") or cell.get("id")
    return name if isinstance(name, str) else None


def nbgrader(cell) -> dict:
    """The cell's nbgrader metadata, empty where there is none or it is broken."""
    found = cell.get("metadata", {}).get("nbgrader")
    return found if isinstance(found, dict) else {}


def find_places(places, cells) -> list:
    """Which cell of the release each cell is, None where it is the student's own.

    Some editors drop the ids of cells; then the same text means the same cell.
    """
    by_text = {text(cell): name for name, cell in places.items()}
    return [place(cell) if place(cell) in places else by_text.get(text(cell)) for cell in cells]


def is_answer(cell) -> bool:
    return bool(nbgrader(cell).get("solution"))


def is_changed(cell, original) -> bool:
    """Whether a check or a set-up cell was edited; texts and pictures ("look") invite play."""
    worth_saying = (original["cell_type"] == "code" and not is_answer(original)
                    and "look" not in original["metadata"].get("tags", []))
    return worth_saying and text(cell).strip() != text(original).strip()


def calls_shell(cell) -> bool:
    return cell.get("cell_type") == "code" and without_shell(text(cell)) != text(cell)


def without_shell(source) -> str:
    """The code with what would change the machine it is graded on turned into comments."""
    if SHELL_CELL.match(source):
        return re.sub("^", "# ", source, flags=re.M)
    # `pass`, for the line may be all there is in a block.
    return SHELL_LINE.sub(lambda found: f"{found[1]}pass  # not run when graded: "
                                        + found[2].replace("\n", " "), source)


def text(cell) -> str:
    return "".join(cell.get("source", ""))  # the format allows a list of lines
