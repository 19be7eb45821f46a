"""How far a result is from what is right."""

from contextlib import contextmanager

import torch


def largest_error(result, golden) -> float:
    """The largest difference, in units of the largest golden value."""
    result, golden = result.double(), golden.double()  # masks cannot be subtracted
    if golden.numel() == 0:
        return 0.0
    return ((result - golden).abs().max() / golden.abs().max().clamp(min=1e-12)).item()


def relative_l2(result, golden) -> float:
    """‖result − golden‖ / ‖golden‖: forgives the few pixels where a ReLU tips over by rounding."""
    result, golden = result.double(), golden.double()
    return ((result - golden).norm() / golden.norm()).item()


def share_that_differs(result, golden) -> float:
    """The share of a mask's pixels that differ."""
    return (result != golden).double().mean().item()


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


LEAST = 1e-5  # of a constant that is said to be large
ROUNDING = 3e-6  # of a divisor that is read off float32


def large_constant(found, right) -> bool:
    """Do divisors differ from the right ones, lengths, by one constant: added to them, added to
    their squares, or the least that they may be?"""
    found, right = (torch.tensor(sizes, dtype=torch.float64) for sizes in (found, right))
    weakest = right.argmin()
    for power in (1, 2):
        added = found ** power - right ** power
        constant = added[weakest]
        if constant > LEAST and bool(((added - constant).abs() <= constant / 10
                                      + ROUNDING * right ** power).all()):
            return True
    least = found[weakest]
    return bool(least - right[weakest] > LEAST
                and ((found - right.clamp(min=least)).abs() <= 1e-4 * found).all())
