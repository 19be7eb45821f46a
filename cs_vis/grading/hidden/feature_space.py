"""The graded cells of notebook 02, in the order of the notebook.

Sizes and values differ from the visible check's: who recognises those wins nothing here.
"""

import math

import torch
from scipy.optimize import linear_sum_assignment

from cs_vis.checks.feature_space import LAYOUT, NEAREST, PCA
from cs_vis.checks.feature_space.layout import scattered
from cs_vis.checks.feature_space.nearest import (
    ALL, CLOSE, EACH, FIRST, TWICE, TWINS, far_from_zero, gallery_of_all, gallery_with,
    hardly_apart)
from cs_vis.checks.feature_space.principal import COMPONENTS, POINTS, VARIANCES, cloud
from cs_vis.checks.fixtures import drawn
from cs_vis.grading.hidden import Cell, Visible, off_by, until
from cs_vis.grading.hidden.class_visualization import whole
from cs_vis.reference import feature_space as reference

NEAR = 1e-4  # of the length of what is right: all is float32, as in the notebook


def fitting(generator, inputs, fits):
    """What `inputs` draws, anew until it fits: no order may be a matter of rounding."""
    return until(lambda: inputs(drawn(generator)), fits)


def judge_near(name, words, flag=None, otherwise=None):
    """Is this output right, and is the flag beside it set?"""
    def judge(trials):
        if not all(off_by(out.get(name), right[name]) < NEAR for _, right, out in trials):
            return words
        return None if flag is None or all(out[flag] for _, _, out in trials) else otherwise
    return judge


# --- nearest_neighbors

def well_apart(inputs, least=1e-3) -> bool:
    """Are the squared distances of neighbours apart, from each row where no query is given?"""
    for query in [inputs["query"]] if "query" in inputs else inputs["gallery"]:
        square = (inputs["gallery"] - query).square().sum(dim=1)
        order = square[square > 0].unique()[:inputs["k"] + 1]  # unique: two may be equal
        if (order.diff() < least).any():
            return False
    return True


def another_is_nearest(inputs) -> bool:
    """Is the nearest none of the equal rows, all of which are neighbours?"""
    return reference.nearest_neighbors(**inputs)[0] not in TWINS


def other_order_is_near(inputs) -> bool:
    """Is the row of the query's values in the opposite order among the neighbours?"""
    return 2 in reference.nearest_neighbors(**inputs)


def every_column_counts(inputs) -> bool:
    """Do the neighbours change, whichever column is left out?"""
    def neighbours(columns):
        return reference.nearest_neighbors(inputs["query"][columns], inputs["gallery"][:, columns],
                                           inputs["k"]).tolist()
    every = range(len(inputs["query"]))
    return all(neighbours([i for i in every if i != j]) != neighbours([*every]) for j in every)


def fits_close(inputs) -> bool:
    return well_apart(inputs, 1e-8) and other_order_is_near(inputs)


def fits_all(inputs) -> bool:
    return well_apart(inputs) and another_is_nearest(inputs)


def neighbors_fit(case, inputs) -> bool:
    if case.name in (*CLOSE, *ALL, TWICE):
        return fits_close(inputs) if case.name in CLOSE else fits_all(inputs)
    return well_apart(inputs, 1e-2 if case.name == EACH else 1e-3)


def present(generator):
    """At any place, twice, thrice, one neighbour, all, hardly apart, and every row of a gallery so
    large that cdist computes by products."""
    place, other = whole(generator, 1, 7), whole(generator, 8, 14)
    return [fitting(generator, gallery_with((place,), 14, 6, 5, 0), well_apart),
            fitting(generator, gallery_with((other, place), 15, 4, 6, 0), well_apart),
            fitting(generator, gallery_with((0,), 8, 5, 1, 0), well_apart),
            fitting(generator, gallery_of_all((0, 3, other), 16, 4, 0), fits_all),
            fitting(generator, hardly_apart((place + 6,), 15, 5, 4, 0), fits_close),
            fitting(generator, far_from_zero(30, 160, 3, 0),
                    lambda inputs: well_apart(inputs, 1e-2))]


def absent(generator):
    return [fitting(generator, gallery_with((), 16, 6, 6, 0),
                    lambda inputs: well_apart(inputs) and every_column_counts(inputs)),
            fitting(generator, gallery_with((), 9, 7, 1, 0), well_apart),
            fitting(generator, gallery_of_all((), 12, 5, 0), fits_all),
            fitting(generator, hardly_apart((), 12, 5, 4, 0), fits_close)]


neighbors_check = Visible(NEAREST, fits=neighbors_fit)
in_gallery = Cell(NEAREST, reference.nearest_neighbors,
                  (FIRST, FIRST, FIRST, ALL[0], CLOSE[0], EACH),
                  "queries in the gallery: at any place, up to three times, and each row of a "
                  "large one", present,
                  judge_near("result", "with a query in the gallery, the neighbours are not the "
                             "nearest in their order"), torch.float32)
not_in_gallery = Cell(NEAREST, reference.nearest_neighbors, (FIRST, FIRST, ALL[1], CLOSE[1]),
                      "four queries that are not in the gallery: nothing is left out", absent,
                      judge_near("result", "with a query that is not in the gallery, the "
                                 "neighbours are not the nearest in their order"), torch.float32)


# --- pca

def tells_apart(inputs) -> bool:
    """Are the directions no matter of rounding, nor the entry by which each is turned?"""
    features, k = inputs["features"], inputs["k"]
    centred = features - features.mean(dim=0)
    left, singular, right = torch.linalg.svd(centred, full_matrices=False)
    spread = singular[:k + 1]
    if (spread[1:] > 0.9 * spread[:-1]).any() or spread[k - 1] < 0.1:
        return False
    largest = [x.abs().topk(2, dim=0).values for x in (right[:k].T, (left * singular)[:, :k])]
    return all((second < 0.95 * first).all() for first, second in largest)


RULES = {  # other signs that a component may be given, of the component and its points
    "its first entry": lambda c, p: c[0], "its last entry": lambda c, p: c[-1],
    "its sum": lambda c, p: c.sum(), "its first point": lambda c, p: p[0],
    "its largest point": lambda c, p: p[p.abs().argmax()],
    "its points' sum of cubes": lambda c, p: (p ** 3).sum()}


def tells_rules_apart(clouds) -> bool:
    """Is there, for each other rule, a component that it turns the other way?"""
    pairs = [(c, p) for given in clouds
             for points, components, _ in [reference.pca(**given)]
             for c, p in zip(components, points.T)]
    return all(any(rule(c, p) < 0 for c, p in pairs) for rule in RULES.values())


def unsorted_by_eig(inputs) -> bool:
    """Does eig, which sorts nothing, give other variances first than the largest?"""
    values = torch.linalg.eigvals(torch.cov(inputs["features"].T)).real
    return bool((values[:inputs["k"]].diff() > 0).any())


def clouds(generator):
    return until(lambda: [fitting(generator, cloud(rows, columns, k, 0),
                                  lambda inputs: tells_apart(inputs) and unsorted_by_eig(inputs))
                          for rows, columns, k in ((12, 4, 2), (7, 13, 4), (15, 6, 3))],
                 tells_rules_apart)


DIFFERS = "on fresh features, the {} differs from the definition's".format
pca_check = Visible(PCA, fits=lambda case, inputs: tells_apart(inputs))
points = Cell(PCA, reference.pca, PCA.cases[0].name,
              "the points of three fresh clouds, of the sign that goes with the components", clouds,
              judge_near(POINTS, DIFFERS(POINTS), "agree",
                         "on fresh features, points and components differ in sign"),
              torch.float32)
components = Cell(PCA, reference.pca, PCA.cases[0].name,
                  "the components of three fresh clouds, with their signs", clouds,
                  judge_near(COMPONENTS, DIFFERS(COMPONENTS), "by the rule",
                             "on fresh features, the components are not turned by their largest "
                             "entries"), torch.float32)
variances = Cell(PCA, reference.pca, PCA.cases[0].name, "the variances of three fresh clouds",
                 clouds, judge_near(VARIANCES, DIFFERS(VARIANCES)), torch.float32)


# --- grid_layout

def scaled(points):
    return (points - points.amin(dim=0)) / (points.amax(dim=0) - points.amin(dim=0))


OTHER_SCALES = (lambda points: points, lambda points: points / points.std(dim=0),
                lambda points: points / points.amax(dim=0).abs(),
                lambda points: points.argsort(dim=0).argsort(dim=0).double(),
                lambda points: scaled(points) * torch.tensor([1.2, 1.0]),
                lambda points: scaled(points) * torch.tensor([1.0, 1.2]))


def costs_of(points, scale=scaled, power=2):
    """(cells, points), the cells row by row."""
    n = math.isqrt(len(points))
    ticks = torch.linspace(0, 1, n, dtype=points.dtype)
    cells = torch.stack([ticks.repeat(n), ticks.repeat_interleave(n)], dim=1)
    return torch.cdist(cells, scale(points)).pow(power).numpy()


def one_way_is_best(inputs, least=1e-4) -> bool:
    """Is the best way to fill the cells better than the second by more than float32 rounds?"""
    costs = costs_of(inputs["points"])
    best = linear_sum_assignment(costs)
    for pair in zip(*best):
        barred = costs.copy()
        barred[pair] = 100
        if barred[linear_sum_assignment(barred)].sum() < costs[best].sum() + least:
            return False
    return True


def tells_ways_apart(inputs) -> bool:
    """Do other scales, and distances that are not squared, lead to another picture?"""
    points = inputs["points"]
    best = linear_sum_assignment(costs_of(points))[1]
    others = [costs_of(points, power=1), *(costs_of(points, scale) for scale in OTHER_SCALES)]
    return all((linear_sum_assignment(costs)[1] != best).any()
               for costs in others) and one_way_is_best(inputs)


def oblong(generator):
    return [fitting(generator, scattered(n, height, width, 0, spread, corner), tells_ways_apart)
            for n, height, width, spread, corner in (
                (5, 2, 3, (3.0, 50.0), (-9.0, 4.0)), (6, 3, 1, (70.0, 9.0), (2.0, -30.0)))]


def square(generator):
    return [fitting(generator, scattered(n, 3, 3, 0, (9.0, 12.0), (-5.0, 1.0)), one_way_is_best)
            for n in (2, 6)]


def judge_values(trials):
    """Is each image somewhere, once and unchanged?"""
    for given, right, out in trials:
        picture, images = out.get("result"), given["images"]
        if not torch.is_tensor(picture) or picture.shape != right["result"].shape:
            return "on fresh images, the picture has another shape than (1, 3, n · h, n · w)"
        height, width = images.shape[2:]
        cells = picture[0].unfold(1, height, height).unfold(2, width, width)
        cells = cells.permute(1, 2, 0, 3, 4).flatten(0, 1)  # (N, 3, h, w)
        alike = (cells[:, None] - images).abs().flatten(2).amax(dim=2) < 1e-6
        if not ((alike.sum(dim=0) == 1) & (alike.sum(dim=1) == 1)).all():
            return "on fresh images, not every image stands in one cell, once and unchanged"
    return None


grid_check = Visible(LAYOUT, fits=lambda case, inputs: one_way_is_best(inputs))
grid_places = Cell(LAYOUT, reference.grid_layout, LAYOUT.cases[0].name,
                   "two fresh clouds of 25 and 36, with images that are not square", oblong,
                   judge_near("result", "on fresh points, the picture differs from the "
                              "definition's"), torch.float32)
grid_values = Cell(LAYOUT, reference.grid_layout, LAYOUT.cases[0].name,
                   "two fresh clouds: each image appears once, unchanged", square, judge_values,
                   torch.float32)
