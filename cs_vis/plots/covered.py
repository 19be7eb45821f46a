"""Occlusion maps, in one code everywhere: light where a patch costs nothing, dark where it costs
all; lightest is the probability on the picture as it is."""

import torch
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from ..require import number_in, require_fit, require_lists, require_number
from .figures import PALE, SIZE, Figure, show
from .pictures import Picture, coloured, picture

COLORS = "magma"


def occlusion_picture(left, whole=1.0, image=None) -> Picture:
    """An occlusion map: light where nothing is lost, dark where nothing is left.

    left: the probability left under a patch, (rows, cols), or for each pixel, (H, W). whole: the
    probability without a patch; it is the lightest, and more than that is as light. image:
    (1, 3, H, W), as large as the map, shines through in grey. Raises ValueError for other shapes
    and for a whole outside [0, 1].
    """
    whole = require_number("whole", number_in(whole), 0, 1)
    drawn = coloured(left, COLORS, top=whole or 1.0)
    if whole == 0:  # nothing there that a patch could take
        drawn = coloured(torch.ones(drawn.pixels.shape[:2]), COLORS)._replace(note="light: 0")
    if image is None:
        return drawn
    base = picture(image).pixels  # (H, W, 3)
    if base.shape != drawn.pixels.shape:
        raise ValueError(f"left is {_size(drawn)}, the image {_size(picture(image))}: pass one "
                         f"value for each pixel, whole - occlusion_loss(...)[0]")
    glass = 0.35 + 0.65 * base.mean(axis=2, keepdims=True)  # (H, W, 1)
    return Picture(drawn.pixels * glass, drawn.note)


def patch_on(image, patch: int) -> Picture:
    """The image with a square drawn into its lower left corner, `patch` pixels wide."""
    base = picture(image).pixels
    require_fit(min(base.shape[:2]), patch, stride=1)
    zoom = max(1, round(384 / max(base.shape)))  # a line finer than the image's pixels
    base = base.repeat(zoom, axis=0).repeat(zoom, axis=1)
    square = base[-patch * zoom:, :patch * zoom]
    for width, color in ((4, 0.05), (3, 1.0)):  # white, with a dark seam inside
        square[:width] = square[-width:] = square[:, :width] = square[:, -width:] = color
    return Picture(base)


def occlusion(images, left, whole, titles=None, *, patch) -> Figure:
    """Pictures above, with the patch drawn to size; below, what each place of the patch left.

    images: list of (1, 3, H, W). left: list of (rows, cols), each value the probability left with
    the patch at one position; it is drawn where the patch's middle was. whole: for each image the
    probability without a patch. patch: its side in pixels, or a list with one for each image.
    Raises ValueError where these are not as many, or a patch does not fit.
    """
    require_lists(images=images, left=left, whole=whole)
    patches = patch if isinstance(patch, (list, tuple)) else [patch] * len(images)
    if not len(images) == len(left) == len(whole) == len(patches) > 0:
        raise ValueError(f"images has {len(images)} entries, left {len(left)}, whole {len(whole)} "
                         f"and patch {len(patches)}: give one of each for every image")
    maps = [occlusion_picture(*pair) for pair in zip(left, whole)]
    figure = show([[patch_on(*pair) for pair in zip(images, patches)], maps], titles, margin=0.85)
    for axes, one, image, side in zip(figure.axes[len(maps):], maps, images, patches):
        _put_in_place(axes, one, picture(image).pixels.shape, side)
    _bar(figure)
    return figure


def _put_in_place(axes, one: Picture, size, patch: int) -> None:
    """Shrink a map of patch positions, so that each value lies where the patch's middle was."""
    ends = []
    for side, count in zip(size[:2], one.pixels.shape):
        step = (side - patch) / (count - 1) if count > 1 else side
        ends.append(((patch - step) / 2, side - (patch - step) / 2))
    (top, bottom), (left, right) = ends
    axes.images[0].set_extent((left, right, bottom, top))
    axes.set(xlim=(0, size[1]), ylim=(size[0], 0))


def _bar(figure: Figure) -> None:
    """What the colours say, on the right of the last picture."""
    last, width = figure.axes[-1].get_position(), 0.1 / figure.get_figwidth()
    bar = figure.add_axes([last.x1 + width, last.y0, width, last.height])
    figure.colorbar(ScalarMappable(Normalize(0, 1), COLORS), bar, ticks=[0, 0.5, 1])
    bar.set_yticklabels(["none left", "half left", "all left"])
    bar.tick_params(labelsize=SIZE, length=2, color=PALE)
    bar.spines[:].set_visible(False)


def _size(one: Picture) -> str:
    return "×".join(map(str, one.pixels.shape[:2]))
