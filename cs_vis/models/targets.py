"""What a gradient is asked of: a class, a channel, a neuron. Each is checked here, in one place."""

from numbers import Integral

import torch


def check_target(target, count: int, classes: int, name: str = "target") -> torch.Tensor:
    """Class indices for `count` images as a long tensor (count,); an int stands for every image.

    Raises TypeError or ValueError, calling the argument `name`, unless each is a whole number
    from 0 to classes - 1. A tensor stays on its device.
    """
    if _whole(target):
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


def check_unit(unit, shape, name: str = "target") -> tuple[int, ...]:
    """A channel (c,) or a neuron (c, row, col) of a layer whose output has `shape` (N, C, H, W).

    An int stands for a channel; a layer (N, C) has channels only. Returns the tuple.
    Raises TypeError or ValueError, calling the argument `name`, if the layer has no such unit.
    """
    places = (unit,) if _whole(unit) else unit
    sizes = tuple(shape[1:])
    forms = "a channel (c,)" + " or a neuron (c, row, col)" * (len(sizes) == 3)
    if not isinstance(places, (tuple, list)) or not all(map(_whole, places)):
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


def _whole(value):
    return isinstance(value, Integral) and not isinstance(value, bool)
