"""The several ways in which pictures of one class look to a network: clusters of its features."""

import torch
from sklearn.cluster import KMeans
from torch import nn

from ..models import activations
from ..require import (require_batch, require_features, require_generator, require_model,
                       require_whole)


def pooled_features(model: nn.Module, images: torch.Tensor, layer: str) -> torch.Tensor:
    """What a layer says to each picture, averaged over all positions: (N, C).

    images (N, 3, H, W). Raises ValueError or TypeError for what is no layer with channels.
    """
    require_model(model)
    require_batch(images)
    with torch.no_grad():
        found = activations(model, images, layer)[layer]  # (N, C, rows, cols) or (N, C)
    require_features(found, images, layer)
    return found if found.ndim == 2 else found.mean(dim=(2, 3))


def modes(features: torch.Tensor, clusters: int, *,
          generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """k-means: the cluster of each row (N,), the largest first, and for each cluster the row that
    is nearest to its middle (clusters,). Both are long tensors on the CPU.

    features (N, D). A. Nguyen, J. Yosinski and J. Clune 2016, Multifaceted feature visualization.
    Raises ValueError or TypeError for fewer rows than clusters, or what is no float (N, D).
    """
    require_whole(clusters=clusters, at_least=1)
    require_generator(generator)
    if not isinstance(features, torch.Tensor) or features.ndim != 2 or len(features) < clusters:
        got = getattr(features, "shape", type(features).__name__)
        raise ValueError(f"features is {got if isinstance(got, str) else tuple(got)}, but "
                         f"{clusters} clusters need (N, D), N at least {clusters}: pass "
                         f"pooled_features(model, images, layer) of more pictures")
    rows = features.detach().cpu().double()
    seed = int(torch.randint(2 ** 31, (1,), generator=generator, device=generator.device))
    middles, found = _largest_first(KMeans(clusters, n_init=10, random_state=seed).fit(
        rows.numpy()))
    return found, torch.cdist(middles, rows).argmin(dim=1)


def _largest_first(fitted) -> tuple[torch.Tensor, torch.Tensor]:
    """The middles (clusters, D) and each row's cluster (N,), numbered by size."""
    found = torch.from_numpy(fitted.labels_).long()
    order = found.bincount(minlength=len(fitted.cluster_centers_)).argsort(descending=True,
                                                                           stable=True)
    return torch.from_numpy(fitted.cluster_centers_)[order], order.argsort()[found]


def explained(values: torch.Tensor, clusters: torch.Tensor) -> float:
    """The share of the variance of values (N, D) that lies between the clusters (N,), 0 to 1.

    1: within a cluster all are alike; about (clusters - 1) / (N - 1): drawn by lot. Values that
    do not vary give 0. Raises ValueError where the two are not as many.
    """
    if not isinstance(values, torch.Tensor) or values.ndim != 2 or len(values) != len(clusters):
        raise ValueError(f"values must be (N, D) with N={len(clusters)}, one row for each entry "
                         f"of clusters, and is {tuple(getattr(values, 'shape', ()))}")
    total = (values - values.mean(dim=0)).square().sum()
    within = sum((part - part.mean(dim=0)).square().sum()
                 for part in (values[clusters == c] for c in clusters.unique()))
    return float(1 - within / total) if total > 0 else 0.0
