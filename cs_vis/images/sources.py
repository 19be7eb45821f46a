"""From a source (file, bytes, PIL image, array) to pixels, refusing what would be read wrongly.

Pillow opens nearly everything, and loses silently what the mode "RGB" cannot hold: an alpha
channel, the second byte of 16 bits, the inks of CMYK. Here each of these is a sentence instead.
"""

import io
import re
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from ..require import SMALLEST

LARGEST = 40_000_000  # pixels in all: as a float tensor, half a gigabyte
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")  # EPS, for one, runs a program
MODES = ("RGB", "L", "P", "1")


def read(source) -> torch.Tensor:
    """The picture in `source` at its own size: float32 (1, 3, H, W) in [0, 1]."""
    if isinstance(source, np.ndarray):
        return _from_array(source)
    if isinstance(source, Image.Image):
        return _decode(source, f"source=<PIL image, mode {source.mode}>")
    if isinstance(source, (str, Path)):
        return _from_path(Path(source).expanduser(), f"source={str(source)!r}")
    name = f"source=<{type(source).__name__}>"
    if isinstance(source, (bytes, bytearray)):
        source = io.BytesIO(source)
    if not hasattr(source, "read") or not hasattr(source, "seek"):
        raise TypeError(f"{name} must be a path, a file object, bytes, a PIL image or a NumPy "
                        f"array; a tensor (N, 3, H, W) in [0, 1] needs no loading")
    return _decode(_open(source, name), name)


def _from_path(path, name):
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise FileNotFoundError(f"{name} {what}; give the path of a picture file "
                                f"(the current folder is {Path.cwd()})")
    with open(path, "rb") as file:
        return _decode(_open(file, name), name)


def _open(file, name):
    """Reads the header only. Pillow warns of large pictures, or refuses them, in its own words."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(file, formats=FORMATS)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        pixels = int(re.search(r"\d+", str(error)).group())
        raise ValueError(_too_large(name, pixels)) from None
    except Exception:  # damaged headers make Pillow raise nearly anything
        raise ValueError(f"{name} is not a picture that can be read; give a file of one of the "
                         f"formats {', '.join(FORMATS)}") from None


def _decode(picture, name):
    _check_header(picture, name)
    try:
        upright = ImageOps.exif_transpose(picture).convert("RGB")
    except Exception as error:  # and so do damaged bodies
        raise ValueError(f"{name} is damaged: its header is that of a picture, but its pixels "
                         f"cannot be read ({error}); fetch or export it again") from None
    return _tensor(np.array(upright))


def _check_header(picture, name):
    width, height = picture.size
    if width * height > LARGEST:
        raise ValueError(_too_large(name, width * height))
    if min(width, height) < SMALLEST:
        raise ValueError(_too_small(name, height, width))
    # A 16-bit RGB file also opens as mode "RGB"; only its decoder's arguments tell.
    tiles = getattr(picture, "tile", None) or ()
    if picture.mode.startswith(("I", "F")) or any(";16" in str(tile[3]) for tile in tiles):
        raise ValueError(f"{name} has 16 bits or more in each channel, but pictures have 8; "
                         f"export it with 8 bits, or give an array scaled to floats in [0, 1]")
    if picture.has_transparency_data:
        raise ValueError(f"{name} has an alpha channel (mode {picture.mode}), but pictures are "
                         f"opaque; drop it with Image.open(path).convert('RGB')")
    if picture.mode not in MODES:
        raise ValueError(f"{name} has mode {picture.mode}, but pictures are RGB or grey; "
                         f"change it with Image.open(path).convert('RGB') and look at its colours")


def _from_array(array):
    name = f"source=<array, shape {array.shape}, {array.dtype}>"
    if array.ndim == 3 and array.shape[2] == 4:
        raise ValueError(f"{name} has an alpha channel; drop it with source[..., :3]")
    if array.ndim != 2 and (array.ndim != 3 or array.shape[2] != 3):
        hint = "; turn it with source.transpose(1, 2, 0)" * (array.ndim == 3 and len(array) == 3)
        raise ValueError(f"{name} must have shape (H, W, 3), or (H, W) for grey{hint}")
    if array.shape[0] * array.shape[1] > LARGEST:
        raise ValueError(_too_large(name, array.shape[0] * array.shape[1]))
    if min(array.shape[:2]) < SMALLEST:
        raise ValueError(_too_small(name, *array.shape[:2]))
    if array.dtype != np.uint8 and not np.issubdtype(array.dtype, np.floating):
        fix = "divide 16-bit values by 65535" if array.dtype == np.uint16 else "convert it"
        raise TypeError(f"{name} must be uint8, or float in [0, 1]; {fix}")
    if array.dtype != np.uint8 and not (array.min() >= 0 and array.max() <= 1):  # NaN fails too
        raise ValueError(f"{name} has values from {array.min():.3g} to {array.max():.3g}, but a "
                         f"float array must be in [0, 1]; divide bytes by 255, or clip it")
    return _tensor(array)


def _tensor(array):
    if array.ndim == 2:
        array = np.stack([array] * 3, axis=2)  # (H, W, 3)
    scale = 255 if array.dtype == np.uint8 else 1
    pixels = torch.from_numpy(array.astype(np.float32)) / scale  # (H, W, 3)
    return pixels.permute(2, 0, 1)[None].contiguous()  # (1, 3, H, W)


def _too_large(name, pixels):
    return (f"{name} has {pixels / 1e6:.1f} megapixels, but at most {LARGEST // 10**6} are read; "
            f"make it smaller first")


def _too_small(name, height, width):
    return (f"{name} is {height} x {width} pixels, but no side may be below {SMALLEST}; "
            f"choose a larger picture")
