"""Which pictures lie near each other? The three exercises of notebook 02, solved.

A row of features (N, D) is one picture, as pixels or as a layer of a network has it. Nothing here
changes what is passed in.
"""

import math

import torch
from scipy.optimize import linear_sum_assignment

from ..require import require_at_most, require_layout, require_query, require_rows, require_whole


def nearest_neighbors(query: torch.Tensor, gallery: torch.Tensor, k: int) -> torch.Tensor:
    """The places of the k rows of gallery that are nearest to query, the nearest first.

    query (D,), gallery (M, D); what is near has a small Euclidean distance ‖row − query‖. A row
    equal to query is the query itself and left out, wherever it stands and however often; where
    there is none, no row is left out. Returns (k,) long, on the device of gallery.
    Raises TypeError or ValueError for other shapes or dtypes, or where k rows are not left.
    """
    require_query(query, gallery)
    require_whole(k=k, at_least=1)
    itself = (gallery == query).all(dim=1)  # (M,)
    require_at_most("k", k, int((~itself).sum()), "rows that are not the query")
    distances = (gallery - query).norm(dim=1).masked_fill(itself, math.inf)
    return distances.argsort()[:k]


def pca(features: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The k directions in which features differ most, and where each row lies along them.

    Pearson 1901. features (N, D), centred, is U S Vᵀ. Returns points (N, k), the centred rows
    along the directions; components (k, D), the first rows of Vᵀ, each turned so that its entry
    of largest absolute value is positive; variances (k,), S² / (N − 1), the largest first.
    Raises TypeError or ValueError for other shapes or dtypes, or a k above D or N − 1.
    """
    require_rows(features, "features")
    require_whole(k=k, at_least=1)
    require_at_most("k", k, min(len(features) - 1, features.shape[1]), "directions")
    centred = features - features.mean(dim=0)
    _, singular, directions = torch.linalg.svd(centred, full_matrices=False)
    components = directions[:k]
    largest = components.abs().argmax(dim=1, keepdim=True)  # (k, 1)
    components = components * components.gather(1, largest).sign()
    return centred @ components.T, components, singular[:k].square() / (len(features) - 1)


def grid_layout(points: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """One picture of n × n cells in which each image lies near its point.

    points (N, 2), N = n · n; images (N, 3, h, w). Each axis of the points is scaled to [0, 1];
    the cell of row r and column c lies at (c, r) / (n − 1), so that points[:, 0] goes to the right
    and points[:, 1] down. Of all ways to give each image a cell, that with the smallest sum of
    squared distances. Returns (1, 3, n · h, n · w), like images in dtype and device.
    Raises TypeError or ValueError for other shapes or dtypes, or an axis without extent.
    """
    require_layout(points, images)
    n = math.isqrt(len(points))
    low, high = points.aminmax(dim=0)
    scaled = (points - low) / (high - low)
    steps = torch.arange(n).to(points) / (n - 1)
    cells = torch.cartesian_prod(steps, steps).flip(1)  # (N, 2), row by row, each (right, down)
    costs = (cells[:, None] - scaled).square().sum(dim=2)  # (cells, points)
    _, chosen = linear_sum_assignment(costs.detach().cpu().numpy())  # of each cell the image
    rows = images[torch.from_numpy(chosen).to(images.device)].unflatten(0, (n, n))
    return rows.permute(2, 0, 3, 1, 4).flatten(3).flatten(1, 2)[None]  # (1, 3, n · h, n · w)
