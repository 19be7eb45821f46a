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
