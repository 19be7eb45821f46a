"""Other coordinates for a picture: its frequencies, and colours that vary each for itself.

The step of notebook 05 moves whatever tensor it is given. Given these coordinates instead of
pixels it takes other steps: coarse shapes move as easily as fine grain, and a colour as natural
pictures have it as easily as any. C. Olah, A. Mordvintsev and L. Schubert, Feature visualization,
2017, and its code, tensorflow/lucid (optvis/param).
"""

from collections.abc import Callable
from functools import lru_cache

import torch

from ..require import require_batch, require_pictures


def in_frequencies(colors: torch.Tensor | None = None, *, decay: float = 1.0) -> Callable:
    """A function from coordinates x (N, 3, H, W) around 0 to pictures (N, 3, H, W) in (0, 1).

    x is weighted by 1 / frequency^decay in Fourier space, so that a step of the same length changes
    large shapes most, mixed by `colors` (3, 3), as color_root gives it (None: not at all), and
    squashed by a sigmoid. 0 is mid-grey. Rolling x rolls the picture.
    """
    def to_picture(x):
        require_batch(x, "x")
        spectrum = torch.fft.rfft2(x) * weights(x, decay)  # (N, 3, H, W // 2 + 1)
        smooth = torch.fft.irfft2(spectrum, s=x.shape[2:])
        if colors is not None:
            smooth = torch.einsum("cd,ndhw->nchw", colors.to(x), smooth)
        return smooth.sigmoid()
    return to_picture


def weights(x: torch.Tensor, decay: float) -> torch.Tensor:
    """1 / frequency^decay over rfft2's places, (H, W // 2 + 1), 1 on average over their squares.

    Frequencies are in cycles per pixel; the constant part counts as the slowest wave. What is
    returned is kept for the next call: leave it as it is.
    """
    return _weights(*x.shape[2:], decay, x.dtype, x.device)


@lru_cache(maxsize=8)  # a run asks for the same ones at every step
def _weights(height, width, decay, dtype, device):
    down = torch.fft.fftfreq(height, dtype=dtype, device=device)[:, None]
    along = torch.fft.rfftfreq(width, dtype=dtype, device=device)
    frequency = (down ** 2 + along ** 2).sqrt().clamp(min=1 / max(height, width))
    scale = frequency ** -decay
    return scale / scale.square().mean().sqrt()


def color_root(images: torch.Tensor) -> torch.Tensor:
    """The root (3, 3) of the covariance of these pictures' colours, scaled to norm √3.

    images (N, 3, H, W) in [0, 1]. Applied to independent noise it gives noise whose colours vary
    together as theirs do: bright and dark most, and least what they hardly ever show.
    """
    require_pictures(images)
    pixels = images.transpose(0, 1).flatten(1).double()  # (3, N·H·W)
    values, axes = torch.linalg.eigh(torch.cov(pixels))
    root = axes * values.clamp(min=0).sqrt()  # (3, 3), one column for each axis
    return (root / root.norm() * 3 ** 0.5).to(images.dtype)
