"""Every graded cell, defined once, for both ways of grading.

In a notebook a hidden test is two lines: `hidden.single(compute_saliency_maps)` draws with a fixed
seed, calls and judges at once. A grader that trusts nobody draws outside with a secret seed, has
`observe` called in the student's process, and judges outside what came back.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch

from cs_vis.checks.engine import facts_of, observe_all
from cs_vis.checks.fixtures import drawn
from cs_vis.checks.inputs import live
from cs_vis.checks.judge import is_unsolved
from cs_vis.checks.judge import judge as verdict_of
from cs_vis.checks.observe import Observed, observe

SEED = 20260731  # of the stock route, which has no secret


class Failed(AssertionError):
    """A hidden test failed: its sentence, and nothing of the test."""

    def _render_traceback_(self):
        return [f"✗ {self}"]


class Trial(NamedTuple):
    """One call: what went in, what is right, what came out."""
    inputs: dict   # as data
    right: dict    # the reference's outputs by name
    outputs: dict  # the student's


class Cell(NamedTuple):
    """One hidden test: what is drawn, how it is called, and how the outcomes are judged."""
    exercise: object  # the Exercise whose function is called
    reference: Callable
    case: str | tuple  # called as this case of its check is; a tuple has one for each call
    tries: str  # in a sentence, for the table in the docs
    draw: Callable[[torch.Generator], list]         # -> the inputs of each call, as data
    judge: Callable[[list[Trial]], str | None]      # what is wrong, or None
    dtype: torch.dtype = torch.float64

    def __call__(self, function) -> None:
        """The stock route: draw, call and judge here. Raises Failed with a sentence."""
        inputs = self.draw(torch.Generator().manual_seed(SEED))
        said = self.judge_outcomes(inputs, self.observe(inputs, function))
        if said:
            raise Failed(said) from None

    def calls(self, inputs) -> list:
        """How the function is called with each of the inputs."""
        ways = {case.name: case.call for case in self.exercise.cases}
        names = [self.case] * len(inputs) if isinstance(self.case, str) else self.case
        return [ways[name] for name in names]

    def observe(self, inputs, function) -> list:
        """Inside: needs nothing but the student's wheel."""
        return [observe(call, given, function, dtype=self.dtype)
                for call, given in zip(self.calls(inputs), inputs)]

    def judge_outcomes(self, inputs, outcomes) -> str | None:
        """Outside: an error first, then what this cell asks."""
        trials = []
        for call, given, outcome in zip(self.calls(inputs), inputs, outcomes):
            if is_unsolved(outcome.problem):
                return "The exercise is not written yet."
            if outcome.problem:
                return f"Your code raised {outcome.problem}."
            right = call(self.reference, **live(given, "cpu", self.dtype))
            trials.append(Trial(given, right, outcome.outputs))
        return self.judge(trials)


class Visible(NamedTuple):
    """The cell of a visible check, verified on fresh inputs in the shapes of its cases.

    fits: is what was drawn fit to tell right from wrong? A case is drawn anew until it is.
    """
    exercise: object
    tries: str = "the visible check, its tiny cases drawn anew"
    fits: Callable[..., bool] = lambda case, inputs: True

    def __call__(self, function) -> None:
        self.exercise(function)

    def draw(self, generator) -> dict:
        return {case.name: until(lambda: case.inputs(drawn(generator)),
                                 lambda inputs, case=case: self.fits(case, inputs))
                for case in self.exercise.cases if case.tiny}

    def observe(self, inputs, function) -> Observed:
        return Observed(observe_all(self.exercise, inputs, function),
                        facts_of(self.exercise, function))

    def judge_outcomes(self, inputs, observed, prints: bool = True) -> str | None:
        from cs_vis.grading.goldens import goldens_for  # here: goldens know all exercises
        goldens = goldens_for(self.exercise, inputs, prints=prints)
        verdict = verdict_of(self.exercise, inputs, observed, goldens)
        return None if verdict.right else verdict.message


def until(draw: Callable, fits: Callable):
    """What is drawn first that fits. Raises RuntimeError where nothing seems to."""
    for _ in range(10_000):
        inputs = draw()
        if fits(inputs):
            return inputs
    raise RuntimeError("of 10,000 inputs drawn for a graded cell none fits: this is a mistake of "
                       "the course, and not of the student")


def off_by(result, right) -> float:
    """The length of the difference over that of what is right, infinite where shapes differ."""
    if not torch.is_tensor(result) or result.shape != right.shape:
        return float("inf")
    return ((result.double() - right.double()).norm() / right.double().norm()).item()
