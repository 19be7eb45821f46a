"""How results are read: a dtype of their own costs no points, but is said."""

import torch

from ..exercise import Trap

NOTE = "a dtype of its own"
NOTES = {NOTE: "with float64 inputs it fails, or what comes back has another dtype than the "
               "inputs. The notebook's are float32, so you have full points. To follow any dtype, "
               "give theirs to what you make (dtype=…)."}


def in_dtype(result, given):
    """A tensor of floats in the dtype of what was given; anything else as it is."""
    floats = torch.is_tensor(result) and result.is_floating_point()
    return result.to(given.dtype) if floats else result


def ones_if_kept(results: dict, given) -> dict:
    """For each tensor whether its dtype is that of what was given, in the given one's dtype."""
    return {name: torch.full_like(result, result.dtype == given.dtype, dtype=given.dtype)
            for name, result in results.items() if torch.is_tensor(result)}


def dtype_traps(cases, call):
    """Is the dtype that of the inputs, float32 in one case, float64 in the other? `call` tells it,
    by ones_if_kept."""
    return tuple(Trap(NOTE, case, call=call, expect=torch.ones_like, dtype=dtype)
                 for case, dtype in zip(cases, (torch.float32, torch.float64)))
