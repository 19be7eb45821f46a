"""What a graded notebook says about its cells, in sentences without paths of this machine."""

import re
from functools import cache
from textwrap import shorten

from nbgrader import utils

from cs_vis.checks import EXERCISES

UNSOLVED = ("NotSolved", "NotImplementedError")
NOTHING = "NothingHandedIn"  # the name of the error of every graded cell of such a submission
TOO_LATE = "CellTimeoutError"
SYNTAX = ("SyntaxError", "IndentationError", "TabError")
LINES = {"NotSolved": "not written yet", "NotImplementedError": "not written yet",
         NOTHING: "nothing to grade", TOO_LATE: "ran longer than the time limit"}
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
CELL_FILE = re.compile(r"(?:/[^\s/'\":]+)*/ipykernel_\d+/\d+\.py(?::(\d+))?")
PATH = re.compile(r"(?<![\w.~)\]/])(?:[A-Za-z]:\\|/)(?:[\w.@+~-][\w.@+~ -]*[/\\])+(?=[\w.@+~-])")


def reason(graded) -> str:
    """One line on a graded notebook: what failed first, and which other exercises did."""
    nothing = graded.metadata.get("cs_vis", {}).get("nothing")
    if nothing:
        return nothing
    failed = {}  # exercise -> its first failure
    for cell in graded.cells:
        # An answer that Python cannot read fails its checks by the missing name alone.
        if line(cell) and (utils.is_grade(cell) or is_unreadable(cell)):
            failed.setdefault(exercise(cell), line(cell))
    if not failed and not any(cell.get("execution_count") for cell in graded.cells):
        return "not graded yet: run `nbgrader autograde` again"
    if not failed:
        return "all checks passed"
    (name, sentence), *others = failed.items()
    also = f"; also {', '.join(other for other, _ in others)}" if others else ""
    return f"{name}: {sentence}{also}"


def is_unreadable(cell) -> bool:
    """Is it an answer with a syntax error?"""
    error = error_of(cell)
    return utils.is_solution(cell) and error is not None and error.ename in SYNTAX


def exercise(cell) -> str:
    """The exercise that a cell belongs to: what its grade_id begins with."""
    return cell.metadata.nbgrader.grade_id.split("_")[0]


def line(cell) -> str:
    """What the error says that a cell ended in, in one short line; empty where it ended well."""
    error = error_of(cell)
    if error is None:
        return ""
    if error.ename in LINES:
        return LINES[error.ename]
    lines = sentence(error).splitlines()
    if error.ename in SYNTAX:
        return f"{error.ename}: {lines[0]}"
    return known_mistakes().get(lines[0]) or shorten(lines[0], 90, placeholder=" ...")


def error_of(cell):
    """The error that a cell ended in, or None."""
    errors = [out for out in cell.get("outputs", []) if out.output_type == "error"]
    return errors[-1] if errors else None


def sentence(error) -> str:
    """All that an error says, whoever raised it; its name where it says nothing."""
    return without_paths(error.evalue).strip() or error.ename


def traceback(error) -> str:
    """The lines of a student's own cells that led to an error, without those of the libraries."""
    frames = [without_paths(frame).strip() for frame in error.traceback]
    own = [frame for frame in frames if frame.startswith("Cell In[")]
    lines = [line for line in "\n".join(own).splitlines() if not line.startswith(f"{error.ename}:")]
    return re.sub(r"Cell In\[\d+\], ", "", "\n".join(lines))


def without_paths(text: str) -> str:
    """The text without colours, and without the folders of the machine that graded it."""
    text = CELL_FILE.sub(lambda found: f"line {found[1]}" if found[1] else "your cell",
                         ANSI.sub("", text))
    text = re.sub(r"\((\d+)\.py, line (\d+)\)", r"(line \2)", text)  # of a syntax error
    return PATH.sub("…/", text)


@cache
def known_mistakes() -> dict[str, str]:
    """The names of the mistakes that checks recognise, by the sentence a check then raises."""
    return {sentence: name for exercise in EXERCISES.values()
            for name, sentence in exercise.mistakes.items()}
