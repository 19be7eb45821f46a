"""What every check does: run the student's function on small inputs, compare, and say what is off.

An exercise is data: its cases, the sentences about its known mistakes, and its line in the docs.
The stored tensors (`make goldens`) hold what is right, and the fingerprints of the mistakes.
"""

import sys
from collections.abc import Callable
from contextlib import redirect_stderr
from typing import Any, NamedTuple

import torch

from .distance import comparable, exact_arithmetic, largest_error
from .harm import HARMS, globals_kept, harms_between, state_of
from .messages import problem_with
from .stored import golden_of, load_goldens


class CheckFailed(AssertionError):
    """The work is not right yet. `mistake` is the name of the recognised mistake, or None."""

    def __init__(self, message: str, mistake: str | None = None):
        super().__init__(message)
        self.mistake = mistake

    def _render_traceback_(self):  # a notebook shows the sentence, not our code's traceback
        return [f"✗ {self}"]


class NotSolved(CheckFailed):
    """The exercise still raises NotImplementedError."""


class Case(NamedTuple):
    """One call of an exercise, and how exact its result has to be."""
    name: str  # in words: students read it
    build: Callable[..., dict]  # (device, dtype) -> the inputs by name
    call: Callable[..., dict]  # (function, **inputs) -> what it gives, by name
    dtype: torch.dtype = torch.float32
    tolerance: float = 1e-4
    distance: Callable[..., float] = largest_error
    fingerprints: bool = True  # are known mistakes told apart here?


class Exercise(NamedTuple):
    """What a check needs to know about an exercise."""
    name: str
    notebook: str  # also the name of the file with its goldens
    cases: list[Case]
    mistakes: dict[str, str]  # name -> the sentence that teaches
    row: dict[str, str]  # its line in docs/exercises.md
    recognise: Callable[..., str | None] = lambda function, outcomes: None


class Outcome(NamedTuple):
    """What one call did: its outputs, or the error it raised, and the harm it left."""
    outputs: dict[str, Any]
    error: Exception | None
    harms: list[str]


def check(exercise: Exercise, function: Callable, device: str = "cpu") -> None:
    """Print one tick, or raise CheckFailed with one or two sentences that help."""
    if not callable(function):
        raise CheckFailed(f"Pass the function itself, check.{exercise.name}({exercise.name}), not "
                          f"what it returns (here of type {type(function).__name__}).")
    goldens = load_goldens(exercise.notebook)
    for case in exercise.cases:
        golden_of(goldens, exercise, case)  # nobody passes for want of something to compare with
    outcomes = {}
    # The tiny cases, which name mistakes, come before the slower ones on a trained network.
    for tiny in (True, False):
        for case in (case for case in exercise.cases if case.fingerprints == tiny):
            outcomes[case.name] = observe(case, function, device)
        judge(exercise, function, outcomes, goldens, device)
    print(f"✓ {exercise.name} is right on {', '.join(case.name for case in exercise.cases)}.")


def observe(case: Case, function: Callable, device: str = "cpu") -> Outcome:
    """Run one case, look at what it left behind, and put back what belongs to everybody."""
    inputs = case.build(device, case.dtype)
    with globals_kept(device):
        before = state_of(inputs)
        outputs, error = {}, None
        try:
            # nbgrader takes any text on stderr, such as a warning, for a failure.
            with redirect_stderr(sys.stdout), exact_arithmetic():
                outputs = case.call(function, **inputs)
        except Exception as problem:
            error = problem
        return Outcome(outputs, error, harms_between(before, state_of(inputs)))


def judge(exercise, function, outcomes, goldens, device) -> None:
    """Raise CheckFailed with the best that can be said about these outcomes, if anything is off."""
    errors = [outcome.error for outcome in outcomes.values() if outcome.error]
    if any(isinstance(error, NotImplementedError) and not str(error) for error in errors):
        raise NotSolved(f"{exercise.name} is not written yet: replace `raise NotImplementedError` "
                        f"by your own lines, then run this cell again.") from None
    harms = [harm for outcome in outcomes.values() for harm in outcome.harms]
    cases = [case for case in exercise.cases if case.name in outcomes]
    problems = [problem for case in cases if (problem := problem_with(
        outcomes[case.name], golden_of(goldens, exercise, case), case, device))]
    if not problems and not harms:
        return
    mistake = (exercise.recognise(function, outcomes)
               or fingerprint_of(exercise, outcomes, goldens)) if problems else None
    if mistake:
        raise CheckFailed(exercise.mistakes[mistake], mistake) from (errors or [None])[0]
    if harms:
        raise CheckFailed(HARMS[harms[0]], harms[0]) from (errors or [None])[0]
    raise CheckFailed(problems[0]) from (errors or [None])[0]


def fingerprint_of(exercise, outcomes, goldens) -> str | None:
    """The known mistake that gives the same on every tiny case; of several, the nearest."""
    tiny = [outcomes[case.name] for case in exercise.cases if case.fingerprints]
    if all(outcome.error for outcome in tiny):
        return None  # an error alone tells no mistake from any other that raises it
    near = {}
    for mistake in exercise.mistakes:
        gaps = [gap_to(exercise, case, mistake, outcomes[case.name], goldens)
                for case in exercise.cases if case.fingerprints]
        if None not in gaps:
            near[mistake] = sum(gaps)
    return min(near, key=near.get, default=None)


def gap_to(exercise, case, mistake, outcome, goldens) -> float | None:
    """How far this outcome is from a mistake's fingerprint; None where it is another thing."""
    error = goldens.errors.get(f"{exercise.name}/{case.name}/{mistake}")
    if error or outcome.error:
        return 0.0 if error == type(outcome.error).__name__ else None
    gaps = []
    for name in golden_of(goldens, exercise, case):
        print_ = goldens.tensors.get(f"{exercise.name}/{case.name}/{name}/{mistake}")
        result = outcome.outputs.get(name)
        if print_ is None or not torch.is_tensor(result) or result.shape != print_.shape:
            return None
        gaps.append(case.distance(comparable(result), comparable(print_)))
    return sum(gaps) if all(gap <= case.tolerance for gap in gaps) else None
