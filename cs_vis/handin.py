"""Is a notebook fit to be handed in? What `cs-vis check FILE` says, from the file alone.

Nothing is run and no points are promised. What is compared with is the notebook in this package.
"""

import json
import re
import textwrap
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from . import __version__
from .cells import calls_shell, find_places, is_answer, is_changed, nbgrader, place, text
from .course import assignments, notebook_file

FINE, NOTE, MEND = "✓", "!", "✗"  # "!" is worth knowing, and does not stand in the way
LARGEST = 20_000_000  # bytes; pictures in the outputs make a notebook large, answers do not
STUB = "raise NotImplementedError"


class Remark(NamedTuple):
    """One line of what `cs-vis check` says."""
    mark: str
    sentence: str


def look_at(file: Path) -> list[Remark]:
    """What there is to say about a file that is to be handed in, most important first.

    It is fit to be handed in where no remark has the mark MEND.
    """
    try:
        notebook = read(file)
        name, release = released(notebook)
    except ValueError as error:
        return [Remark(MEND, str(error))]
    places = {place(cell): cell for cell in release["cells"]}
    names = find_places(places, notebook["cells"])
    said = [of_name(file, name), of_version(notebook, places)]
    if said[1].mark == MEND:
        return said  # compared with another version, every cell would look wrong
    return [*said, *of_answers(places, names, notebook["cells"]),
            *of_checks(places, names, notebook["cells"])]


def read(file: Path) -> dict:
    """The notebook in a file; ValueError, saying what to do, where there is none."""
    if file.is_dir():
        raise ValueError(f"{file} is a folder: name the notebook in it, such as "
                         f"{file / 'NAME.ipynb'}")
    if not file.is_file():
        raise ValueError(f"{file} is not there: name the notebook that you want to hand in")
    if file.stat().st_size > LARGEST:
        raise ValueError(f"{file} has {file.stat().st_size / 1e6:,.0f} MB, and {LARGEST / 1e6:.0f} "
                         f"is the most: in Jupyter, clear the outputs of all cells and save")
    return parsed(file.read_bytes(), file)


def parsed(content: bytes, file: Path) -> dict:
    """The notebook that these bytes are."""
    again = "open it in Jupyter, save it, and look again"
    if not content.strip():
        raise ValueError(f"{file} is empty: save your notebook once more")
    if content.startswith(b"PK"):
        raise ValueError(f"{file} is a packed archive: unpack it, and name the notebook inside")
    if content.lstrip()[:1] == b"<":
        raise ValueError(f"{file} is a web page: download the notebook itself, the .ipynb file")
    try:
        notebook = json.loads(content.decode())
    except (UnicodeDecodeError, RecursionError):
        raise ValueError(f"{file} is no notebook: it is not text. Name the .ipynb file") from None
    except ValueError as error:
        raise ValueError(f"{file} is not a whole notebook: it breaks off, or is damaged, in line "
                         f"{getattr(error, 'lineno', 1)}. Try this: {again}. Jupyter may keep an "
                         f"earlier copy in the folder .ipynb_checkpoints beside it") from None
    if not is_notebook(notebook):
        raise ValueError(f"{file} can be read, but is no notebook of the format 4 that Jupyter "
                         f"writes: {again}")
    return notebook


def is_notebook(found) -> bool:
    """A dictionary with the cells of nbformat 4, each of them with its text?"""
    return (isinstance(found, dict) and found.get("nbformat") == 4
            and isinstance(found.get("metadata", {}), dict)
            and isinstance(found.get("cells"), list) and all(map(is_cell, found["cells"])))


def is_cell(found) -> bool:
    if not isinstance(found, dict) or not isinstance(found.get("metadata", {}), dict):
        return False
    source = found.get("source", "")
    return isinstance(source, str) or (isinstance(source, list)
                                       and all(isinstance(line, str) for line in source))


def released(notebook) -> tuple[str, dict]:
    """The assignment that this is, told by its cells, and the notebook that was handed out."""
    found = {name: json.loads(notebook_file(name).read_text(encoding="utf-8"))
             for name in assignments()}
    own = {place(cell) for cell in notebook["cells"] if place(cell)}
    shared = {name: sum(is_answer(cell) and place(cell) in own for cell in release["cells"])
              for name, release in found.items()}
    name = max(shared, key=shared.get)
    if not shared[name]:
        raise ValueError(f"this is none of the course's notebooks ({', '.join(found)}): not one of "
                         f"the cells with your answers is in it. Is it the right file?")
    return name, found[name]


def of_name(file, name):
    size = f"{file.stat().st_size / 1000:,.0f} kB"
    if file.name != f"{name}.ipynb":
        return Remark(MEND, f"The file is called {file.name}: rename it to {name}.ipynb.")
    return Remark(FINE, f"The file is a whole notebook, {file.name}, {size}.")


def of_version(notebook, places):
    noted = notebook.get("metadata", {}).get("cs_vis")
    version = noted.get("version") if isinstance(noted, dict) else None
    if version is None and not is_of_another(notebook, places):
        return Remark(NOTE, f"It does not say which version of the course it is of; here is "
                            f"{__version__}.")
    if version != __version__:
        other = f"cs_vis {version}" if version else "another release of cs_vis"
        return Remark(MEND, f"It is of {other}, and here is {__version__}: install the "
                            f"package that it is of, or, if {__version__} is asked for, copy your "
                            f"answers into its notebook (`cs-vis new-workspace DIR` lays it out).")
    return Remark(FINE, f"It is of version {version}, like the cs_vis that is installed here.")


def is_of_another(notebook, places) -> bool:
    """Whether nbgrader's checksums, noted in the cells it hands out, are those of other cells."""
    sums = [(nbgrader(cell).get("checksum"), nbgrader(places[place(cell)]).get("checksum"))
            for cell in notebook["cells"] if place(cell) in places]
    return any(one and one != other for one, other in sums)


def of_answers(places, names, cells):
    """Which cells for answers are missing, are there twice, or still hold the stub."""
    wanted = [name for name, cell in places.items() if is_answer(cell)]
    written = {name: text(cell) for name, cell in zip(names, cells) if text(cell).strip()}
    counts = Counter(names)
    missing = [name for name in wanted if name not in written]
    todo = [name for name in wanted if name in written and (
        STUB in written[name] or written[name].strip() == text(places[name]).strip())]
    if missing:
        yield Remark(MEND, f"Missing or empty: {listed(missing, places)}. A fresh notebook has the "
                           f"cell (`cs-vis new-workspace fresh`): copy it, and write in it.")
    if len(todo) == len(wanted):
        yield Remark(MEND, "No exercise is solved yet. Is it the right file, and was it saved?")
    elif todo:
        yield Remark(NOTE, f"Still to be solved, or to be cleared of `{STUB}`: "
                           f"{listed(todo, places)}.")
    if not missing and not todo:
        yield Remark(FINE, f"All {len(wanted)} cells for answers are there and written.")
    if twice := [name for name in wanted if counts[name] > 1]:
        yield Remark(NOTE, f"More than once: {listed(twice, places)}. The last that is not empty "
                           f"counts; delete the others.")


def of_checks(places, names, cells):
    """What was done to the course's own cells, and what will not be run when it is graded."""
    changed = [name for name, cell in zip(names, cells)
               if name is not None and is_changed(cell, places[name])]
    gone = [name for name, cell in places.items()
            if nbgrader(cell).get("grade") and not is_answer(cell) and name not in names]
    for found, what in ((changed, "Changed"), (gone, "Deleted")):
        if found:
            yield Remark(NOTE, f"{what}, though they are the course's: {listed(found, places)}. "
                               f"When graded they are as they were handed out.")
    if not changed and not gone:
        yield Remark(FINE, "The checks are as they were handed out.")
    own = (cell for name, cell in zip(names, cells) if name is None or is_answer(places[name]))
    if any(map(calls_shell, own)):
        yield Remark(NOTE, "Lines that install something or call the shell (`%pip`, `!ls`) are not "
                           "run when it is graded: your answers must work without them.")


def listed(names, places) -> str:
    return ", ".join(called(places[name]) for name in dict.fromkeys(names))


def called(cell) -> str:
    """What a student sees of a cell: the function that belongs there, or else its first line."""
    if is_answer(cell) and (defined := re.search(r"^(?:def|class) (\w+)", text(cell), re.M)):
        return defined[1]
    first_line, *_ = text(cell).strip().splitlines() or ["an empty cell"]
    return f"`{textwrap.shorten(first_line, 60, placeholder=' ...')}`"


def report(remarks: list[Remark]) -> str:
    """The remarks as lines of text, and what follows from them."""
    lines = [textwrap.fill(f"{remark.mark} {remark.sentence}", 96, subsequent_indent="  ",
                           break_long_words=False, break_on_hyphens=False) for remark in remarks]
    if any(remark.mark == MEND for remark in remarks):
        return "\n".join([*lines, "", "Not fit to hand in yet: see the lines with ✗."])
    but = ", but see what is marked !" if any(one.mark == NOTE for one in remarks) else ""
    return "\n".join([*lines, "", f"Fit to hand in{but}. Nothing was run here: whether your "
                                  f"answers are right, the checks in the notebook say."])
