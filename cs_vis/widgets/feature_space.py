"""The panel of notebook 02: a map of many pictures, and where a picture of yours belongs on it."""

from collections.abc import Callable

import numpy as np
import torch
from matplotlib import colormaps

from .. import plots
from ..methods.feature_space import collect, tsne
from ..plots.maps import group_colors
from ..require import require_images, require_texts
from .live import Choice, Range, ask, current

__all__ = ["feature_space_panel"]

ASKED = "the picture that is asked about"


def feature_space_panel(networks: dict, features: dict, pictures, names, images: dict, *,
                        nearest_neighbors: Callable, pca: Callable, facts=None):
    """A map of pictures by any layer of any network, and on it a picture's nearest neighbours.

    networks: name -> network. features: name -> layer -> (N, D), as methods.feature_space.collect
    gives them. pictures (N, 3, H, W) in [0, 1] and names, N texts, what they show: the map.
    images: name -> picture (1, 3, H, W) to ask about. nearest_neighbors and pca are the student's.
    facts: of the N specimens; without them the colours are those of the names. What the functions
    raise becomes a line of text; one that is defined anew is picked up. Raises TypeError or
    ValueError for no network, and for features of other pictures.
    """
    require_images(pictures, "pictures")
    require_texts(names, "names")
    _require_features(features, networks, len(pictures))
    student = {"nearest_neighbors": nearest_neighbors, "pca": pca}
    layers = list(next(iter(features.values())))
    straight, bent = (lambda rows: current(pca)(rows, 2)[0]), _remembered(tsne)
    colorings = colors_by(list(names), facts)

    def answer(image, *, network, layer, embedding, color, k):
        rows = features[network][layer]
        row = collect(networks[network], [image], [layer])[layer][0]  # (D,)
        near = current(nearest_neighbors)(row, rows, k).tolist()
        points = embedding(rows)
        inks, legend = color
        # t-SNE has no place for a new picture; on either map it comes beside its nearest neighbour.
        return plots.picture_map(
            torch.cat([points, points[near[:1]]]), torch.cat([pictures, image.to(pictures)]),
            np.concatenate([inks, np.zeros((1, 3))]), [*names, ASKED],
            marked=[*near, len(pictures)], legend=legend)

    controls = {"network": Choice(list(networks), list(networks)[-1]),
                "layer": Choice(layers, layers[-2] if len(layers) > 1 else None),
                "embedding": Choice({"t-SNE": bent, "your pca": straight}, words="map"),
                "color": Choice(colorings, words="colour"),
                "k": Range(1, 20, 5, words="neighbours")}
    return ask(answer, images, controls, exercises=student, name="map")


def colors_by(names: list[str], facts=None) -> dict[str, tuple]:
    """What colours may stand for: words -> colours (N, 3), and a legend, words -> colour."""
    found = {"kind": _groups(names)}
    if facts is not None:
        size = np.array([fact["size"] for fact in facts])
        shade = colormaps["viridis"]
        found |= {"background": _groups([fact["background"] for fact in facts]),
                  "the object's colour": (np.array([fact["color"] or (0.5,) * 3 for fact in facts],
                                                   dtype=float), {}),
                  "size": (shade(np.clip((size - 0.3) / 0.65, 0, 1))[:, :3],
                           {"small": shade(0.0)[:3], "large": shade(1.0)[:3]})}
    return found


def _groups(words: list[str]) -> tuple[np.ndarray, dict]:
    """A colour for each different word, and a legend where it is short enough to be read."""
    different = sorted(set(words))
    colors = dict(zip(different, group_colors(len(different))))
    return np.stack([colors[word] for word in words]), colors if len(different) <= 24 else {}


def _remembered(embed: Callable) -> Callable:
    """The same function, that computes its answer for a tensor once: t-SNE takes seconds."""
    known = {}

    def once(rows):
        if id(rows) not in known:
            known[id(rows)] = embed(rows, perplexity=min(30.0, (len(rows) - 1) / 3))
        return known[id(rows)]
    return once


def _require_features(features, networks, count: int) -> None:
    if not networks or list(features) != list(networks):
        raise ValueError(f"networks has {list(networks)} and features {list(features)}: give both "
                         f"for the same networks, at least one")
    wrong = {len(rows) for by_layer in features.values() for rows in by_layer.values()} - {count}
    if wrong:
        raise ValueError(f"features has {min(wrong)} rows for {count} pictures: pass "
                         f"rows[:{count}], the features of those on the map")
