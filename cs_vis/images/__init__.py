"""Pictures in and out: files, PIL images and arrays to (1, 3, H, W) tensors in [0, 1], and back.

Every function of the course takes and returns images in this one form. A source that would be
read wrongly (a lost alpha channel, inverted CMYK, 16 bits cut to 8) is refused with the remedy.
"""

import math
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ..require import (is_whole, require_finite, require_path, require_pictures, require_size,
                       require_tensor)
from .known import examples  # noqa: F401, one of the public functions
from .sources import LARGEST, read

# The photographs that notebooks show, never used for training; both packages ship them.
PHOTOS = {
    "astronaut": ("skimage", "data/astronaut.png"),
    "chelsea": ("skimage", "data/chelsea.png"),
    "coffee": ("skimage", "data/coffee.png"),
    "rocket": ("skimage", "data/rocket.jpg"),
    "china": ("sklearn", "datasets/images/china.jpg"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
}
HELD_OUT = tuple(PHOTOS)


def load(source, *, size: int | tuple[int, int] | None = None) -> torch.Tensor:
    """A picture as a float tensor (1, 3, H, W), RGB in [0, 1], turned upright by its EXIF mark.

    `source` is a path, a file object, bytes, a PIL image, or a NumPy array (H, W, 3) or (H, W):
    uint8, or float in [0, 1]. `size=224` makes the shorter side 224 pixels long; `size=(H, W)`
    scales to cover H x W and cuts out the centre. Bilinear with antialiasing.

    Raises ValueError, TypeError or FileNotFoundError for what is no picture, has an alpha
    channel, CMYK or 16 bits, less than 8 pixels on a side, or more than 40 megapixels.
    """
    image = read(source)
    return image if size is None else fit(image, size)


def photo(name: str, *, size: int | tuple[int, int] | None = None) -> torch.Tensor:
    """One of the photographs in HELD_OUT, (1, 3, H, W): samples of scikit-image, scikit-learn."""
    if not isinstance(name, str) or name not in PHOTOS:
        raise ValueError(f"name={name!r} is no photograph of the course; "
                         f"it has {', '.join(HELD_OUT)}; images.load(path) reads any other")
    package, file = PHOTOS[name]
    # The files are read where they lie: importing scikit-learn for one takes a second.
    return load(Path(find_spec(package).origin).parent / file, size=size)


def fit(image: torch.Tensor, size: int | tuple[int, int]) -> torch.Tensor:
    """`image` (N, 3, H, W) scaled so that its shorter side is `size`, or cut to `size=(H, W)`.

    Raises TypeError or ValueError for values that are not finite floats in [0, 1], a size below 8
    pixels, or a result above 40 megapixels; `image` stays as it was.
    """
    require_pictures(image, "image")
    require_size(size)
    height, width = image.shape[-2:]
    goal = tuple(map(int, (size, size) if is_whole(size) else size))
    scale = max(goal[0] / height, goal[1] / width)
    shape = tuple(max(side, round(scale * old)) for side, old in zip(goal, (height, width)))
    if math.prod(shape) > LARGEST:
        raise ValueError(f"size={size!r} would make this picture of {height} x {width} pixels "
                         f"{shape[0]} x {shape[1]}, above 40 megapixels; choose a smaller size, "
                         f"or cut the picture first")
    # In float32 at least: torch scales no half precision with antialiasing on a CPU.
    scaled = torch.nn.functional.interpolate(image.to(torch.promote_types(
        image.dtype, torch.float32)), size=shape, mode="bilinear", antialias=True)
    image = scaled.clamp(0, 1).to(image.dtype)
    if is_whole(size):
        return image
    top, left = (shape[0] - goal[0]) // 2, (shape[1] - goal[1]) // 2
    return image[:, :, top:top + goal[0], left:left + goal[1]]


def to_numpy(image: torch.Tensor) -> np.ndarray:
    """The picture (1, 3, H, W) or (3, H, W) as a float array (H, W, 3), clamped to [0, 1].

    Raises TypeError or ValueError for bytes, other shapes, NaN and infinite values.
    """
    require_tensor(image, "image", "(1, 3, H, W) with values in [0, 1]; images.load makes one, "
                   "and bytes become one by .float() / 255")
    if image.ndim not in (3, 4) or image.shape[-3] != 3 or image.shape[:-3] not in ((), (1,)):
        raise ValueError(f"image has shape {tuple(image.shape)}, but one picture (1, 3, H, W) "
                         f"is needed; take one of a batch with images[i:i + 1]")
    if image.numel() == 0:
        raise ValueError(f"image has shape {tuple(image.shape)}, but must hold a picture")
    pixels = image.detach().reshape(3, *image.shape[-2:]).permute(1, 2, 0)  # (H, W, 3)
    require_finite(pixels, "image")
    return pixels.clamp(0, 1).float().cpu().numpy()


def to_pil(image: torch.Tensor) -> Image.Image:
    """The picture (1, 3, H, W) or (3, H, W) as a PIL image, clamped to [0, 1], 8 bits."""
    return Image.fromarray((to_numpy(image) * 255).round().astype(np.uint8))


def save(image: torch.Tensor, path: str | Path) -> None:
    """Writes the picture (1, 3, H, W), clamped to [0, 1]; the ending of `path` is the format.

    Raises ValueError or TypeError for another ending (.png, .webp, .jpg, .jpeg), or what is no
    picture, FileNotFoundError for a folder that is not there; then nothing is written.
    """
    require_path(path)
    endings = {".png": {}, ".webp": {"lossless": True}, ".jpg": {"quality": 92},
               ".jpeg": {"quality": 92}}
    ending = Path(path).suffix.lower()
    if ending not in endings:
        raise ValueError(f"path={str(path)!r} must end in one of {', '.join(endings)}")
    if not Path(path).parent.is_dir():
        raise FileNotFoundError(f"path={str(path)!r}: there is no folder "
                                f"{str(Path(path).parent)!r}; make it first, or name another")
    to_pil(image).save(path, **endings[ending])
