"""What an exercise is to its check: data. Cases, traps, sentences, and its line in the docs.

`check.compute_saliency_maps(f)` calls the Exercise of that name: it observes f on the cases and
the traps (observe.py), judges what was seen (judge.py), and prints a tick or raises CheckFailed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import torch

from .distance import largest_error
from .points import ended


class CheckFailed(AssertionError):
    """The work is not right yet. `mistakes` are the names of what was recognised, most important
    first; `mistake` is the first of them, or None."""

    def __init__(self, message: str, mistakes: tuple[str, ...] = ()):
        super().__init__(message)
        self.mistakes = list(mistakes)
        self.mistake = self.mistakes[0] if mistakes else None

    def _render_traceback_(self):  # a notebook shows the sentence, not our code's traceback
        from .messages import wrapped
        return wrapped(f"✗ {self}").splitlines()


class NotSolved(CheckFailed):
    """The exercise still raises NotImplementedError."""


class Case(NamedTuple):
    """One call of an exercise, and how exact its result has to be."""
    name: str  # in words: students read it
    inputs: Callable[..., dict]  # numbers -> the inputs by name, as data (inputs.py), in float64
    call: Callable[..., dict]  # (function, **inputs) -> what it gives, by name
    dtype: torch.dtype = torch.float32
    tolerance: float = 1e-4
    distance: Callable[..., float] = largest_error
    tiny: bool = True  # small enough that mistakes are told apart here


class Trap(NamedTuple):
    """A case changed in one respect that must not matter: the function is compared with itself.

    What shows here is a habit, whatever else may be wrong with the values. One that is named among
    the exercise's notes costs nothing, and is said where all else is right.
    """
    name: str  # of the habit
    of: str  # the case that is changed
    change: Callable[[dict], dict] = dict  # its inputs, as data
    expect: Callable = lambda result: result  # from the case's result to the one wanted here
    dtype: torch.dtype = torch.float32
    call: Callable[..., dict] | None = None  # another way to call than the case's
    drift: str | None = None  # the habit's name where it is the values that differ
    unless: tuple[str, ...] = ()  # mistakes that explain it already


@dataclass(frozen=True)
class Exercise:
    """A function that students write, and all that its check needs to know about it."""
    name: str
    notebook: str  # also the name of the file with its goldens
    parameters: tuple[str, ...]  # in the notebook's order
    cases: tuple[Case, ...]
    mistakes: dict[str, str]  # name -> the sentence that teaches, what matters most first
    row: dict[str, str]  # its line in docs/exercises.md
    traps: tuple[Trap, ...] = ()
    errors: dict[str, str] = field(default_factory=dict)  # mistake -> pattern of what it raises
    facts: Callable[..., dict] = lambda function: {}  # plain values that outputs do not show
    # Told from all that was observed, and the inputs: mistakes, where a case is not right …
    recognise: Callable[..., tuple[str, ...]] = lambda observed, inputs: ()
    # … and arguable conventions, each with the cases that differ by it and are right all the same.
    conventions: Callable[..., dict[str, tuple]] = lambda observed, inputs: {}
    notes: dict[str, str] = field(default_factory=dict)  # … or habit -> what is said: full points

    def __call__(self, function: Callable, device: str = "cpu") -> None:
        """Print one tick, or raise CheckFailed with one or two sentences that help."""
        from .engine import check  # here, for the engine knows exercises
        ended[self.name] = False  # unless it comes to its end
        check(self, function, device)
        ended[self.name] = True

    def __repr__(self):
        return (f"{self.row['signature']}: {self.row['shapes']}. Gives {self.row['gives']}. "
                f"Formula: {self.row['formula']}. Defaults: {self.row['defaults']}. "
                f"Check yours with check.{self.name}({self.name}).").replace("\\|", "|")
