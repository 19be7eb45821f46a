"""What the saliency methods may be given, said in a sentence where it was something else."""

from numbers import Integral

import torch

from ..images import check_shape


def require_one(image: torch.Tensor) -> None:
    """Refuse what is not a float tensor (1, 3, H, W). Raises TypeError or ValueError."""
    check_shape(image, "image")
    if len(image) != 1:
        raise ValueError(f"image has shape {tuple(image.shape)}: pass one picture (1, 3, H, W), "
                         f"of a batch images[i:i + 1]")


def require_whole(**numbers) -> None:
    """Refuse what is not a whole number, calling it by its keyword. Raises TypeError."""
    for name, value in numbers.items():
        if not isinstance(value, Integral) or isinstance(value, bool):
            raise TypeError(f"{name}={value!r} must be a whole number, such as {name}=8")


def require_color(fill: torch.Tensor) -> None:
    """Refuse what is not a tensor (3,) with values in [0, 1]. Raises TypeError or ValueError."""
    if not isinstance(fill, torch.Tensor):
        raise TypeError(f"fill={fill!r} is of type {type(fill).__name__}: pass a tensor (3,), one "
                        f"number in [0, 1] for each colour, as torch.tensor([0.5, 0.5, 0.5])")
    if fill.shape != (3,):
        raise ValueError(f"fill has shape {tuple(fill.shape)}: pass (3,), one number for each "
                         f"colour; flatten() makes it of (3, 1, 1) or (1, 3, 1, 1)")
    if not ((fill >= 0) & (fill <= 1)).all():  # NaN fails it too
        raise ValueError(f"fill={fill.tolist()} must lie in [0, 1]; divide bytes by 255")


def require_map(saliency: torch.Tensor, height: int, width: int) -> None:
    """Refuse what is not a float tensor (height, width) of finite values that differ.

    Raises TypeError for another type or dtype, ValueError for another shape, NaN, infinity, and
    for a map that is the same everywhere.
    """
    if not isinstance(saliency, torch.Tensor) or not saliency.is_floating_point():
        got = getattr(saliency, "dtype", type(saliency).__name__)
        raise TypeError(f"saliency is of type {got}: pass a float tensor ({height}, {width})")
    if saliency.shape != (height, width):
        raise ValueError(f"saliency has shape {tuple(saliency.shape)}: pass ({height}, {width}), "
                         f"the size of the image, for example saliency[0]")
    if not saliency.isfinite().all():
        raise ValueError("saliency holds NaN or infinite values: check the map before cutting")
    if saliency.min() == saliency.max():
        raise ValueError(f"saliency is {saliency.min():.3g} everywhere: it points nowhere, so "
                         f"nothing can be cut out; pass a map that varies")
