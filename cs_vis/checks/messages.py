"""What is said where no known mistake was recognised: what differs, and where."""

import sysconfig
import traceback
from pathlib import Path

import torch

from .distance import comparable


def problem_with(outcome, golden, case, device) -> str | None:
    """One sentence on how this outcome differs from what is right, or None."""
    if outcome.error:
        return f"With {case.name}, your code raised {place_of(outcome.error)}."
    # In the order in which the case gives them: what comes first is worth saying first.
    for name in sorted(golden, key=[*outcome.outputs, *golden].index):
        result, right = outcome.outputs.get(name), golden[name]
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
    ours = (str(Path(__file__).parents[1]), sysconfig.get_path("stdlib"), "<frozen")
    own = [frame for frame in traceback.extract_tb(error.__traceback__)
           if not frame.filename.startswith(ours) and "-packages" not in frame.filename]
    text = " ".join(str(error).split())
    kind, home = type(error).__name__, type(error).__module__
    kind = kind if home == "builtins" else f"{home}.{kind}"  # cv2.error says more than error
    place = f" in line {own[-1].lineno}: {own[-1].line}" if own else ""
    return kind + (f" ({text[:200]})" if text else "") + place
