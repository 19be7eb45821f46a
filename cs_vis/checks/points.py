"""The points so far, for the student alone: no grade comes from here, and no grader reads it."""

import json

from ..course import notebook_file

# How the last run of each check ended, by exercise: the one thing that a check leaves behind.
# It lives as long as the kernel, and a student may write what they like into it.
ended: dict[str, bool] = {}

WORDS = {True: "passed", False: "not passed yet: read what its check says", None: "not run yet"}


def progress() -> None:
    """Print the points of the checks that passed in this session, and what is still to come.

    The last run of each check counts, on the function as it was then. Points are those of the
    notebook that was handed out, in this package; hidden tests and answers that a person reads
    are judged when it is graded.
    """
    from . import EXERCISES  # here, for it imports us
    # A check of a notebook that is not handed out yet has no points here.
    notebooks = dict.fromkeys(EXERCISES[name].notebook for name in ended if name in EXERCISES)
    if not notebooks:
        print("No check has run in this session. Run the one below an exercise, then this again.")
    for notebook in sorted(notebooks):
        print(table(notebook, [e.name for e in EXERCISES.values() if e.notebook == notebook]))


def table(notebook: str, exercises: list[str]) -> str:
    """The points of one notebook so far, a line for each exercise."""
    cells = graded_cells(notebook)
    worth = {name: sum(points for points, source, _ in cells if f"check.{name}(" in source)
             for name in exercises}
    width = max(map(len, exercises))
    got = {name: worth[name] * ended.get(name, False) for name in exercises}
    total, by_hand = sum(p for p, _, _ in cells), sum(p for p, _, manual in cells if manual)
    hidden = total - sum(worth.values()) - by_hand
    rest = [f"{points:g} {how}" for points, how in (
        (hidden, "by hidden tests on other inputs"),
        (by_hand, "by a person who reads your answers")) if points]
    return "\n".join([
        f"{notebook}: {sum(got.values()):g} of the {sum(worth.values()):g} points of its checks, "
        f"in this session", "",
        *(f"  {name:{width}}  {got[name]:g} of {worth[name]:g}  {WORDS[ended.get(name)]}"
          for name in exercises), "",
        f"Of the notebook's {total:g} points, the others come when it is graded: "
        f"{' and '.join(rest) or 'none'}."])


def graded_cells(notebook: str) -> list[tuple[float, str, bool]]:
    """Points, source, and whether a person marks it, of each graded cell that was handed out."""
    released = json.loads(notebook_file(notebook).read_text(encoding="utf-8"))
    roles = [(cell, cell["metadata"].get("nbgrader", {})) for cell in released["cells"]]
    return [(role["points"], "".join(cell["source"]), role["solution"])
            for cell, role in roles if role.get("grade")]
