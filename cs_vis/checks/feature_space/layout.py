"""The check of `grid_layout`: what is tried, and what is said about known mistakes."""

import torch

from ..exercise import Case, Exercise
from .reading import NOTES, dtype_traps, in_dtype, ones_if_kept


def laid_out(function, points, images):
    return {"result": in_dtype(function(points, images), images)}


def ones_if_dtype_kept(function, points, images):
    return ones_if_kept({"result": function(points, images)}, images)


def scattered(n, height, width, seed, spread=(40.0, 6.0), corner=(-25.0, 3.0)):
    """n · n points as t-SNE may give them: one axis is longer, none begins at 0, and along the
    first most lie near its beginning, along the second near its two ends. The images' values are
    not in [0, 1], and in no float of 16 bits."""
    def inputs(numbers):
        x, y = numbers(n * n, 2, seed=seed).T
        shape = torch.stack([x ** 3, 0.5 + 4 * (y - 0.5) ** 3], dim=1)
        images = (18 * numbers(n * n, 3, height, width, seed=seed + 1) - 5) / 7
        return {"points": shape * torch.tensor(spread) + torch.tensor(corner), "images": images}
    return inputs


FIRST, WIDE = "pictures higher than wide", "pictures wider than high"
LAYOUT = Exercise(
    name="grid_layout", notebook="02_feature_space", parameters=("points", "images"),
    cases=(
        Case(FIRST, scattered(5, 2, 1, 498), laid_out),
        Case(WIDE, scattered(4, 1, 2, 405, (5.0, 30.0), (1.0, -20.0)), laid_out),
        Case("square pictures", scattered(3, 2, 2, 422, (20.0, 11.0), (-4.0, 8.0)), laid_out),
    ),
    traps=dtype_traps((FIRST, WIDE), ones_if_dtype_kept),
    notes=NOTES,
    mistakes={
        "parameters in another order":
            "The parameters stand in another order than in the notebook: "
            "grid_layout(points, images).",
        "permutation the wrong way round":
            "The permutation is used the wrong way round. With costs (points, cells), cols[i] is "
            "the cell of image i: write grid[cols] = images; with costs (cells, points) it is the "
            "image of cell i: images[cols].",
        "rows and columns exchanged":
            "Rows and columns are exchanged: points[:, 0] goes to the right and points[:, 1] down.",
        "y up":
            "The picture is upside down: points[:, 1] grows downwards, as rows of a picture do.",
        "mirrored":
            "The picture is mirrored: points[:, 0] grows to the right.",
        "axes not scaled one by one":
            "The axes were not scaled, or by one number, or not by their extents. Each has its own "
            "minimum and maximum: points.amin(dim=0), points.amax(dim=0).",
        "axes in another proportion":
            "The two axes are not in the right proportion to each other, as with mean and standard "
            "deviation. Scale each to [0, 1] by its own minimum and maximum; columns and rows of "
            "cells both reach from 0 to 1.",
        "ranks instead of places":
            "The points were replaced by their ranks. Scale their coordinates to [0, 1].",
        "distances not squared":
            "The distances themselves were added up. Add up their squares, so that no image lies "
            "far off.",
        "another distance":
            "Another distance was added up. Take the squares of the Euclidean distance: "
            "(dx ** 2 + dy ** 2).",
        "one axis alone":
            "The distance uses one axis alone. Add up the squares of both.",
        "farthest instead of nearest":
            "Each image lies as far off as can be: the assignment was maximised, or both axes are "
            "turned round.",
        "one by one":
            "Each image or cell took the nearest that was left, one after the other. "
            "scipy.optimize.linear_sum_assignment finds the best way for all at once.",
        "sorted into rows":
            "The images were sorted into rows or columns. Let "
            "scipy.optimize.linear_sum_assignment choose the cells.",
        "images in the given order":
            "The images lie in the order in which they came, whatever their points.",
        "images more than once":
            "Some images appear more than once, others not at all. Each has a cell of its own: "
            "scipy.optimize.linear_sum_assignment.",
        "another number of columns":
            "A row of the picture does not have n images: make_grid puts eight in a row unless "
            "nrow=n.",
        "border between the images":
            "There is a border between the images: make_grid leaves one, unless padding=0.",
        "channels last":
            "The colours stand last. The picture is (1, 3, n · h, n · w).",
        "pixels of the images mixed":
            "The images were joined by view or reshape alone, which mixes their pixels. From "
            "(n, n, 3, h, w) go to (3, n, h, n, w) by permute(2, 0, 3, 1, 4), and reshape that.",
        "height and width exchanged":
            "Height and width of the images are exchanged. Cell (r, c) holds the rows r · h to "
            "(r + 1) · h and the columns c · w to (c + 1) · w of the picture.",
        "images rescaled":
            "The images' values changed: scaled or cut off. They come into the picture as they are.",
    },
    row={
        "signature": "grid_layout(points, images)",
        "shapes": "points (N, 2), images (N, 3, h, w), N = n · n → (1, 3, n · h, n · w)",
        "gives": "a new picture on the device of images, best in their dtype; both inputs stay as "
                 "they were",
        "formula": "each axis of points scaled to [0, 1] by its minimum and maximum; cells at "
                   "(column, row) / (n − 1); each image in one cell, so that the sum of squared "
                   "distances is smallest; points[:, 0] to the right, points[:, 1] down",
        "defaults": "none",
        "units": "points in any, images as they are",
    })
