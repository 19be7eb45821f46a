"""The check of `match_guide`: what is tried, and what is said about known mistakes."""

import re

import torch

from ..exercise import Case, Exercise, Trap
from ..inputs import Leaf


def matched(function, features, guide):
    result = function(features, guide)
    graph = getattr(result, "requires_grad", False)
    return {"result": result, "has a graph": graph,
            "flows": bool(graph and features.requires_grad and slope(result, features).any())}


def slope(result, features):
    """The gradient that flows from the sum of the result back to the features."""
    return torch.autograd.grad(result.sum(), features, allow_unused=True,
                               materialize_grads=True)[0]


def ones_without_flow(function, features, guide):
    """Ones like the result, zeros where a gradient flows through it."""
    outputs = matched(function, features, guide)
    return {"result": torch.full_like(outputs["result"].detach(), not outputs["flows"])}


def layers(channels, size, guide_size, seed):
    """What a layer may give of two pictures, of both signs."""
    return lambda numbers: {
        "features": 2 * numbers(1, channels, *size, seed=seed) - 0.75,
        "guide": 2 * numbers(1, channels, *guide_size, seed=seed + 1) - 0.75}


def hard_to_fit(channels, size, guide_size, seed):
    """Where three vectors fit best, all alike, or none: every other column is opposed to all of
    the guide, so that its products are negative; the first row is 0, and of the second the first
    channel alone counts, in which three vectors of the guide have the same."""
    def inputs(numbers):
        features, guide = (numbers(1, channels, *shape, seed=seed + i) + 1 / 16
                           for i, shape in enumerate((size, guide_size)))
        features[:, :, :2] = 0
        features[:, 0, 1] = 1
        features[..., ::2] *= -1
        guide[0, 0].view(-1)[[2, 4, -1]] = 2
        return {"features": features, "guide": guide}
    return inputs


def features_with_graph(inputs):
    return {**inputs, "features": Leaf(inputs["features"])}


def with_graph(inputs):
    return {name: Leaf(x) for name, x in inputs.items()}


def conventions(observed, inputs):
    """Does a graph come back?"""
    outputs = [outcome.outputs for outcome in observed.outcomes.values()]
    return {"has a graph": ()} if any(out.get("has a graph") is True for out in outputs) else {}


FIRST, ALIKE = "a guide of another size", "a guide as large"
HARD = ("places that several vectors fit, or none", "such places, and a larger guide")
GUIDE = Exercise(
    name="match_guide", notebook="08_deepdream", parameters=("features", "guide"),
    conventions=conventions,
    cases=(
        Case(FIRST, layers(5, (3, 4), (5, 2), 701), matched),
        Case(ALIKE, layers(4, (3, 5), (3, 5), 703), matched),
        Case("a larger guide", layers(6, (4, 3), (6, 5), 705), matched),
        Case("a guide as large, more rows", layers(3, (4, 2), (4, 2), 707), matched),
        Case(HARD[0], hard_to_fit(5, (4, 3), (2, 4), 709), matched),
        Case(HARD[1], hard_to_fit(4, (3, 5), (4, 5), 711), matched),
    ),
    traps=(
        Trap("another dtype than the features'", FIRST, dtype=torch.float64),
        Trap("graph in the way", FIRST, with_graph),
        Trap("gradient through the match", FIRST, features_with_graph, torch.ones_like,
             call=ones_without_flow, unless=("graph in the way", "input changed")),
    ),
    mistakes={
        "parameters in another order":
            "The parameters stand in another order than in the notebook: "
            "match_guide(features, guide).",
        "cosine instead of the inner product":
            "The angle was compared: vectors were divided by their lengths. Take the inner "
            "product as it is, so that strong vectors of the guide win.",
        "distance instead of the inner product":
            "The nearest vector was taken. Take the one with the largest inner product: it is "
            "the direction in which the features may grow.",
        "smallest instead of largest":
            "The vector that fits worst was taken. Take the largest inner product.",
        "sign of the product lost":
            "The absolute value, or the square, of the inner product was compared. Take the "
            "largest as it is: opposite vectors do not fit.",
        "negative products cut":
            "Where all inner products are negative, none of them wins. The largest may be "
            "negative: take argmax of the products as they are, or begin a search with -inf.",
        "last of equals":
            "Of vectors that fit equally well the last was taken. Take the first, as argmax does: "
            "replace the best so far only by what is larger.",
        "channels one by one":
            "Each channel was matched by itself. A position has one vector of all channels, and "
            "all of it comes from one position of the guide.",
        "searched for each place of the guide":
            "It was searched the other way: for each position of the guide, among the features. "
            "For each position of the features, search among the guide's: of products "
            "(h · w, gh · gw) that is argmax(dim=1).",
        "one search for all places":
            "argmax() without dim counts through all products and gives one number. Each position "
            "of features has a best of its own: of products (h · w, gh · gw) that is "
            "argmax(dim=1).",
        "features instead of the guide":
            "The vectors that come back are the features' own. Return those of the guide.",
        "same position":
            "The guide's vector at the same position was taken, whatever fits. Search over all "
            "positions of the guide.",
        "one vector for all":
            "Every position got the same vector. Each has its own largest inner product.",
        "mean of the guide":
            "The mean over the guide comes back everywhere. Pick, at each position, the one "
            "vector that fits best.",
        "largest of the guide, channel by channel":
            "The largest value of each channel of the guide comes back. Pick, at each position, "
            "the one vector that fits best.",
        "blend of the guide":
            "The guide's vectors are blended. Pick, at each position, the one that fits best.",
        "wrong width":
            "The position in the guide was found with another width than the guide's. A number i "
            "of its positions lies at row i // gw, column i % gw.",
        "view instead of transposing":
            "view does not move numbers: (C, h · w) viewed as (h · w, C) mixes positions and "
            "channels. Transpose with .T, permute or movedim, or leave the channels in front.",
        "rows and columns exchanged":
            "Rows and columns are exchanged: positions are counted along the rows, as flatten(2) "
            "does.",
        "products returned":
            "The inner products come back. Return the guide's vectors, (1, C, h, w).",
        "indices returned":
            "The positions come back. Return the guide's vectors that lie there, (1, C, h, w).",
        "multiplied by the product":
            "The vectors are multiplied by their inner products, or by the features. Return them "
            "as they are in the guide.",
        "gradient through the match":
            "A gradient flows from the result back to features. The guide's vectors are a goal "
            "and move nothing themselves: return them as they are, with .detach().",
        "graph in the way":
            "It fails where the features have a graph, as in a dream. No gradient flows through "
            "the match: begin with features.detach() and guide.detach().",
        "another dtype than the features'":
            "With float64 features the result should be float64: make no float32 tensors of your "
            "own.",
    },
    errors={  # the first case has 5 channels, and a guide of 5 × 2 positions
        "one search for all places": re.compile(
            r"out of bounds for (dimension|axis) [01] with size 10\b|axis_dim=10\b|"
            r"invalid for input of size 5\b"),
        "wrong width": re.compile(r"index \d+ is out of bounds for (dimension|axis) \d with size"),
        "same position": re.compile(r"must match the size of tensor|shape .* is invalid for input"),
    },
    notes={
        "has a graph":
            "what comes back has a graph, and no gradient should flow through it. Begin with "
            "features.detach() and guide.detach().",
    },
    row={
        "signature": "match_guide(features, guide)",
        "shapes": "features (1, C, h, w), guide (1, C, gh, gw) → (1, C, h, w)",
        "gives": "a new tensor without a graph, like features in dtype and device; both stay as "
                 "they were",
        "formula": "result[0, :, y, x] = guide[0, :, v, u], (v, u) the position of the guide with "
                   "the largest Σ_c features[0, c, y, x] · guide[0, c, v, u], the first of equals",
        "defaults": "none",
        "units": "those of the layer",
    })
