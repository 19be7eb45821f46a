"""What functions may be given: each rule once, said in a sentence that names argument and remedy.

Everything here raises TypeError or ValueError, or returns; what grades is called `check`.
"""

from numbers import Integral, Real

import torch

SMALLEST = 8  # pixels, of the shorter side of a picture that is read or made


def is_whole(value) -> bool:
    """Is it one whole number, of Python's or NumPy's? True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def require_whole(*, at_least: int | None = None, **numbers) -> None:
    """Refuse what is not a whole number, or is below `at_least`, calling it by its keyword."""
    for name, value in numbers.items():
        if not is_whole(value):
            raise TypeError(f"{name}={value!r} is a {type(value).__name__}; it must be a whole number, "
                            f"such as {name}=8")
        if at_least is not None and value < at_least:
            raise ValueError(f"{name}={value} is too small; it must be {at_least} or more")


def require_number(name: str, value, low: float, high: float) -> float:
    """The number as a float; refuse what is none, NaN, or outside low to high."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name}={value!r} is a {type(value).__name__}; it must be a number from "
                        f"{low} to {high}")
    if not low <= value <= high:  # false of NaN, too
        raise ValueError(f"{name}={value} is out of range; it must lie from {low} to {high}, "
                         f"for example {min(max(low, value), high)}")
    return float(value)


def require_images(images, name: str = "images", *, smallest: int = 1) -> None:
    """Refuse what is not a float tensor (N, 3, H, W), or has a side below `smallest` pixels."""
    if not isinstance(images, torch.Tensor):
        raise TypeError(f"{name}={shown(images)} must be a tensor (N, 3, H, W); "
                        f"images.load makes one of a picture")
    if not images.is_floating_point():
        raise TypeError(f"{name} has dtype {images.dtype}, but pictures are float in [0, 1]; "
                        f"use {name}.float() / 255 if they are bytes")
    if images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"{name} has shape {tuple(images.shape)}, but must have (N, 3, H, W); "
                         f"{remedy(images, name)}")
    if min(images.shape[2:]) < smallest:
        raise ValueError(f"{name} has shape {tuple(images.shape)}, but no side may be below "
                         f"{smallest} pixels here; enlarge with images.fit")


def require_pictures(images, name: str = "images", *, smallest: int = 1) -> None:
    """Refuse what is not a float tensor (N, 3, H, W), N at least 1, finite and in [0, 1]."""
    require_images(images, name, smallest=smallest)
    if images.numel() == 0:
        raise ValueError(f"{name} has shape {tuple(images.shape)}, but must hold a picture")
    require_finite(images, name)
    low, high = images.detach().amin().item(), images.detach().amax().item()
    if low < 0 or high > 1:
        raise ValueError(f"{name} has values from {low:.3g} to {high:.3g}, but pictures are in "
                         f"[0, 1]; divide bytes by 255, clamp others with {name}.clamp(0, 1)")


def require_one(image, name: str = "image") -> None:
    """Refuse what is not a float tensor (1, 3, H, W)."""
    require_images(image, name)
    if len(image) != 1:
        raise ValueError(f"{name} has shape {tuple(image.shape)}: pass one picture (1, 3, H, W), "
                         f"of a batch images[i:i + 1]")


def require_finite(values: torch.Tensor, name: str) -> None:
    """Refuse a tensor that holds NaN or infinite values."""
    if not torch.isfinite(values).all():
        raise ValueError(f"{name} holds values that are NaN or infinite, but must be finite; "
                         f"find where they arise, or replace them with {name}.nan_to_num()")


def require_size(size) -> None:
    """Refuse what is neither a whole number of pixels nor (height, width), each at least 8."""
    sides = size if isinstance(size, (tuple, list)) and len(size) == 2 else (size,)
    if not all(map(is_whole, sides)) or min(sides) < SMALLEST:
        raise ValueError(f"size={size!r} must be a whole number of pixels, or (height, width), "
                         f"each at least {SMALLEST}")


def require_color(fill) -> None:
    """Refuse what is not a tensor (3,) with values in [0, 1]."""
    if not isinstance(fill, torch.Tensor):
        raise TypeError(f"fill={fill!r} is of type {type(fill).__name__}: pass a tensor (3,), one "
                        f"number in [0, 1] for each colour, as torch.tensor([0.5, 0.5, 0.5])")
    if fill.shape != (3,):
        raise ValueError(f"fill has shape {tuple(fill.shape)}: pass (3,), one number for each "
                         f"colour; flatten() makes it of (3, 1, 1) or (1, 3, 1, 1)")
    if not ((fill >= 0) & (fill <= 1)).all():  # NaN fails it too
        raise ValueError(f"fill={fill.tolist()} must lie in [0, 1]; divide bytes by 255")


def require_map(saliency, height: int, width: int) -> None:
    """Refuse what is not a float tensor (height, width) of finite values that differ."""
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


def require_pair(maps, masks) -> None:
    """Refuse maps and masks unless both are (N, H, W), and the masks bool."""
    if masks.dtype != torch.bool:
        raise TypeError(f"masks has dtype {masks.dtype}: pass bool masks, for example masks > 0")
    if maps.ndim != 3 or maps.shape != masks.shape:
        raise ValueError(f"maps has shape {tuple(maps.shape)} and masks {tuple(masks.shape)}: pass "
                         f"both as (N, H, W); for a single one add [None]")


def require_fit(side: int, patch: int, stride: int) -> None:
    """Refuse a window of `patch` pixels, in steps of `stride`, that does not fit into `side`."""
    require_whole(patch=patch, stride=stride)
    if not (1 <= patch <= side and stride >= 1):
        raise ValueError(f"patch={patch}, stride={stride}: the patch must be 1 to {side} pixels, "
                         f"as large as the image at most, and the stride at least 1")


def require_target(target, count: int, classes: int, name: str = "target") -> torch.Tensor:
    """Class indices for `count` images as a long tensor (count,); an int stands for every image.

    Refuses, calling the argument `name`, what is not a whole number from 0 to classes - 1 for
    each image. A tensor stays on its device.
    """
    if is_whole(target):
        indices = torch.full((count,), int(target))
    elif isinstance(target, torch.Tensor) and target.dtype in (torch.int64, torch.int32):
        indices = target.long().expand(count) if target.ndim == 0 else target.long()
    else:
        what = f"a {target.dtype} tensor" if isinstance(target, torch.Tensor) else repr(target)
        raise TypeError(f"{name} is {what}, but must be a class index, or a long tensor with "
                        f"one for each image, such as torch.tensor([3, 5])")
    if indices.shape != (count,):
        raise ValueError(f"{name} has shape {tuple(indices.shape)}, but the number of images is "
                         f"{count}: give one class index for each, shape ({count},)")
    wrong = indices[(indices < 0) | (indices >= classes)]
    if len(wrong):
        raise ValueError(f"{name}={wrong[0].item()} is no class of this network, which has "
                         f"{classes}: choose from 0 to {classes - 1}, the places of "
                         f"model.class_names")
    return indices


def require_unit(unit, shape, name: str = "target") -> tuple[int, ...]:
    """A channel (c,) or a neuron (c, row, col) of a layer whose output has `shape` (N, C, H, W).

    An int stands for a channel; a layer (N, C) has channels only. Returns the tuple; refuses,
    calling the argument `name`, a unit that the layer does not have.
    """
    places = (unit,) if is_whole(unit) else unit
    sizes = tuple(shape[1:])
    forms = "a channel (c,)" + " or a neuron (c, row, col)" * (len(sizes) == 3)
    if not isinstance(places, (tuple, list)) or not all(map(is_whole, places)):
        raise TypeError(f"{name}={unit!r} must be {forms}, in whole numbers")
    if len(places) not in (1, len(sizes)):
        raise ValueError(f"{name}={unit!r} must be {forms}: this layer's output for one image "
                         f"is {' x '.join(map(str, sizes))}")
    for place, size in zip(places, sizes):
        if not 0 <= place < size:
            raise ValueError(f"{name}={unit!r} is outside this layer, whose output for one image "
                             f"is {' x '.join(map(str, sizes))}: choose {place} anew, from 0 to "
                             f"{size - 1}")
    return tuple(map(int, places))


def remedy(images: torch.Tensor, name: str) -> str:
    """How to make (N, 3, H, W) of a tensor of another shape."""
    if images.ndim == 3:
        return f"make a batch of one picture with {name}[None]"
    if images.ndim == 4 and images.shape[3] == 3:
        return f"bring the channels forward with {name}.permute(0, 3, 1, 2)"
    if images.ndim == 4 and images.shape[1] == 1:
        return f"make grey pictures RGB with {name}.expand(-1, 3, -1, -1)"
    return "a batch of RGB pictures, channels second"


def shown(value) -> str:
    """A value as a message quotes it: a text as it is, of anything else its type."""
    return repr(value) if isinstance(value, str) else f"<{type(value).__name__}>"
