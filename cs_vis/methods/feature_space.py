"""Rows of features: collected layer by layer, spread out by t-SNE, and read by linear probes."""

import colorsys
import math
from collections.abc import Iterable

import numpy as np
import torch
import torch.nn.functional as F

from ..models import activations
from ..require import require_above_0, require_lists, require_rows, require_whole, shown
from ..specimens import class_names

PENALTIES = (10.0, 100.0, 1000.0, 10_000.0)  # a probe takes the one that predicts best
GREY = 1e-6  # of a feature's deviation: below it nothing varies, and nothing is divided by it


@torch.no_grad()
def collect(model, batches: Iterable[torch.Tensor], layers, *, grid: int = 4) -> dict:
    """What layers say about many pictures: layer -> (N, D), a row for each picture.

    batches: images (B, 3, H, W) in [0, 1], batch after batch. A layer with places (C, h, w) is
    averaged over grid × grid fields, D = C · grid²; one of a single place, or of none, gives
    D = C. The rows stay on the device. Raises ValueError for no batch, and what `activations`
    raises; the network stays as it was.
    """
    require_whole(grid=grid, at_least=1)
    found = [{layer: _row(a, grid) for layer, a in activations(model, images, layers).items()}
             for images in batches]
    if not found:
        raise ValueError("batches is empty: there is no picture to ask about; pass a list of "
                         "images (B, 3, H, W), or a generator that was not used up before")
    return {layer: torch.cat([part[layer] for part in found]) for layer in found[0]}


def _row(a: torch.Tensor, grid: int) -> torch.Tensor:
    """(B, C, h, w) or (B, C) -> (B, D)."""
    return F.adaptive_avg_pool2d(a, min(grid, *a.shape[2:])).flatten(1) if a.ndim == 4 else (
        a.flatten(1))


def tsne(features: torch.Tensor, *, perplexity: float = 30.0, seed: int = 0,
         start: str = "pca") -> torch.Tensor:
    """A map of the rows, (N, 2), on which near rows are near: t-SNE (van der Maaten 2008).

    features (N, D); perplexity: how many neighbours a row minds, about, below N. start: "pca",
    from the two main directions, or "random", from noise by `seed`. By scikit-learn, on the CPU.
    Raises TypeError or ValueError for other input; features stay as they were.
    """
    from sklearn.manifold import TSNE  # here, for it takes a second and few cells need it
    require_rows(features, "features")
    require_above_0(perplexity=perplexity)
    if perplexity >= len(features):
        raise ValueError(f"perplexity={perplexity} must be below the number of rows, which is "
                         f"{len(features)}")
    if start not in ("pca", "random"):
        raise ValueError(f"start={shown(start)} must be 'pca' or 'random'")
    rows = features.detach().cpu().float().numpy()
    points = TSNE(perplexity=perplexity, random_state=seed, init=start).fit_transform(rows)
    return torch.from_numpy(points).to(features)


def centroid_distances(rows: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Distances between the means of all pairs of classes, (K (K − 1) / 2,), in a fixed order.

    rows (N, D), labels (N,) long: the K classes that there are.
    """
    require_rows(rows, "rows")
    means = torch.stack([rows[labels == label].mean(dim=0) for label in labels.unique()])
    return torch.pdist(means)


# ---- linear probes ---------------------------------------------------------------------------

def known(facts, labels: torch.Tensor) -> dict[str, torch.Tensor]:
    """What is known of specimens as targets of a probe: name -> (N, T) float.

    kind and background: a one for what it is, zeros for all else. hue: a point on the colour
    wheel, as far from its middle as the colour is strong. size, place (x, y): as in Facts.
    """
    require_lists(facts=facts, labels=labels)
    grounds = sorted({fact["background"] for fact in facts})
    ground = torch.tensor([grounds.index(fact["background"]) for fact in facts])
    return {"kind": F.one_hot(labels.cpu(), len(class_names)).float(),
            "background": F.one_hot(ground, len(grounds)).float(),
            "hue": torch.tensor([on_wheel(fact["color"]) for fact in facts]),
            "size": torch.tensor([[fact["size"]] for fact in facts]),
            "place": torch.tensor([fact["pose"]["centre"] for fact in facts])}


def on_wheel(color) -> tuple[float, float]:
    """An RGB colour as a point of the wheel: its hue is the direction, 0 where it is grey."""
    hue, strength, _ = colorsys.rgb_to_hsv(*(color or (0, 0, 0)))
    return strength * math.cos(2 * math.pi * hue), strength * math.sin(2 * math.pi * hue)


def probe(features: torch.Tensor, targets: torch.Tensor, *, train: int) -> torch.Tensor:
    """What a linear map, fitted to the first `train` rows, predicts for the others.

    features (N, D), standardised by the first rows; targets (N, T). Ridge regression, for each
    target with the penalty that predicts best when one row at a time is left out. Returns
    (N − train, T), like targets. Raises TypeError or ValueError for other input.
    """
    from sklearn.linear_model import RidgeCV
    require_rows(features, "features")
    require_rows(targets, "targets")
    require_whole(train=train, at_least=2)
    if len(features) != len(targets) or train >= len(features):
        raise ValueError(f"features has {len(features)} rows, targets {len(targets)} and "
                         f"train={train}: the rows belong together, and some must be left to "
                         f"predict")
    X, Y = (values.detach().cpu().double().numpy() for values in (features, targets))
    X = (X - X[:train].mean(axis=0)) / np.maximum(X[:train].std(axis=0), GREY)
    ridge = RidgeCV(PENALTIES, alpha_per_target=True).fit(X[:train], Y[:train])
    return torch.from_numpy(ridge.predict(X[train:]).reshape(-1, Y.shape[1])).to(targets)


def share_right(predicted: torch.Tensor, truth: torch.Tensor) -> float:
    """The share of rows whose largest entry is where the truth has its one."""
    return (predicted.argmax(dim=1) == truth.argmax(dim=1)).float().mean().item()


def explained(predicted: torch.Tensor, truth: torch.Tensor) -> float:
    """R²: the share of the truth's variance that the prediction explains; 0 for the mean, or
    below. Of several columns, the variances are added up."""
    left = (predicted - truth).square().sum()
    return (1 - left / (truth - truth.mean(dim=0)).square().sum()).item()


def probe_all(features: torch.Tensor, facts: dict[str, torch.Tensor], *, train: int
              ) -> dict[str, float]:
    """How well each fact can be read from the features by a linear probe, for rows not fitted.

    facts: as `known` gives them. The share of right answers for kind and background, R² for all
    else, at least 0. One fit answers for all of them.
    """
    predicted = probe(features, torch.cat(list(facts.values()), dim=1), train=train)
    columns = predicted.split([target.shape[1] for target in facts.values()], dim=1)
    return {name: (share_right if name in CHOICES else explained_or_0)(one, facts[name][train:])
            for name, one in zip(facts, columns)}


CHOICES = ("kind", "background")  # facts that are one of several things


def explained_or_0(predicted, truth) -> float:
    return max(explained(predicted, truth), 0.0)
