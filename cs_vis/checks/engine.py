"""What every check does: run the student's function on small inputs, compare, and say what is off.

An exercise is data: its cases, the sentences about its known mistakes, and its line in the docs.
The stored tensors (`make goldens`) hold what is right, and the fingerprints of the mistakes.
"""

import json
import sys
import sysconfig
import traceback
from collections.abc import Callable
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import safe_open

from .. import datasets
from .harm import HARMS, harms_between, state_of


class CheckFailed(AssertionError):
    """The work is not right yet. `mistake` is the name of the recognised mistake, or None."""

    def __init__(self, message: str, mistake: str | None = None):
        super().__init__(message)
        self.mistake = mistake


class NotSolved(CheckFailed):
    """The exercise still raises NotImplementedError."""


def largest_error(result, golden) -> float:
    """The largest difference, in units of the largest golden value; for masks, the share that
    differs."""
    if golden.dtype == torch.bool:
        return (result != golden).double().mean().item()
    return ((result - golden).abs().max() / golden.abs().max().clamp(min=1e-12)).item()


def relative_l2(result, golden) -> float:
    """‖result − golden‖ / ‖golden‖: forgives the few pixels where a ReLU tips over by rounding."""
    return ((result - golden).norm() / golden.norm()).item()


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


class Goldens(NamedTuple):
    """The stored tensors of a notebook, and the errors that some mistakes end in."""
    tensors: dict[str, torch.Tensor]  # "exercise/case/output" or "exercise/case/output/mistake"
    errors: dict[str, str]  # "exercise/case/mistake" -> name of the error


def check(exercise: Exercise, function: Callable, device: str = "cpu") -> None:
    """Print one tick, or raise CheckFailed with one or two sentences that help."""
    if not callable(function):
        raise CheckFailed(f"Pass the function itself, check.{exercise.name}({exercise.name}), not "
                          f"what it returns (here of type {type(function).__name__}).")
    goldens = load_goldens(exercise.notebook)
    cases = [case for case in exercise.cases if golden_of(goldens, exercise, case)]
    outcomes = {}
    # The tiny cases, which name mistakes, come before the slower ones on a trained network.
    for tiny in (True, False):
        for case in (case for case in cases if case.fingerprints == tiny):
            outcomes[case.name] = observe(case, function, device)
        judge(exercise, function, outcomes, goldens, device)
    print(f"✓ {exercise.name} is right on {', '.join(case.name for case in cases)}.")


def observe(case: Case, function: Callable, device: str = "cpu") -> Outcome:
    """Run one case and look at what it left behind."""
    inputs = case.build(device, case.dtype)
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


def problem_with(outcome, golden, case, device) -> str | None:
    """One sentence on how this outcome differs from what is right, or None."""
    if outcome.error:
        return f"With {case.name}, your code raised {place_of(outcome.error)}."
    for name, right in golden.items():
        result = outcome.outputs.get(name)
        said = f"With {case.name}, the {name} "
        if not torch.is_tensor(result):
            hint = {"NoneType": " (does the function end in `return`?)",
                    "ndarray": " (torch.from_numpy makes a tensor of it)"}
            kind = type(result).__name__
            return f"{said}should be a tensor and is of type {kind}{hint.get(kind, '')}."
        if result.shape != right.shape:
            return f"{said}has shape {tuple(result.shape)} and should have {tuple(right.shape)}."
        wanted = right.dtype if right.dtype == torch.bool else case.dtype
        if result.dtype != wanted:
            return (f"{said}has dtype {result.dtype} and should have {wanted}, "
                    f"{'a mask' if wanted == torch.bool else 'like the input'}.")
        if result.device.type != torch.device(device).type:
            return f"{said}lies on {result.device} and should lie on {device}, like the input."
        if result.is_floating_point() and not result.isfinite().all():
            return f"{said}holds NaN or infinite values: is something divided by zero?"
        result, right = comparable(result), comparable(right)
        if case.distance(result, right) > case.tolerance:
            return said + how_far(result, right)
    return None


def how_far(result, right) -> str:
    differ = (result.double() - right.double()).abs()
    wrong = int((differ > 1e-3 * right.double().abs().max()).sum())
    place = tuple(torch.unravel_index(differ.argmax(), differ.shape))
    index = ", ".join(str(int(i)) for i in place)
    return (f"is off in {wrong} of {right.numel()} values, most at [{index}]: "
            f"{result[place].item():.4g} instead of {right[place].item():.4g}.")


def place_of(error: Exception) -> str:
    """The error in words, with the last line of it that lies in the student's own code."""
    libraries = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"),
                 str(Path(__file__).parents[1]), "<frozen")
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(libraries)]
    text = f"{type(error).__name__} ({str(error).strip().splitlines()[0]})" \
        if str(error).strip() else type(error).__name__
    return text + (f" in line {own[-1].lineno}: {own[-1].line}" if own else "")


def fingerprint_of(exercise, outcomes, goldens) -> str | None:
    """The known mistake that gives the same on every tiny case; of several, the nearest."""
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


def comparable(tensor):
    tensor = tensor.detach().cpu()
    return tensor if tensor.dtype == torch.bool else tensor.double()


@contextmanager
def exact_arithmetic():
    """Full float32 on GPUs while the block runs: TF32 keeps three digits only."""
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before


def load_goldens(notebook: str) -> Goldens:
    """The goldens of a notebook, for example of "03_saliency"."""
    with safe_open(datasets.path(f"goldens/{notebook}.safetensors"), framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}
        return Goldens(tensors, json.loads(file.metadata()["errors"]))


def golden_of(goldens: Goldens, exercise: Exercise, case: Case) -> dict[str, torch.Tensor]:
    """What is right in this case, by name of the output; empty where none is stored."""
    prefix = f"{exercise.name}/{case.name}/"
    return {key.removeprefix(prefix): tensor for key, tensor in goldens.tensors.items()
            if key.startswith(prefix) and key.count("/") == 2}
