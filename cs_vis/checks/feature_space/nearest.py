"""The check of `nearest_neighbors`: what is tried, and what is said about known mistakes."""

import re

import torch

from ..exercise import Case, Exercise, Trap
from ..observe import Odd
from .reading import NOTE, NOTES


def found(function, query, gallery, k):
    return {"result": as_floats(function(query, gallery, k), query)}


def found_beside_twins(function, query, gallery, k):
    """Rows 1 and 6 are equal, so that their order is free: here the smaller place comes first."""
    result = found(function, query, gallery, k)["result"]
    if torch.is_tensor(result) and result.ndim == 1:
        result = result.clone()
        twins = (result == TWINS[0]) | (result == TWINS[1])
        result[twins] = result[twins].sort().values
    return {"result": result}


def found_of_each(function, gallery, k):
    """What is found for each row of the gallery, one below the other."""
    results = [found(function, row.clone(), gallery.clone(), k)["result"] for row in gallery]
    stackable = all(torch.is_tensor(x) and x.shape == results[0].shape for x in results)
    return {"result": torch.stack(results) if stackable else results[0]}


def is_whole(result) -> bool:
    return torch.is_tensor(result) and not result.dtype.is_floating_point and (
        result.dtype != torch.bool)


def as_floats(result, query):
    """Indices in the query's dtype, in which results are compared; anything else as it is."""
    return result.to(query.dtype) if is_whole(result) else result


def ones_if_whole(function, query, gallery, k):
    result = function(query, gallery, k)
    return {"result": torch.full(result.shape, float(is_whole(result)))}


def rows_of(numbers, rows, columns, seed):
    """Values of both signs, in rows of different lengths."""
    longer = 0.25 + 2 * numbers(rows, 1, seed=seed + 1)
    return longer * (2 * numbers(rows, columns, seed=seed) - 0.875)


def gallery_with(places, rows, columns, k, seed):
    """A query that stands in the gallery at these places, or nowhere."""
    def inputs(numbers):
        gallery = rows_of(numbers, rows, columns, seed)
        query = rows_of(numbers, 3, columns, seed + 2)[0]
        for place in places:
            gallery[place] = query
        return {"query": query, "gallery": gallery, "k": k}
    return inputs


def gallery_of_all(places, rows, columns, seed, far=-1):
    """All other rows are wanted. Two of them, 1 and 6, are equal, and one is far off; no value is
    exact in any float, so that to add what was subtracted does not bring it back."""
    def inputs(numbers):
        given = gallery_with(places, rows, columns, rows - len(places), seed)(numbers)
        given["gallery"][TWINS[1]] = given["gallery"][TWINS[0]]
        given["gallery"][far] *= 2 ** 17
        return {"query": given["query"] / 7, "gallery": given["gallery"] / 7, "k": given["k"]}
    return inputs


def hardly_apart(places, rows, columns, k, seed):
    """Two rows, 1 and 5, that differ from the query by 2^-14 and 2^-12, in one column; row 2 has
    the query's values, in the opposite order."""
    def inputs(numbers):
        given = gallery_with(places, rows, columns, k, seed)(numbers)
        given["query"].copy_(numbers(columns, seed=seed + 3) - 0.5)
        given["gallery"][[1, 5, *places]] = given["query"]
        given["gallery"][2] = given["query"].flip(0)
        given["gallery"][1, 1] += 2 ** -12
        given["gallery"][5, 0] -= 2 ** -14
        return given
    return inputs


def far_from_zero(rows, columns, k, seed, distance=4):
    """Long rows far from 0, which differ in a few columns most: a distance that is computed from
    products, as torch.cdist does with more than 25 rows, is not 0 from a row to itself."""
    def inputs(numbers):
        gallery = distance + numbers(rows, columns, seed=seed) / 7  # sevenths: exact in no float
        gallery[:, :3] += 8 * (numbers(rows, 3, seed=seed + 1) - 0.5)
        return {"gallery": gallery, "k": k}
    return inputs


TWINS = (1, 6)
FIRST, ABSENT = "a query in the gallery", "a query that is not in it"
ONE = ("one neighbour", "one neighbour of a query that is not in it")
ALL = ("all rows but three that are the query", "all rows where none is the query")
TWICE = "one that stands in it twice, at both ends"
CLOSE = ("rows hardly apart", "rows hardly apart, none of them the query")
EACH = "every row of a large gallery"


def own_place(observed, inputs):
    """In a large gallery some rows find themselves, in a small one none does."""
    results = {name: outcome.outputs.get("result") for name, outcome in observed.outcomes.items()}
    if any(isinstance(x, Odd) and x.kind == "list" for x in results.values()):
        return ("list instead of a tensor",)
    if any(isinstance(x, Odd) and x.kind in ("torch.topk", "torch.sort") for x in results.values()):
        return ("values and indices returned",)
    each, first = (results.get(name) for name in (EACH, FIRST))
    rows = len(inputs[EACH]["gallery"])
    if not all(map(torch.is_tensor, (each, first))) or (
            each.shape != (rows, inputs[EACH]["k"])):
        return ()
    itself = each[:, 0] == torch.arange(rows)
    often = itself.double().mean() > 1 / 6  # by chance one or two of 28
    return ("distance to itself not quite 0",) if often and not (first == PLACE).any() else ()


PLACE = 6
NEAREST = Exercise(
    name="nearest_neighbors", notebook="02_feature_space", parameters=("query", "gallery", "k"),
    recognise=own_place,
    cases=(
        Case(FIRST, gallery_with((PLACE,), 13, 5, 4, 201), found),
        Case(ABSENT, gallery_with((), 11, 4, 5, 211), found),
        Case(TWICE, gallery_of_all((0, -1), 12, 6, 221, far=7), found_beside_twins),
        Case(ONE[0], gallery_with((4,), 9, 4, 1, 261), found),
        Case(ONE[1], gallery_with((), 8, 5, 1, 265), found),
        Case(ALL[0], gallery_of_all((2, 4, 5), 11, 5, 231), found_beside_twins),
        Case(ALL[1], gallery_of_all((), 9, 4, 235), found_beside_twins),
        Case(CLOSE[0], hardly_apart((3,), 10, 3, 4, 242), found),
        Case(CLOSE[1], hardly_apart((), 9, 4, 3, 247), found),
        Case(EACH, far_from_zero(28, 192, 2, 251), found_of_each),
    ),
    traps=(
        Trap("indices not whole numbers", FIRST, call=ones_if_whole, expect=torch.ones_like,
             unless=("distances returned", "rows returned")),
        Trap(NOTE, FIRST, dtype=torch.float64),
    ),
    notes=NOTES,
    mistakes={
        "parameters in another order":
            "The parameters stand in another order than in the notebook: "
            "nearest_neighbors(query, gallery, k).",
        "list instead of a tensor":
            "A list comes back. Return a tensor of indices, torch.tensor(your_list).",
        "values and indices returned":
            "topk and sort return two things, values and indices. Return .indices alone.",
        "dot product instead of the distance":
            "The inner product was compared, in which long rows win. Take the Euclidean distance, "
            "(gallery - query).norm(dim=1).",
        "cosine instead of the distance":
            "The angle was compared: lengths were divided away. Take the Euclidean distance, "
            "(gallery - query).norm(dim=1).",
        "Manhattan distance":
            "Absolute differences were added up. The Euclidean distance adds up their squares: "
            "(gallery - query).norm(dim=1).",
        "largest difference alone":
            "The largest difference was compared. The Euclidean distance adds up the squares of "
            "all: (gallery - query).norm(dim=1).",
        "differences with their signs":
            "Differences were added up with their signs, so that they cancel. Square them first: "
            "(gallery - query).norm(dim=1).",
        "another norm":
            "Another power of the differences was added up. The Euclidean distance adds up their "
            "squares: (gallery - query).norm(dim=1).",
        "lengths compared":
            "The rows' lengths were compared, which says nothing of their direction. Take the "
            "length of the difference: (gallery - query).norm(dim=1).",
        "features scaled first":
            "The columns were scaled before. Compare the features as they are.",
        "farthest instead of nearest":
            "The rows that come back are the farthest. The smallest distance is the nearest: "
            "argsort() begins with it, topk needs largest=False.",
        "similarity sorted the wrong way":
            "A product or a cosine is large where rows are alike, so the least similar rows come "
            "back. The exercise asks for the smallest Euclidean distance.",
        "query included":
            "The query itself is among its neighbours. Leave out the rows that equal it.",
        "first always left out":
            "The first of the order is left out, whether it is the query or not. Leave out what "
            "equals the query, and nothing where it is not in the gallery.",
        "only one of equals left out":
            "The query stands in the gallery more than once, and only one of these rows is left "
            "out. Leave out all that equal it.",
        "left out after k + 1 were taken":
            "k + 1 rows were taken and the query dropped from them: where it stands twice, k - 1 "
            "are left. Leave the query out first, then take k.",
        "fails where the query is not there":
            "The query need not be in the gallery: then nothing is left out. Compare all rows "
            "with it, (gallery == query).all(dim=1), which may be true of none.",
        "query left out only at the first place":
            "The query is left out only where it is the gallery's first row. Look for it wherever "
            "it stands.",
        "distance to itself not quite 0":
            "In a large gallery a row is not left out though it is the query: a distance that is "
            "computed from products, as torch.cdist does with more than 25 rows, is not exactly 0 "
            "there. Compare the rows, (gallery == query).all(dim=1), or take (gallery - query)"
            ".norm(dim=1).",
        "near rows left out":
            "A row that is near to the query, but not equal, is left out. A threshold or rounding "
            "hides the best neighbours: leave out only what is equal, (gallery == query)"
            ".all(dim=1).",
        "not pushed far enough":
            "The query's own distance was set to a number that another row reaches or exceeds, so "
            "that it comes before it. Set it to infinity, torch.inf.",
        "equal rows taken for one":
            "Two rows of the gallery are equal, and one of them is missing or comes twice: a place "
            "was looked up by its distance. argsort() gives the places themselves.",
        "compared by less than all values":
            "A row is left out because one value, its length or its sum is the query's, and the "
            "others are not. Leave out rows that are equal in all: (gallery == query).all(dim=1).",
        "distances from the first row":
            "The distances are taken from a row of the gallery, and not from the query.",
        "no axis where k is 1":
            "Where k is 1, a single number comes back. Return a tensor of one place, of shape "
            "(1,): squeeze() takes away every axis of length 1.",
        "places in a shorter gallery":
            "The places are counted in a gallery from which rows were taken out: those behind are "
            "too small. Set the query's own distance to infinity instead, or keep the places of "
            "the rows that are left.",
        "one neighbour too many": "There are k + 1 neighbours. Return k.",
        "one neighbour too few": "There are k - 1 neighbours. Return k.",
        "all rows in order": "All rows come back in their order. Return the first k.",
        "the last of them alone": "Only the k-th neighbour comes back. Return all k of them.",
        "nearest last":
            "The right rows in the opposite order: the nearest comes first.",
        "places sorted":
            "The right rows, but sorted by their places. Leave them in the order of the distance.",
        "places counted from 1":
            "The places are one too large: they are counted from 0.",
        "distances returned":
            "The distances come back. Return the places of the rows: argsort() gives them, of topk "
            "it is .indices.",
        "rows returned":
            "The rows themselves come back. Return their places in the gallery.",
        "ranks returned":
            "What comes back is the rank of each of the first k rows. Sort once: "
            "distances.argsort()[:k] has the places of the nearest rows.",
        "summed over the rows":
            "The sum ran over the rows, so that there is one number for each column. Sum over the "
            "columns, dim=1: one distance for each row.",
        "indices not whole numbers":
            "The places come back as floats. Return whole numbers, with which a tensor can be "
            "indexed: .long() makes them.",
    },
    errors={
        "list instead of a tensor": re.compile(r"'list' object has no attribute 'shape'"),
        "fails where the query is not there": re.compile(
            r"index (0|-1) is out of bounds for (dimension|axis) 0 with size 0|is not in list|"
            r"list index out of range|a Tensor with 0 elements cannot be converted"),
    },
    row={
        "signature": "nearest_neighbors(query, gallery, k)",
        "shapes": "query (D,), gallery (M, D), k a whole number → (k,) of whole numbers (long)",
        "gives": "the places of rows of gallery; both inputs stay as they were",
        "formula": "the k rows with the smallest Euclidean distance to query, nearest first, "
                   "without those that equal query",
        "defaults": "none",
        "units": "rows that are equal may come in any order; a threshold up to 1e-5 for `equal` is "
                 "right",
    })
