"""Which device to compute on."""

import torch


def pick_device() -> torch.device:
    """CUDA where there is one, else the CPU.

    Apple's MPS is left out on purpose: it has no float64, in which the checks compute.
    """
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
