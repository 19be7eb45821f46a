"""What functions may be given: each rule once, said in a sentence that names argument and remedy.

Everything here raises TypeError or ValueError, or returns; what grades is called `check`.
"""

import math
from numbers import Integral, Real
from pathlib import Path

import numpy as np
import torch
from torch import nn

SMALLEST = 8  # pixels, of the shorter side of a picture that is read or made
ACTIVATIONS = {"GELU", "SiLU", "Mish", "ELU", "CELU", "SELU", "LeakyReLU", "PReLU", "RReLU", "GLU",
               "Hardswish", "Hardtanh", "Hardsigmoid", "Sigmoid", "Tanh", "Softplus"}
BORDER = 5    # rows or columns of a layer, that convolutions without padding may cut off
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def is_whole(value) -> bool:
    """Is it one whole number, of Python's or NumPy's? True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def require_whole(*, at_least: int | None = None, **numbers) -> None:
    """Refuse what is not a whole number, or is below `at_least`, calling it by its keyword."""
    for name, value in numbers.items():
        if not is_whole(value):
            raise TypeError(f"{name}={value!r} is a {type(value).__name__}; it must be a whole "
                            f"number, such as {name}=8")
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


def number_in(value):
    """The number in a tensor or array of one; anything else as it is."""
    if isinstance(value, torch.Tensor) and value.numel() == 1 and not value.is_meta:
        return value.detach().item()
    return value.item() if isinstance(value, np.ndarray) and value.size == 1 else value


def require_lists(**lists) -> None:
    """Refuse what holds no entries to count, calling it by its keyword; a text is no list."""
    for name, value in lists.items():
        if isinstance(value, (str, bytes)) or not hasattr(value, "__len__") or (
                getattr(value, "ndim", 1) == 0):
            raise TypeError(f"{name}={shown(value)} must be a list, with one entry for each image")


def require_model(model, name: str = "model") -> None:
    """Refuse what is not a network."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"{name}={shown(model)} must be a network, a torch.nn.Module; "
                        f"load_model('specimens') gives one")


def require_function(function, name: str) -> None:
    """Refuse what cannot be called."""
    if not callable(function):
        raise TypeError(f"{name}={shown(function)} must be a function; pass it by its name, "
                        f"without brackets")


def require_rule(relu, name: str = "relu") -> None:
    """Refuse what is not a class with a backward of its own, as DeconvReLU is."""
    if not (isinstance(relu, type) and issubclass(relu, torch.autograd.Function)):
        raise TypeError(f"{name}={shown(relu)} must be a class derived from "
                        f"torch.autograd.Function, such as DeconvReLU or your GuidedReLU; pass "
                        f"the class itself")


def require_relu(model: nn.Module, met: bool) -> None:
    """Refuse a rule for ReLUs where the pass `met` none, naming the activations there are."""
    if not met:
        others = sorted({type(part).__name__ for part in model.modules()} & ACTIVATIONS)
        instead = f"; it has {', '.join(others)} instead" if others else ""
        raise ValueError(f"relu stands in for every ReLU, but the pass through this network meets "
                         f"none{instead}: take a network with ReLUs, such as 'specimens' or "
                         f"'resnet18', or the plain gradient")


def require_generator(generator, name: str = "generator") -> None:
    """Refuse what is not torch's source of random numbers."""
    if not isinstance(generator, torch.Generator):
        raise TypeError(f"{name}={shown(generator)} must be a torch.Generator; make one with "
                        f"torch.Generator().manual_seed(0)")


def require_device(device, name: str = "device") -> torch.device:
    """The device as torch's own kind; refuse one that torch does not know or does not find."""
    try:
        device = torch.device(device)
        torch.empty(0, device=device)  # finds out whether it is there
    except (RuntimeError, AssertionError, TypeError, ValueError):
        raise ValueError(f"{name}={str(device)!r} is no device of this machine; take 'cpu', or "
                         f"pick_device(), which finds a GPU where there is one") from None
    return device


def require_dtype(dtype, name: str = "dtype") -> None:
    """Refuse what is not one of torch's four kinds of float that networks compute in."""
    if not isinstance(dtype, torch.dtype) or dtype not in FLOATS:
        raise TypeError(f"{name}={shown(dtype)} must be one of "
                        f"{', '.join(map(str, FLOATS))}, without quotes")


def require_like(images: torch.Tensor, own: torch.Tensor, name: str = "images") -> None:
    """Refuse images in another dtype than the network's `own` tensors, or on another device."""
    if images.dtype != own.dtype:
        raise TypeError(f"{name} has dtype {images.dtype}, but the network computes in "
                        f"{own.dtype}: convert one of them, {name}.to({own.dtype}) or "
                        f"model.to({images.dtype})")
    if images.device != own.device:
        raise ValueError(f"{name} is on the device {str(images.device)!r}, the network on "
                         f"{str(own.device)!r}: move one of them, "
                         f"{name}.to({str(own.device)!r}) or model.to({str(images.device)!r})")


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


def require_side(images: torch.Tensor, side: int | None, name: str = "images") -> None:
    """Refuse images that are not `side` × `side` pixels, where the network takes that alone."""
    if side is not None and tuple(images.shape[2:]) != (side, side):
        raise ValueError(f"{name} has shape {tuple(images.shape)}, but this network takes pictures "
                         f"of {side} × {side} pixels alone; images.fit(image, ({side}, {side})) "
                         f"makes them")


def require_batch(images, name: str = "images", *, smallest: int = 1) -> None:
    """Refuse what is not a float tensor (N, 3, H, W), N at least 1, of finite values."""
    require_images(images, name, smallest=smallest)
    if images.numel() == 0:
        raise ValueError(f"{name} has shape {tuple(images.shape)}, but must hold a picture")
    require_finite(images, name)


def require_pictures(images, name: str = "images", *, smallest: int = 1) -> None:
    """Refuse what is not a float tensor (N, 3, H, W), N at least 1, finite and in [0, 1]."""
    require_batch(images, name, smallest=smallest)
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


def require_finite(values, name: str) -> None:
    """Refuse a tensor or array that holds NaN or infinite values, or none at all (meta)."""
    if isinstance(values, torch.Tensor) and values.is_meta:
        raise ValueError(f"{name} is on the device 'meta', which keeps shapes and no values; "
                         f"make it on another, such as 'cpu'")
    isfinite = torch.isfinite if isinstance(values, torch.Tensor) else np.isfinite
    if not isfinite(values).all():
        raise ValueError(f"{name} holds values that are NaN or infinite, but must be finite; "
                         f"find where they arise, or replace them with {name}.nan_to_num()")


def require_path(path, name: str = "path") -> None:
    """Refuse what names no file."""
    if not isinstance(path, (str, Path)):
        raise TypeError(f"{name}={shown(path)} must be the path of a file, such as 'bee.png'")


def require_texts(texts, name: str) -> None:
    """Refuse what is not a list or tuple of texts; a single text is no list."""
    if isinstance(texts, str):
        raise TypeError(f"{name}={texts!r} is one text, but must be a list: {name}=[{texts!r}]")
    if not isinstance(texts, (list, tuple)):
        raise TypeError(f"{name}={shown(texts)} must be a list of texts")
    wrong = [text for text in texts if not isinstance(text, str)]
    if wrong:
        raise TypeError(f"{name} holds {wrong[0]!r}, of type {type(wrong[0]).__name__}, but must "
                        f"hold texts; str() makes one of anything")


def require_size(size) -> None:
    """Refuse what is neither a whole number of pixels nor (height, width), each at least 8."""
    sides = size if isinstance(size, (tuple, list)) and len(size) == 2 else (size,)
    if not all(map(is_whole, sides)) or min(sides) < SMALLEST:
        raise ValueError(f"size={size!r} must be a whole number of pixels, or (height, width), "
                         f"each at least {SMALLEST}")


def require_sides(size) -> tuple[int, int]:
    """(height, width) in whole pixels from 1; refuse all else."""
    if not isinstance(size, (tuple, list)) or len(size) != 2:
        raise TypeError(f"size={size!r} must be (height, width), such as image.shape[2:]")
    require_whole(**{f"size[{i}]": side for i, side in enumerate(size)}, at_least=1)
    return tuple(map(int, size))


def require_color(fill) -> None:
    """Refuse what is not a tensor (3,) of numbers in [0, 1]."""
    if not isinstance(fill, torch.Tensor):
        raise TypeError(f"fill={fill!r} is of type {type(fill).__name__}: pass a tensor (3,), one "
                        f"number in [0, 1] for each colour, as torch.tensor([0.5, 0.5, 0.5])")
    if fill.shape != (3,):
        raise ValueError(f"fill has shape {tuple(fill.shape)}: pass (3,), one number for each "
                         f"colour; flatten() makes it of (3, 1, 1) or (1, 3, 1, 1)")
    if not ((fill >= 0) & (fill <= 1)).all():  # NaN fails it too
        raise ValueError(f"fill={fill.tolist()} must lie in [0, 1]; divide bytes by 255")


def require_rgb(color, name: str = "color") -> tuple[float, float, float]:
    """Three numbers in [0, 1], as floats; refuse all else."""
    if isinstance(color, torch.Tensor):
        require_finite(color, name)
    parts = color.tolist() if isinstance(color, (torch.Tensor, np.ndarray)) else color
    if not isinstance(parts, (tuple, list)) or len(parts) != 3:
        raise TypeError(f"{name}={color!r} must be three numbers in [0, 1], for red, green and "
                        f"blue, such as (1.0, 0.85, 0.1)")
    return tuple(require_number(f"{name}[{i}]", part, 0, 1) for i, part in enumerate(parts))


def require_tensor(values, name: str, shape: str) -> None:
    """Refuse what is not a tensor of floats; `shape` is how the message calls it."""
    if not isinstance(values, torch.Tensor) or values.dtype not in FLOATS:
        raise TypeError(f"{name} is of type {_kind(values)}: pass a float tensor {shape}")


def require_maps(maps, name: str = "maps") -> None:
    """Refuse what is not a float tensor (N, H, W), none of them 0, of finite values."""
    require_tensor(maps, name, "(N, H, W)")
    if maps.ndim != 3:
        raise ValueError(f"{name} has shape {tuple(maps.shape)}: pass (N, H, W), for example "
                         f"{name}[None] of a single one")
    if maps.numel() == 0:
        raise ValueError(f"{name} has shape {tuple(maps.shape)}, but must hold a map")
    require_finite(maps, name)


def require_at_least_0(values, name: str, remedy: str, *, rounding: float = 0.0) -> None:
    """Refuse values below 0, by more than `rounding`; `remedy` says what to do."""
    if (values < -rounding).any():
        raise ValueError(f"{name} holds negative values, down to {values.min():.3g}, but must "
                         f"begin at 0: {remedy}")


def require_map(saliency, height: int, width: int) -> None:
    """Refuse what is not a float tensor (height, width) of finite values that differ."""
    if not isinstance(saliency, torch.Tensor) or not saliency.is_floating_point():
        raise TypeError(f"saliency is of type {_kind(saliency)}: pass a float tensor ({height}, "
                        f"{width})")
    if saliency.shape != (height, width):
        raise ValueError(f"saliency has shape {tuple(saliency.shape)}: pass ({height}, {width}), "
                         f"the size of the image, for example saliency[0]")
    if not saliency.isfinite().all():
        raise ValueError("saliency holds NaN or infinite values: check the map before cutting")
    if saliency.min() == saliency.max():
        raise ValueError(f"saliency is {saliency.min():.3g} everywhere: it points nowhere, so "
                         f"nothing can be cut out; pass a map that varies")


def require_bool(masks, name: str, example: str) -> None:
    """Refuse what is not a bool tensor."""
    if not isinstance(masks, torch.Tensor) or masks.dtype != torch.bool:
        raise TypeError(f"{name} is of type {_kind(masks)}: pass a bool tensor, for example "
                        f"{example}")


def require_pair(found, masks, name: str = "maps") -> None:
    """Refuse maps and masks unless they are as large, (N, H, W), on one device, the masks bool."""
    require_bool(masks, "masks", "masks > 0")
    if found.ndim != 3 or found.shape != masks.shape or found.numel() == 0:
        raise ValueError(f"{name} has shape {tuple(found.shape)} and masks {tuple(masks.shape)}: "
                         f"pass both as (N, H, W), no side 0; for a single one add [None]")
    if found.device != masks.device:
        raise ValueError(f"{name} is on the device {str(found.device)!r}, masks on "
                         f"{str(masks.device)!r}: bring them together, masks.to({name}.device)")


def require_same_shape(values, model, name: str, like: str) -> None:
    """Refuse what is not a float tensor of the shape of `model`, which the message calls `like`."""
    require_tensor(values, name, f"as large as {like}")
    if values.shape != model.shape:
        raise ValueError(f"{name} has shape {tuple(values.shape)} and {like} "
                         f"{tuple(model.shape)}, but they must be alike: pass pictures of one size")


def require_above_0(**numbers) -> None:
    """Refuse what is not a finite number above 0, calling it by its keyword."""
    for name, value in numbers.items():
        if not isinstance(value, Real) or isinstance(value, bool):
            raise TypeError(f"{name}={shown(value)} must be a number above 0, such as {name}=0.1")
        if not (value > 0 and math.isfinite(value)):  # false of NaN, too
            raise ValueError(f"{name}={value!r} must be above 0 and finite, such as {name}=0.1")


def require_switch(**switches) -> None:
    """Refuse what is neither True nor False, calling it by its keyword."""
    for name, value in switches.items():
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError(f"{name}={shown(value)} must be True or False")


def require_norm(norm) -> None:
    """Refuse what is not the name of one of the two norms."""
    if norm not in ("linf", "l2"):
        raise ValueError(f"norm={norm!r} is none that is known here: take 'linf', the largest "
                         f"change of a value, or 'l2', the length of the whole change")


def require_code(code, length: int) -> None:
    """Refuse what is not a float tensor (N, length)."""
    require_tensor(code, "code", f"(N, {length})")
    if code.ndim != 2 or code.shape[1] != length:
        raise ValueError(f"code has shape {tuple(code.shape)}, but must have (N, {length}); "
                         f"methods.generator.codes makes one")


def require_scores(scores, name: str = "model") -> None:
    """Refuse what a network returned unless it is a tensor (N, K), one score for each class."""
    if not isinstance(scores, torch.Tensor) or scores.ndim != 2:
        got = tuple(scores.shape) if isinstance(scores, torch.Tensor) else shown(scores)
        raise ValueError(f"{name} returns {got}, but a class has its place in scores (N, K): take "
                         f"a network that gives those, or ask for one of its layers")


def require_features(features: torch.Tensor, images: torch.Tensor, layer: str) -> None:
    """Refuse a layer that gives neither (N, C) nor (N, C, rows, cols) for these images.

    Rows and columns keep the picture's proportions but for a border. That tells apart what
    transformers give: (N, tokens, C) in ViT, (N, rows, cols, C) in Swin.
    """
    if features.ndim == 2:
        return
    height, width = images.shape[2:]
    if features.ndim == 4:
        rows, cols = features.shape[2:]
        if abs(rows * width - cols * height) <= BORDER * max(height, width):
            return
    raise ValueError(f"layer={layer!r} gives {tuple(features.shape)} for pictures of {height} × "
                     f"{width} pixels, which is neither (N, channels, rows, cols) nor (N, "
                     f"channels), so it has no channel to ask for: choose a convolution or a "
                     f"linear layer at the end, or index activations(model, images, {layer!r})")


def require_target_features(target, features) -> None:
    """Refuse what is not one picture's features and a target like them, somewhere not 0."""
    require_tensor(features, "features", "(1, C, h, w) or (1, K)")
    require_tensor(target, "target", "(1, C, h, w) or (1, K)")
    if features.ndim not in (2, 4) or len(features) != 1:
        raise ValueError(f"features has shape {tuple(features.shape)}: pass what a layer gives of "
                         f"one picture, (1, C, h, w) or (1, K)")
    if target.shape != features.shape:
        raise ValueError(f"target has shape {tuple(target.shape)} and features "
                         f"{tuple(features.shape)}, but they must be alike: take both from one "
                         f"layer, of pictures of one size")
    require_finite(target, "target")
    if not target.any():
        raise ValueError("target is 0 everywhere, so no distance is a part of it: this layer sees "
                         "nothing in the picture; choose another layer or picture")


def require_single(value, name: str) -> None:
    """Refuse what is neither a number nor a tensor of one, without axes."""
    if isinstance(value, torch.Tensor) and value.ndim == 0:
        return
    if not isinstance(value, Real) or isinstance(value, bool):
        got = f"a tensor {tuple(value.shape)}" if isinstance(value, torch.Tensor) else shown(value)
        raise TypeError(f"{name} is {got}, but must be one number: sum it up, .sum()")


def require_positions(features, layer: str) -> None:
    """Refuse what a layer gives unless it has rows and columns, (N, C, h, w)."""
    if not isinstance(features, torch.Tensor) or features.ndim != 4:
        got = tuple(features.shape) if isinstance(features, torch.Tensor) else shown(features)
        raise ValueError(f"layer={layer!r} gives {got}, but maps are (N, C, h, w): choose a "
                         f"convolution, a pool, or what follows one")


def require_reached(found, layer: str, name: str = "layer") -> None:
    """Refuse a layer of which the forward pass `found` nothing."""
    if not found:
        raise ValueError(f"{name}={layer!r} is in this network, but its forward pass does not use "
                         f"it; choose another of layer_names(model)")


def require_filters(weight, name: str = "weight") -> None:
    """Refuse what are not filters on three colours, (F, 3, kh, kw), of finite values."""
    require_tensor(weight, name, "(F, 3, kh, kw)")
    if weight.ndim != 4 or weight.shape[1] != 3 or weight.numel() == 0:
        raise ValueError(f"{name} has shape {tuple(weight.shape)}, but must have (F, 3, kh, kw): "
                         f"only filters on the picture itself have three colours, so take the "
                         f"first convolution's")
    require_finite(weight, name)


def require_layers(layers) -> None:
    """Refuse what is not a list of (kernel, stride, padding) in whole numbers."""
    if not isinstance(layers, (list, tuple)):
        raise TypeError(f"layers={shown(layers)} must be a list of (kernel, stride, padding), such "
                        f"as [(3, 1, 1), (2, 2, 0)]")
    for i, layer in enumerate(layers):
        if not isinstance(layer, (list, tuple)) or len(layer) != 3:
            raise TypeError(f"layers[{i}]={layer!r} must be (kernel, stride, padding), such as "
                            f"(3, 1, 1)")
        for place, (value, least) in enumerate(zip(layer, (1, 1, 0))):
            require_whole(at_least=least, **{f"layers[{i}][{place}]": value})


def require_guide(guide, features) -> None:
    """Refuse what a layer does not give of one picture, (1, C, h, w), or two layers' channels."""
    for name, values in (("features", features), ("guide", guide)):
        require_tensor(values, name, "(1, C, h, w)")
        if values.ndim != 4 or len(values) != 1 or values.numel() == 0:
            raise ValueError(f"{name} has shape {tuple(values.shape)}: pass what a layer gives of "
                             f"one picture, (1, C, h, w), of a batch {name}[i:i + 1]")
    if guide.shape[1] != features.shape[1]:
        raise ValueError(f"guide has {guide.shape[1]} channels and features {features.shape[1]}: "
                         f"take both from the same layer")


def require_octaves(octaves: int, scale: float, sides) -> None:
    """Refuse so many octaves that the smallest has no pixel left."""
    require_whole(octaves=octaves, at_least=1)
    if round(min(sides) / scale ** (octaves - 1)) < 1:
        raise ValueError(f"octaves={octaves} is too many: of {min(sides)} pixels, divided by "
                         f"{scale} each time, none is left; take fewer octaves")


def require_rows(values, name: str) -> None:
    """Refuse what is not a float tensor (N, D), none of them 0, of finite values."""
    require_tensor(values, name, "(N, D)")
    if values.ndim != 2 or values.numel() == 0:
        raise ValueError(f"{name} has shape {tuple(values.shape)}, but must have (N, D), a row for "
                         f"each picture: {name}.flatten(1) makes one of pictures or maps")
    require_finite(values, name)


def require_query(query, gallery) -> None:
    """Refuse what is not a gallery (M, D) and a query (D,) like its rows."""
    require_rows(gallery, "gallery")
    require_tensor(query, "query", "(D,)")
    if query.shape != gallery.shape[1:]:
        raise ValueError(f"query has shape {tuple(query.shape)} and gallery "
                         f"{tuple(gallery.shape)}: pass query as one row, "
                         f"({gallery.shape[1]},), such as gallery[0]")
    require_finite(query, "query")


def require_at_most(name: str, value: int, most: int, what: str) -> None:
    """Refuse to take more than there are, for example k=7 of 5 rows."""
    if value > most:
        raise ValueError(f"{name}={value} is too large: there are {most} {what}")


def require_layout(points, images) -> None:
    """Refuse what are not n · n points (N, 2), of some extent, and as many images (N, 3, h, w)."""
    require_rows(points, "points")
    require_batch(images)
    n = math.isqrt(len(points))
    if points.shape[1] != 2:
        raise ValueError(f"points has shape {tuple(points.shape)}, but must have (N, 2): take two "
                         f"columns, points[:, :2]")
    if len(images) != len(points):
        raise ValueError(f"there are {len(points)} points and {len(images)} images, but each image "
                         f"needs one point")
    if n * n != len(points) or n < 2:
        raise ValueError(f"{len(points)} points fill no square of 2 × 2 cells or more: take "
                         f"{max(n, 2) ** 2}, the first of points and of images")
    for axis in (0, 1):
        if points[:, axis].amin() == points[:, axis].amax():
            raise ValueError(f"points[:, {axis}] is the same everywhere, so it cannot be scaled to "
                             f"[0, 1]: take an axis along which the points differ")


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
        indices = torch.full((count,), max(-1, min(int(target), classes)))  # 10**30 is no int64
    elif isinstance(target, torch.Tensor) and target.dtype in (torch.int64, torch.int32):
        require_finite(target, name)  # one on the device "meta" has no values
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
        first = target if is_whole(target) else wrong[0].item()
        raise ValueError(f"{name}={first} is no class of this network, which has "
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


def _kind(value) -> str:
    """The dtype of a tensor, else the type."""
    return str(value.dtype) if isinstance(value, torch.Tensor) else type(value).__name__


def shown(value) -> str:
    """A value as a message quotes it: a text as it is, of anything else its type."""
    return repr(value) if isinstance(value, str) else f"<{type(value).__name__}>"
