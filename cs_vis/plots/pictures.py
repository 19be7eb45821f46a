"""One picture ready for print, with a note on how its values became colours.

Images are float tensors, RGB, in [0, 1]; what lies outside is clamped, never rescaled. Maps and
gradients have no colours of their own, so each function here states its scale in the note.
"""

from difflib import get_close_matches
from typing import NamedTuple

import numpy as np
import torch
from matplotlib import colormaps

from ..require import require_above_0, require_at_least_0, require_finite, require_rgb, shown

WHITE_AT = 0.995  # this quantile of a map becomes white: a few extreme pixels would hide the rest
ZERO = "0 everywhere"  # the note on a map of which no scale can be told
ROUNDING = 1e-6   # of the scale: so little below 0 is no sign


class Picture(NamedTuple):
    """One picture ready for print: (H, W, 3) array in [0, 1], and a note on its scale."""
    pixels: np.ndarray
    note: str = ""


def picture(image) -> Picture:
    """The image as it is, clamped to [0, 1].

    image: (1, 3, H, W) or (3, H, W) tensor, (H, W, 3) array, bool mask (H, W), or a Picture.
    Raises ValueError or TypeError for bytes, NaN, and a float map (H, W), which has no colours of
    its own.
    """
    if isinstance(image, Picture):
        return image
    array = _array(image, "image")
    if array.ndim == 4 and len(array) == 1:
        array = array[0]  # (1, 3, H, W) -> (3, H, W)
    if array.ndim == 3 and array.shape[0] == 3 and array.shape[2] != 3:
        array = array.transpose(1, 2, 0)  # (3, H, W) -> (H, W, 3)
    if array.ndim == 2 and array.dtype == bool:
        array = array[..., None].repeat(3, axis=2)  # (H, W) -> (H, W, 3)
    if array.ndim == 2:
        raise ValueError(f"image has shape {array.shape}: a map has no colours of its own; say "
                         f"how to scale it with plots.grey(map), plots.signed(map) or plots.heat")
    if array.ndim != 3 or array.shape[2] != 3:
        raise ValueError(f"image has shape {tuple(np.shape(image))}, expected one image: "
                         f"(1, 3, H, W), (3, H, W), (H, W, 3) or a bool mask (H, W); of a batch "
                         f"pass images[i:i + 1]")
    if array.dtype.kind in "iu":
        raise ValueError(f"image has dtype {array.dtype}, expected floats in [0, 1]: use "
                         f"images.load, or divide by 255")
    return Picture(np.clip(array.astype(float), 0, 1))


def grey(map, *, white: float | None = None) -> Picture:
    """A map of values >= 0, (H, W) or (1, H, W), as grey: black is 0, white is `white`.

    white: in the map's units; by default its 99.5 % quantile. The note says which. Give the same
    `white` to maps whose brightness is to be compared. Raises ValueError for negative values.
    """
    values = _map(map, "grey")
    white = _scale(values, white, "white")
    pixels = np.clip(values / white, 0, 1)[..., None].repeat(3, axis=2)  # (H, W) -> (H, W, 3)
    return Picture(pixels, f"white: {white:.2g}" if values.any() else ZERO)


def signed(gradient, *, scale: float | None = None) -> Picture:
    """A signed picture (1, 3, H, W), (3, H, W) or map (H, W): mid-grey is 0, the scale symmetric.

    scale: the value shown brightest, minus the value shown darkest; by default the 99.5 %
    quantile of the absolute values. The note says which. Raises ValueError for NaN.
    """
    values = _array(gradient, "gradient").astype(float)
    values = values[0] if values.ndim == 4 and len(values) == 1 else values
    if values.ndim == 2:
        values = values[None].repeat(3, axis=0)  # (H, W) -> (3, H, W)
    if values.ndim != 3 or len(values) != 3:
        raise ValueError(f"gradient has shape {tuple(np.shape(gradient))}, expected "
                         f"(1, 3, H, W), (3, H, W) or (H, W); of a batch pass gradients[i:i + 1]")
    scale = _scale(np.abs(values), scale, "scale")
    return Picture(np.clip(0.5 + values.transpose(1, 2, 0) / (2 * scale), 0, 1), f"±{scale:.2g}")


def heat(image, map, *, top: float | None = None) -> Picture:
    """A map of values >= 0 in warm colours over the image in grey; the hottest colour is `top`.

    map: (H, W) as large as the image. top: by default the map's 99.5 % quantile. Raises ValueError
    for negative values, and for another size.
    """
    base, values = picture(image).pixels, _map(map, "heat")
    _same_size(base, values, "map")
    top = _scale(values, top, "top")
    strength = np.clip(values / top, 0, 1)[..., None]  # (H, W, 1)
    warm = colormaps["inferno"](strength[..., 0])[..., :3]
    grey_base = 0.25 + 0.6 * base.mean(axis=2, keepdims=True)
    cover = 0.9 * strength  # where the map is 0 the image stays clear
    return Picture((1 - cover) * grey_base + cover * warm,
                   f"brightest: {top:.2g}" if values.any() else ZERO)


def coloured(map, colors: str = "magma", *, top: float = 1.0) -> Picture:
    """A map of values from 0, (H, W), in a matplotlib colour map: 0 is darkest, `top` lightest.

    More than `top` is as light. Raises ValueError for negative values, and an unknown colour map.
    """
    if not isinstance(colors, str) or colors not in colormaps:
        near = get_close_matches(str(colors), list(colormaps), n=1) or ["magma"]
        raise ValueError(f"colors={colors!r} is no colour map of matplotlib; the nearest is "
                         f"{near[0]!r}")
    require_above_0(top=top)
    values = np.clip(_map(map, "coloured", top) / top, 0, 1)
    return Picture(colormaps[colors](values)[..., :3], f"dark: 0, light: {top:.2g}")


def outlined(image, mask, *, color=(1.0, 0.85, 0.1)) -> Picture:
    """The image with the border of a bool mask (H, W) drawn on it, light on a dark seam.

    color: red, green and blue in [0, 1]. Raises ValueError or TypeError for other colours, masks
    that are not bool, and another size.
    """
    color = require_rgb(color)
    base, inside = picture(image).pixels, _mask(mask)
    zoom = max(1, round(384 / max(inside.shape)))  # drawn finer than the mask's pixels
    if base.shape[:2] == inside.shape:             # else outlined once already
        base = base.repeat(zoom, axis=0).repeat(zoom, axis=1)
    inside = inside.repeat(zoom, axis=0).repeat(zoom, axis=1)
    _same_size(base, inside, "mask")
    base = base.copy()
    base[_grown(inside, 4) & _grown(~inside, 1)] = 0.05
    base[_grown(inside, 3) & ~inside] = color
    return Picture(base)


def cut_out(image, mask) -> Picture:
    """The image inside a bool mask (H, W); outside it, the image at a fifth of its light."""
    base, inside = picture(image).pixels, _mask(mask)
    _same_size(base, inside, "mask")
    return Picture(np.where(inside[..., None], base, 0.2 * base))


def _array(values, name: str) -> np.ndarray:
    """Numbers or truth values that can be drawn: finite, and at least one of them."""
    if isinstance(values, torch.Tensor):
        require_finite(values, name)  # before the move, which a tensor without values cannot make
        values = values.detach().cpu()
        values = values.float() if values.dtype == torch.bfloat16 else values
    array = np.asarray(values) if isinstance(values, (torch.Tensor, np.ndarray, list)) else None
    if array is None or array.dtype.kind not in "fiub":
        raise TypeError(f"{name}={shown(values)} must be a tensor or an array of numbers")
    if array.size == 0:
        raise ValueError(f"{name} has shape {array.shape}: there is nothing in it to draw")
    require_finite(array, name)
    return array


def _map(map, drawn_by: str, scale: float = 0.0) -> np.ndarray:
    values = _array(map, "map")
    values = values[0] if values.ndim == 3 and len(values) == 1 else values
    if values.ndim != 2:
        raise ValueError(f"map has shape {values.shape}, expected one map (H, W) or (1, H, W); "
                         f"of a batch pass maps[i]")
    values = values.astype(float)
    remedy = (f"plots.{drawn_by} begins at black; plots.signed(map) shows both signs, map.abs() "
              f"their size")
    # What is left of a probability may be -1e-8, where all of it is lost.
    require_at_least_0(values, "map", remedy, rounding=ROUNDING * max(scale, np.abs(values).max()))
    return values


def _mask(mask) -> np.ndarray:
    inside = _array(mask, "mask")
    inside = inside[0] if inside.ndim == 3 and len(inside) == 1 else inside
    if inside.ndim != 2 or inside.dtype != bool:
        raise ValueError(f"mask has shape {inside.shape} and dtype {inside.dtype}, expected bool "
                         f"(H, W); a map becomes a mask by a threshold: map > t")
    return inside


def _scale(sizes: np.ndarray, given: float | None, name: str) -> float:
    """The given scale, or the quantile that is shown brightest; 1 for a map of zeros."""
    if given is not None:
        require_above_0(**{name: given})
    return float(given or np.quantile(sizes, WHITE_AT) or sizes.max() or 1.0)


def _same_size(base: np.ndarray, other: np.ndarray, name: str) -> None:
    if base.shape[:2] != other.shape:
        raise ValueError(f"{name} is {other.shape[0]}×{other.shape[1]}, the image "
                         f"{base.shape[0]}×{base.shape[1]}: they must have the same size")


def _grown(inside: np.ndarray, by: int) -> np.ndarray:
    """The mask and everything within `by` pixels of it, in a square neighbourhood."""
    for axis in (0, 1):
        h = np.pad(inside, [(by, by) if a == axis else (0, 0) for a in (0, 1)])
        size = inside.shape[axis]
        inside = np.any([h.take(range(k, k + size), axis=axis) for k in range(2 * by + 1)], axis=0)
    return inside
