"""What is said where no known mistake was recognised: the error, or what differs and where."""

import re
import textwrap

import numpy as np
import torch

from .distance import comparable, largest_error
from .observe import Odd

LINE = 96  # characters of a line in a notebook's output
ERRORS = [(name, re.compile(pattern), sentence) for name, pattern, sentence in (
    (".values forgotten", r"torch\.return_types\.|'?(max|min|sort|topk)'? object has no attribute",
     "max(dim=…) returns two things, values and indices: take .values, or use amax(dim=…)."),
    ("no gradient asked for", r"does not require grad and does not have a grad_fn|"
     r"One of the differentiated Tensors does not require grad",
     "Nothing there asks for a gradient: call requires_grad_() on your copy of the picture before "
     "the forward pass, and not under torch.no_grad()."),
    ("a name that is still None", r"'NoneType' object|NoneType and|and 'NoneType'|must be Tensor, "
     r"not NoneType|found type 'NoneType'",
     "Something in that line is still None: a name that was never given its value, a function "
     "without return, or a .grad before backward()."),
    ("gradient of more than a number", r"grad can be implicitly created only for scalar",
     "A gradient is taken of one number: sum() the scores first."),
    ("backward twice", r"backward through the graph a second time",
     "The graph is gone after its first backward pass: run the forward pass again, or take one "
     "gradient of the sum."),
    ("a leaf changed in place", r"leaf Variable that requires grad is being used in an in-place",
     "A tensor that asks for its gradient cannot be changed in place: work on a copy, under "
     "torch.no_grad()."),
    ("one truth of many", r"Boolean value of Tensor with more than one|truth value of an array",
     "`and`, `or`, `not`, `if` and Python's max() want one truth, and here are many: use &, |, ~ "
     "with parentheses around each comparison, torch.where or clamp."),
    ("numpy of a tensor with a graph", r"Can't call numpy\(\) on Tensor that requires grad",
     "Take .detach() before .numpy()."),
    ("sizes written into the code", r"\b(1000|224)\b",
     "A size of one network or picture (1000 classes, 224 pixels) is written into the code: take "
     "it from the shapes of the arguments."),
)]


def difference(outcome, golden, case, device) -> str | None:
    """One sentence on how this outcome differs from what is right, or None."""
    if outcome.problem:
        return f"With {case.name}, your code raised {outcome.problem}."
    # In the order in which the case gives them: what comes first is worth saying first.
    for name in sorted(golden, key=[*outcome.outputs, *golden].index):
        said = difference_of(outcome.outputs.get(name), golden[name], case, device)
        if said:
            return f"With {case.name}, the {name} {said}"
    return None


def difference_of(result, right, case, device) -> str | None:
    """What is wrong with one result, as the end of a sentence."""
    if not torch.is_tensor(result):
        kind = result.kind if isinstance(result, Odd) else type(result).__name__
        hint = {"NoneType": " (does the function end in `return`?)",
                "ndarray": " (torch.from_numpy makes a tensor of it)",
                "sparse tensor": ": take .to_dense()"}
        return f"should be a plain tensor and is of type {kind}{hint.get(kind, '')}."
    if result.shape != right.shape:
        return f"has shape {tuple(result.shape)} and should have {tuple(right.shape)}."
    wanted = right.dtype if right.dtype == torch.bool else case.dtype
    if result.dtype != wanted:
        return (f"has dtype {result.dtype} and should have {wanted}, "
                f"{'a mask' if wanted == torch.bool else 'like the input'}.")
    if result.device.type != torch.device(device).type:
        return f"lies on {result.device} and should lie on {device}, like the input."
    if result.is_floating_point() and not result.isfinite().all():
        return "holds NaN or infinite values: is something divided by zero?"
    result, right = comparable(result), comparable(right)
    if case.distance(result, right) > case.tolerance:
        return how_far(result, right, case)
    return None


def how_far(result, right, case) -> str:
    """How many values are off by more than the case's own bound, and the worst of them."""
    if right.dtype == torch.bool:
        wrong = int((result != right).sum())
        return (f"is off in {wrong} of {right.numel()} pixels ({wrong / right.numel():.1%}): "
                f"{int(result.sum())} are True, and {int(right.sum())} should be.")
    if right.ndim == 0:
        got, wanted = apart(result.item(), right.item())
        return f"is {got} and should be {wanted}."
    differ = (result - right).abs()
    if case.distance is largest_error:
        wrong = int((differ > case.tolerance * right.abs().max()).sum())
        count = f"in {wrong} of {right.numel()} values"
    else:
        count = (f"by {case.distance(result, right):.1%} of its length (at most "
                 f"{case.tolerance:.1%})")
    place = tuple(np.unravel_index(int(differ.argmax()), differ.shape))
    index = ", ".join(str(int(i)) for i in place)
    got, wanted = apart(result[place].item(), right[place].item())
    return f"is off {count}, most at [{index}]: {got} instead of {wanted}."


def apart(a: float, b: float) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to tell them apart, four at least."""
    for digits in range(4, 18):
        if f"{a:.{digits}g}" != f"{b:.{digits}g}":
            break
    return f"{a:.{digits}g}", f"{b:.{digits}g}"


def wrapped(message: str) -> str:
    """Lines broken at words; a message's own line breaks stay."""
    return "\n".join(textwrap.fill(line, LINE, break_long_words=False, break_on_hyphens=False,
                                   subsequent_indent=" " * (len(line) - len(line.lstrip())))
                     for line in message.splitlines())
