"""What the saliency methods may be given, said in a sentence where it was something else."""

import torch

from ..images import check_shape


def require_one(image: torch.Tensor) -> None:
    """Refuse what is not a float tensor (1, 3, H, W). Raises TypeError or ValueError."""
    check_shape(image, "image")
    if len(image) != 1:
        raise ValueError(f"image has shape {tuple(image.shape)}: pass one picture (1, 3, H, W), "
                         f"of a batch images[i:i + 1]")


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
