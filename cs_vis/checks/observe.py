"""Inside: run the student's function and note, as data, what it did. Nothing is decided here.

What is noted can be stored and judged elsewhere: no exception, module or function is in it.
"""

import inspect
import sys
from collections.abc import Callable
from contextlib import redirect_stderr
from typing import Any, NamedTuple

import cv2
import torch

from . import inputs as data
from .distance import exact_arithmetic
from .harm import harms_between, state_of, world_kept
from .path import Trace
from .place import Problem, problem_of


class Odd(NamedTuple):
    """A result that is no plain tensor: its type, what it would be as one, and why it is not."""
    kind: str
    items: tuple = ()  # of a tuple or list its tensors, of an array the tensor it would make


class Outcome(NamedTuple):
    """What one call did: its outputs, or the problem it ended in, and the harm it left."""
    outputs: dict[str, Any]  # tensors, Odd, Trace, or plain values
    problem: Problem | None
    harms: list[tuple[str, str]]


class Observed(NamedTuple):
    """All that was seen of a function: by name of the case or trap, and the exercise's facts."""
    outcomes: dict[str, Outcome]
    facts: dict[str, Any]


class Interrupted(KeyboardInterrupt):
    """Somebody stopped the check: one line, and none of our code's traceback."""

    def _render_traceback_(self):
        return ["✗ Stopped while your function was running."]


def observe(call: Callable, inputs: dict, function: Callable, device="cpu",
            dtype: torch.dtype = torch.float32) -> Outcome:
    """Make the inputs live, call, look at what was left behind, and put the world back."""
    with world_kept(device):
        alive = data.live(inputs, device, dtype)
        before = state_of(alive)
        outputs, problem = {}, None
        try:
            # nbgrader takes any text on stderr, such as a warning, for a failure.
            with redirect_stderr(sys.stdout), exact_arithmetic():
                cv2.setRNGSeed(0)  # of the k-means in GrabCut
                outputs = call(function, **alive)
        except KeyboardInterrupt:
            raise Interrupted from None
        except (Exception, SystemExit) as error:
            problem = problem_of(error, function)
        return Outcome({name: plain(value) for name, value in outputs.items()}, problem,
                       harms_between(before, state_of(alive)))


def plain(value):
    """A result as data: a tensor of its own, or what else it is."""
    if isinstance(value, torch.Tensor):
        for name, odd in (("sparse", value.layout != torch.strided), ("nested", value.is_nested),
                          ("meta", value.is_meta), ("quantised", value.is_quantized)):
            if odd:
                return Odd(f"{name} tensor")
        return value.detach().clone().as_subclass(torch.Tensor)
    if isinstance(value, (bool, int, float, str, Trace)):
        return value
    kind = type(value).__name__
    if isinstance(value, (tuple, list)):
        kind = f"torch.{kind}" if type(value).__module__ == "torch.return_types" else kind
        return Odd(kind, tuple(plain(x) for x in value if isinstance(x, torch.Tensor)))
    if kind == "ndarray" and value.dtype.kind in "fbiu":
        return Odd(kind, (torch.from_numpy(value.copy()),))
    return Odd(kind)


def parameters_of(function) -> tuple[str, ...]:
    """The names of a function's parameters, none where Python does not tell."""
    try:
        return tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return ()
