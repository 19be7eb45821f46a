"""What every check does: observe the student's function, judge what was seen, say it.

Beside the student both happen in one process. A grader may observe in one and judge in another:
`observe_all` returns data alone, `judge` takes nothing else.
"""

from .exercise import CheckFailed, NotSolved
from .fixtures import numbers
from .judge import judge, trap_key
from .messages import wrapped
from .observe import Observed, observe, parameters_of
from .stored import golden_of, load_goldens


def check(exercise, function, device: str = "cpu") -> None:
    """Print one tick, or raise CheckFailed with a few sentences that help."""
    if not callable(function):
        raise CheckFailed(f"Pass the function itself, check.{exercise.name}({exercise.name}), not "
                          f"what it returns (here of type {type(function).__name__}).")
    goldens = load_goldens(exercise.notebook)
    for case in exercise.cases:
        golden_of(goldens, exercise, case)  # nobody passes for want of something to compare with
    inputs = {case.name: case.inputs(numbers) for case in exercise.cases}
    observed = Observed({}, facts_of(exercise, function))
    # The tiny cases, which name mistakes, come before the slower ones on a trained network.
    for tiny in (True, False):
        observed.outcomes.update(observe_all(exercise, inputs, function, device, tiny))
        verdict = judge(exercise, inputs, observed, goldens, device)
        if not verdict.right:
            kind = CheckFailed if verdict.solved else NotSolved
            raise kind(verdict.message, verdict.mistakes) from None
    print(wrapped(verdict.message))


def observe_all(exercise, inputs, function, device="cpu", tiny=True) -> dict:
    """The outcomes of the tiny cases and of all traps, or of the other cases, by name."""
    cases = {case.name: case for case in exercise.cases}
    calls = {name: (case.call, inputs[name], case.dtype) for name, case in cases.items()
             if case.tiny == tiny}
    if tiny:
        calls |= {trap_key(trap): (trap.call or cases[trap.of].call, trap.change(inputs[trap.of]),
                                   trap.dtype) for trap in exercise.traps}
    return {name: observe(call, given, function, device, dtype)
            for name, (call, given, dtype) in calls.items()}


def facts_of(exercise, function) -> dict:
    """What is noted of a function beside what it returns."""
    return {"parameters": parameters_of(function), **exercise.facts(function)}
