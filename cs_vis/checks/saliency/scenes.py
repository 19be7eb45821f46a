"""Scenes for the check of `segment_by_saliency`: small, stable, and each ingredient moves them.

Every number comes from a source like `fixtures.numbers(*shape, seed=)`; elementary steps only.
"""

import torch


def pixels(height: int, width: int):
    """The row and the column of each pixel, both (height, width), float64."""
    return torch.meshgrid(torch.arange(height).double(), torch.arange(width).double(),
                          indexing="ij")


def as_image(paint, noise):
    """Colours (H, W, 3) plus noise (1, 3, H, W), together below 1: an image (1, 3, H, W)."""
    # A quarter above whole numbers of 255, so that rounding and cutting give the same bytes.
    return ((255 * (paint.permute(2, 0, 1)[None] + noise)).floor() + 0.25) / 255


def mosaic(numbers, seed: int):
    """Forty stones in eight colours, (1, 3, 40, 56), and a grainy map of what matters, (40, 56).

    A stone is as salient as its colour, as itself, and as it is close to the centre.
    """
    height, width, n = 40, 56, 40
    row, col = pixels(height, width)
    places = numbers(n, 2, 1, 1, seed=seed) * torch.tensor([height, width]).view(2, 1, 1)
    distance = (row - places[:, 0]) ** 2 + (col - places[:, 1]) ** 2  # (n, H, W)
    stone = (distance + torch.arange(n).view(n, 1, 1) / 2**20).argmin(dim=0)  # no ties; (H, W)
    color = torch.arange(n) % 8
    paint = 0.5 * numbers(8, 3, seed=seed + 1)[color] + 0.3 * numbers(n, 3, seed=seed + 2)
    image = as_image(paint[stone], 0.2 * numbers(1, 3, height, width, seed=seed + 3))
    level = 0.5 + 0.5 * numbers(n, seed=seed + 4) + numbers(8, seed=seed + 5)[color]
    middle = 1 / (1 + ((row - height / 2) / 8) ** 2 + ((col - width / 2) / 12) ** 2)
    return image, numbers(height, width, seed=seed + 6) ** 3 * (level[stone] + middle)


def partly_zero(numbers, seed: int):
    """A mosaic with a white stone and a black bar, and a map that is 0 in the left part.

    So the low quantile is a tie; and who makes 256 of white, as a byte 0, sees it as black.
    """
    image, saliency = mosaic(numbers, seed)
    image[:, :, 8:26, 30:52], image[:, :, :, :16] = 1.0, 0.25 / 255
    return image, saliency * (pixels(40, 56)[1] >= 32)


def below_zero(numbers, seed: int):
    """A mosaic whose map is below 0, but for the right part, where it is 0: the highest, a tie."""
    image, saliency = mosaic(numbers, seed)
    return image, -saliency * (pixels(40, 56)[1] < 36)


GROUNDS = ((0.05, 0.75, 0.05), (0.9, 0.05, 0.9), (0.05, 0.05, 0.85), (0, 0, 0))
BANDS = ((0.85, 0.05, 0.05), (0.9, 0.85, 0.05), (1, 1, 1))


def beads(numbers, seed: int, greys: tuple[float, ...]):
    """Grey beads on four grounds beside three bands, (1, 3, 48, 64), and a map (48, 64).

    The bands and the first bead matter. Round by round the next bead, a little darker, joins the
    first: after four rounds the mask is not what it is after five. The last grey is background.
    """
    height, width, left = 48, 64, 14
    row, col = pixels(height, width)
    ground = 2 * (row >= height / 2).long() + (col >= (width + left) / 2)
    paint = torch.tensor(GROUNDS, dtype=torch.float64)[ground]  # (H, W, 3)
    band = (3 * row / height).floor().long()
    paint = torch.where((col < left)[..., None],
                        torch.tensor(BANDS, dtype=torch.float64)[band], paint)
    level = torch.where(col < left, 0.7, 0.1).double()
    for i, grey in enumerate(greys):  # down the first column, then down the next
        down = row - (16 * (i % 3) + 7.5)
        across = 3 * (col - left + 0.5) - 50 * (i // 3 + 0.5)  # thirds of a pixel
        bead = down ** 2 + across ** 2 / 9 < 36
        paint[bead] = grey / 255
        level[bead] = 2.0 if i == 0 else 0.1 if i == len(greys) - 1 else 0.4
    image = as_image(0.9375 * paint, 0.0625 * numbers(1, 3, height, width, seed=seed))
    return image, (0.5 + 0.5 * numbers(height, width, seed=seed + 1)) * level


SCENES = {
    "a mosaic": (mosaic, {"seed": 2130}),
    "another mosaic": (mosaic, {"seed": 6960}),
    "a third mosaic": (mosaic, {"seed": 7380}),
    "a map with zeros": (partly_zero, {"seed": 800}),
    "a map below zero": (below_zero, {"seed": 300}),
    "beads": (beads, {"seed": 58060, "greys": (138.5, 137.5, 136.5, 133.5, 132.5, 129.5, 114)}),
    "other beads": (beads, {"seed": 14530, "greys": (137, 137.5, 137.5, 134, 132.5, 130, 114)}),
}
