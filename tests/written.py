"""Every notebook whose exercises are written, and what belongs to each: tests run over them.

That includes notebooks which course.toml does not list yet.
"""

import contextlib
import io
from importlib import import_module

from cs_vis.checks import CheckFailed
from cs_vis.course import topic
from cs_vis.grading import goldens
from cs_vis.grading.hidden import Cell, Visible

NOTEBOOKS = goldens.notebooks()
EXERCISES = {exercise.name: exercise for notebook in NOTEBOOKS
             for exercise in goldens.exercises_of(notebook)}
KNOWN = {notebook: goldens.mistakes_of(notebook) for notebook in NOTEBOOKS}
MISTAKES = {name: found for known in KNOWN.values() for name, found in known.MISTAKES.items()}
ALTERNATIVES = {name: found for known in KNOWN.values()
                for name, found in known.ALTERNATIVES.items()}


def reference(exercise: str):
    """The right answer to an exercise."""
    return getattr(goldens.reference_of(EXERCISES[exercise].notebook), exercise)


def verdict(exercise: str, function):
    """The names that the check gives, None where it accepts."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            EXERCISES[exercise](function)
    except CheckFailed as failed:
        return failed.mistakes
    return None


def hidden_cells(notebook: str) -> dict:
    """The graded cells of a notebook, by name: a person would look for each in the notebook."""
    module = import_module(f"cs_vis.grading.hidden.{topic(notebook)}")
    return {name: cell for name, cell in vars(module).items() if isinstance(cell, (Cell, Visible))}


CELLS = {(notebook, name): cell for notebook in NOTEBOOKS
         for name, cell in hidden_cells(notebook).items()}
