"""What students write for notebook 02: known mistakes, and right solutions that look different.

Their fingerprints are taken by `make goldens`, which runs them. Each exercise has its steps, so
mistakes are put together from factors, one or two at once.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA as SklearnPCA
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.neighbors import NearestNeighbors
from torchvision.utils import make_grid

from cs_vis.grading.mistakes import collection, products

EXERCISES = ("nearest_neighbors", "pca", "grid_layout")
MISTAKES, ALTERNATIVES, mistake, alternative = collection(*EXERCISES)
NEAREST, PCA, LAYOUT = EXERCISES


def put_together(exercise, build, *factors, apart=lambda names: False):
    """Every slip in all its forms, and every two of them in their first forms but those `apart`."""
    for names, entries in products(*factors, at_most=1):
        mistake(exercise, *names)(build(*entries))
    first = [{name: entry for name, entry in factor.items() if not name.endswith(" ")}
             for factor in factors]
    for names, entries in products(*first, at_most=2):
        if len(names) == 2 and not apart(set(names)):
            mistake(exercise, *names)(build(*entries))


# --- nearest_neighbors: mistakes

MEASURES = {  # of the query (D,) and the gallery (M, D): what is smallest for the nearest
    "": lambda q, g: (g - q).norm(dim=1),
    "dot product instead of the distance": lambda q, g: -(g @ q),
    "cosine instead of the distance": lambda q, g: -F.cosine_similarity(g, q[None]),
    "cosine instead of the distance ":
        lambda q, g: (F.normalize(g, dim=1) - F.normalize(q, dim=0)).norm(dim=1),
    "distances from the first row ": lambda q, g: (g - g[0]).norm(dim=1),
    "Manhattan distance": lambda q, g: (g - q).abs().sum(dim=1),
    "largest difference alone": lambda q, g: (g - q).abs().amax(dim=1),
    "differences with their signs": lambda q, g: (g - q).sum(dim=1).abs(),
    "differences with their signs ": lambda q, g: (g - q).sum(dim=1),
    "another norm": lambda q, g: (g - q).norm(p=3, dim=1),
    "another norm ": lambda q, g: (g - q).norm(p=4, dim=1),
    "another norm  ": lambda q, g: (g - q).abs().sqrt().sum(dim=1),
    "lengths compared": lambda q, g: (g.norm(dim=1) - q.norm()).abs(),
    "lengths compared ": lambda q, g: g.norm(dim=1),
    "features scaled first": lambda q, g: ((g - q) / g.std(dim=0)).norm(dim=1),
    "features scaled first ": lambda q, g: ((g - q) / (g.amax(0) - g.amin(0))).norm(dim=1),
    "farthest instead of nearest": lambda q, g: -(g - q).norm(dim=1),
    "similarity sorted the wrong way": lambda q, g: F.cosine_similarity(g, q[None]),
    "similarity sorted the wrong way ": lambda q, g: g @ q,
}


def same(q, g):
    return (g == q).all(dim=1)


def in_order(distances, out):
    """The places of the rows that are not out, in the order of the distance."""
    order = distances.argsort()
    return order[~out[order]]


def first_of_equals(q, g):
    """Of the rows that equal the query the first alone."""
    out = same(q, g)
    return out & (out.cumsum(dim=0) == 1)


def last_of_equals(q, g):
    return first_of_equals(q, g.flip(0)).flip(0)


def looked_up(order, d):
    """The place of each of these distances: of equal ones the first."""
    return torch.tensor([d.tolist().index(distance) for distance in d[order].tolist()])


def dropped(order, d, last=False):
    """Of places of equal distance the first, or the last, as where a dict is keyed by it."""
    places = {}
    for place in sorted(order.tolist(), reverse=not last):
        places[d[place].item()] = place
    return torch.tensor([places[distance] for distance in sorted(places)])


LEFT_OUT = {  # of the distances, query and gallery: all places in order, without the query
    "": lambda d, q, g: in_order(d, same(q, g)),
    "query included": lambda d, q, g: d.argsort(),
    "first always left out": lambda d, q, g: d.argsort()[1:],
    "only one of equals left out": lambda d, q, g: in_order(d, first_of_equals(q, g)),
    "only one of equals left out ": lambda d, q, g: in_order(d, last_of_equals(q, g)),
    "query left out only at the first place":
        lambda d, q, g: in_order(d, same(q, g) & (torch.arange(len(g)) == 0)),
    "near rows left out": lambda d, q, g: in_order(d, (g - q).norm(dim=1) < 1e-4),
    "near rows left out ": lambda d, q, g: in_order(d, (g - q).norm(dim=1) < 1e-2),
    "compared by less than all values": lambda d, q, g: in_order(d, (g == q).any(dim=1)),
    "compared by less than all values ": lambda d, q, g: in_order(d, g.norm(dim=1) == q.norm()),
    "compared by less than all values  ": lambda d, q, g: in_order(d, g.sum(dim=1) == q.sum()),
    "compared by less than all values   ": lambda d, q, g: in_order(d, g[:, 0] == q[0]),
    "not pushed far enough": lambda d, q, g: d.masked_fill(same(q, g), 1000).argsort(),
    "not pushed far enough ": lambda d, q, g: d.masked_fill(same(q, g), 10).argsort(),
    "not pushed far enough  ": lambda d, q, g: d.masked_fill(same(q, g), d.max()).argsort(),
    "equal rows taken for one": lambda d, q, g: looked_up(in_order(d, same(q, g)), d),
    "equal rows taken for one ": lambda d, q, g: dropped(in_order(d, same(q, g)), d),
    "equal rows taken for one  ": lambda d, q, g: dropped(in_order(d, same(q, g)), d, last=True),
    "places in a shorter gallery": lambda d, q, g: d[~same(q, g)].argsort(),
}
PICKS = {  # of the places in order, distances, gallery, k
    "": lambda order, d, g, k: order[:k],
    "one neighbour too many": lambda order, d, g, k: order[:k + 1],
    "one neighbour too few": lambda order, d, g, k: order[:k - 1],
    "all rows in order": lambda order, d, g, k: order,
    "no axis where k is 1": lambda order, d, g, k: order[:k].squeeze(),
    "the last of them alone": lambda order, d, g, k: order[k - 1:k],
    "nearest last": lambda order, d, g, k: order[:k].flip(0),
    "places sorted": lambda order, d, g, k: order[:k].sort().values,
    "places counted from 1": lambda order, d, g, k: order[:k] + 1,
    "distances returned": lambda order, d, g, k: d[order[:k]],
    "rows returned": lambda order, d, g, k: g[order[:k]],
}


def neighbors_by(measure=MEASURES[""], left_out=LEFT_OUT[""], pick=PICKS[""]):
    """nearest_neighbors put together from its factors."""
    def nearest_neighbors(query, gallery, k):
        distances = measure(query, gallery)
        return pick(left_out(distances, query, gallery), distances, gallery, k)
    return nearest_neighbors


BACKWARDS = {"farthest instead of nearest", "similarity sorted the wrong way"}
# Where the query comes last, it does not show whether it is left out.
LATER = {*LEFT_OUT} - {"", "first always left out", "places in a shorter gallery"}
put_together(NEAREST, neighbors_by, MEASURES, LEFT_OUT, PICKS,
             apart=lambda names: names & BACKWARDS and names & LATER or "rows returned" in names
             or "not pushed far enough" in names and names & {*MEASURES})


@mistake(NEAREST, "distance to itself not quite 0")
def zero_of_cdist(query, gallery, k):
    distances = torch.cdist(query[None], gallery)[0]
    return in_order(distances, distances == 0)[:k]


@mistake(NEAREST, "distance to itself not quite 0")
def zero_of_products(query, gallery, k):
    """As cdist computes large galleries, here small ones as well."""
    distances = torch.cdist(query[None], gallery, compute_mode="use_mm_for_euclid_dist")[0]
    return distances.masked_fill(distances == 0, math.inf).argsort()[:k]


@mistake(NEAREST, "distance to itself not quite 0")
def small_distance_by_products(query, gallery, k):
    square = gallery.square().sum(dim=1) - 2 * gallery @ query + query.square().sum()
    return in_order(square, square < 1e-12)[:k]


@mistake(NEAREST, "ranks returned")
def ranks(query, gallery, k):
    distances = (gallery - query).norm(dim=1).masked_fill(same(query, gallery), math.inf)
    return distances.argsort().argsort()[:k]


@mistake(NEAREST, "summed over the rows")
def one_distance_for_each_column(query, gallery, k):
    return (gallery - query).norm(dim=0).argsort()[:k]


@mistake(NEAREST, "first always left out")
def first_row_left_out(query, gallery, k):
    """topk of one more, and the first dropped."""
    return (gallery - query).square().sum(dim=1).topk(k + 1, largest=False).indices[1:]


@mistake(NEAREST, "left out after k + 1 were taken")
def one_more_and_filtered(query, gallery, k):
    found = (gallery - query).norm(dim=1).topk(k + 1, largest=False)
    return found.indices[found.values > 0][:k]


@mistake(NEAREST, "fails where the query is not there")
def place_looked_up(query, gallery, k):
    distances = (gallery - query).norm(dim=1)
    place = torch.where(same(query, gallery))[0][0]
    order = distances.argsort()
    return order[(order != place) & (distances[order] > 0)][:k]


@mistake(NEAREST, "list instead of a tensor")
def as_list(query, gallery, k):
    return neighbors_by()(query, gallery, k).tolist()


@mistake(NEAREST, "values and indices returned")
def topk_as_it_is(query, gallery, k):
    distances = (gallery - query).norm(dim=1).masked_fill(same(query, gallery), math.inf)
    return distances.topk(k, largest=False)


@mistake(NEAREST, "indices not whole numbers")
def filled_into_zeros(query, gallery, k):
    result = torch.zeros(k)
    result[:] = neighbors_by()(query, gallery, k)
    return result


@mistake(NEAREST, "parameters in another order")
def gallery_first(gallery, query, k):
    distances = torch.stack([(row - query).norm() for row in gallery])
    return in_order(distances, same(query, gallery))[:k]


def infinite(query, gallery):
    return (gallery - query).norm(dim=1).masked_fill(same(query, gallery), math.inf)


for name in ("differences with their signs", "lengths compared"):  # 0 for other rows as well
    mistake(NEAREST, name)(
        neighbors_by(MEASURES[name], lambda d, q, g: d.masked_fill(d == 0, math.inf).argsort()))
mistake(NEAREST, "farthest instead of nearest")(
    lambda query, gallery, k: infinite(query, gallery).argsort(descending=True)[:k])
mistake(NEAREST, "farthest instead of nearest")(
    lambda query, gallery, k: infinite(query, gallery).topk(k).indices)
mistake(NEAREST, "all rows in order")(
    lambda query, gallery, k: infinite(query, gallery).argsort())
mistake(NEAREST, "one neighbour too many")(
    lambda query, gallery, k: infinite(query, gallery).argsort()[:k + 1])


@mistake(NEAREST, "input changed")
def moved_and_back(query, gallery, k):
    """What is added does not take back what was subtracted, to the last bit."""
    gallery -= query
    distances = gallery.norm(dim=1)
    gallery += query
    return distances.masked_fill(distances == 0, math.inf).argsort()[:k]


@mistake(NEAREST, "input changed")
def moved_away(query, gallery, k):
    gallery[same(query, gallery)] = math.inf
    return (gallery - query).norm(dim=1).argsort()[:k]


# --- nearest_neighbors: right

@alternative(NEAREST, "loops, squares and sorted()")
def sorted_pairs(query, gallery, k):
    pairs = [(float(((row - query) ** 2).sum()), i) for i, row in enumerate(gallery)]
    return torch.tensor([i for square, i in sorted(pairs) if square > 0][:k])


@alternative(NEAREST, "the mean of squares, topk, infinity for the query")
def topk_of_means(query, gallery, k):
    square = (gallery - query).pow(2).mean(dim=1)
    square[square == 0] = float("inf")
    return square.topk(k, largest=False).indices


@alternative(NEAREST, "cdist for the order, and the rows compared")
def cdist_and_rows(query, gallery, k):
    distances = torch.cdist(query[None], gallery).squeeze(0)
    return in_order(distances, same(query, gallery))[:k]


@alternative(NEAREST, "cdist without products")
def cdist_exact(query, gallery, k):
    distances = torch.cdist(query[None], gallery,
                            compute_mode="donot_use_mm_for_euclid_dist")[0]
    return torch.sort(distances[None], stable=True).indices[0][int((distances == 0).sum()):][:k]


@alternative(NEAREST, "SciPy's cdist")
def in_scipy(query, gallery, k):
    q, g = query.detach().cpu().numpy(), gallery.detach().cpu().numpy()
    distances = cdist(q[None], g)[0]
    order = np.argsort(distances)
    return torch.from_numpy(order[distances[order] > 0][:k].copy()).to(gallery.device)


@alternative(NEAREST, "scikit-learn's NearestNeighbors")
def in_sklearn(query, gallery, k):
    rows = gallery.detach().cpu().double().numpy()
    search = NearestNeighbors(n_neighbors=len(rows), algorithm="kd_tree").fit(rows)
    distances, order = search.kneighbors(query.detach().cpu().double().numpy()[None])
    return torch.as_tensor(order[0][distances[0] > 0][:k], device=gallery.device)


@alternative(NEAREST, "distances by products in float64, the equal rows compared")
def euclidean(query, gallery, k):
    keep = torch.nonzero((gallery != query).any(dim=1)).flatten()
    distances = euclidean_distances(query[None].double().cpu(), gallery[keep].double().cpu())[0]
    return keep[torch.from_numpy(distances).argsort()[:k].to(keep.device)]


@alternative(NEAREST, "rows that torch.allclose takes for equal")
def allclose(query, gallery, k):
    distances = torch.linalg.vector_norm(query - gallery, dim=-1)
    return torch.tensor([i for i in distances.argsort().tolist()
                         if not torch.allclose(gallery[i], query)][:k])


@alternative(NEAREST, "a threshold of 1e-5")
def threshold(query, gallery, k):
    distances = (gallery - query).norm(dim=1)
    return torch.where(distances < 1e-5, torch.inf, distances).argsort()[:k]


@alternative(NEAREST, "places of 32 bits")
def short(query, gallery, k):
    return neighbors_by()(query, gallery, k).int()


@alternative(NEAREST, "other parameter names, with a note")
def renamed(a, b, n):
    return neighbors_by()(a, b, n)


@alternative(NEAREST, "float32 alone, with a note")
def float_ones(query, gallery, k):
    return in_order(torch.mv((gallery - query).square(), torch.ones(len(query))),
                    same(query, gallery))[:k]


# --- pca: mistakes

CENTRES = {  # of features: what the SVD gets
    "": lambda x: x - x.mean(dim=0),
    "not centred": lambda x: x,
    "centred by rows": lambda x: x - x.mean(dim=1, keepdim=True),
    "centred by one number": lambda x: x - x.mean(),
    "columns standardised": lambda x: (x - x.mean(dim=0)) / x.std(dim=0),
    "columns standardised ": lambda x: (x - x.mean(dim=0)) / x.std(dim=0, correction=0),
    "columns standardised  ": lambda x: (x - x.mean(dim=0)) / x.var(dim=0),
    "columns standardised   ": lambda x: (x - x.mean(dim=0)) / (x.amax(dim=0) - x.amin(dim=0)),
    "divided by one number": lambda x: (x - x.mean(dim=0)) / x.std(),
    "divided by one number ": lambda x: (x - x.mean(dim=0)) / x.abs().max(),
    "rows normalised ": lambda x: F.normalize(x - x.mean(dim=0), dim=1),
    "rows normalised": lambda x: F.normalize(x, dim=1) - F.normalize(x, dim=1).mean(dim=0),
}
ROWS = {  # of U, S, Vt, k: the components, of any sign
    "": lambda u, s, vt, k: vt[:k],
    "rows of V": lambda u, s, vt, k: vt.T[:k],
    "columns of U": lambda u, s, vt, k: u[:, :k].T,
    "smallest first": lambda u, s, vt, k: vt.flip(0)[:k],
    "smallest first ": lambda u, s, vt, k: vt[-k:],
    "largest last": lambda u, s, vt, k: vt[:k].flip(0),
    "components scaled": lambda u, s, vt, k: vt[:k] * s[:k, None],
    "components scaled ": lambda u, s, vt, k: vt[:k] / s[:k, None],
    "all directions returned": lambda u, s, vt, k: vt,
}
SIGNS = {  # of the components: the same, turned
    "": lambda c: c * c.gather(1, c.abs().argmax(dim=1, keepdim=True)).sign(),
    "component turned otherwise": lambda c: -SIGNS[""](c),
    "component turned otherwise ": lambda c: c * c.sum(dim=1, keepdim=True).sign(),
    "component turned otherwise  ": lambda c: c * c[:, :1].sign(),
}
POINTS = {  # of what the SVD got, the features, components, singular values: the points
    "": lambda x, features, c, s: x @ c.T,
    "points without singular values": lambda x, features, c, s: x @ c.T / s[:len(c)],
    "points divided by their spread": lambda x, features, c, s: x @ c.T / (x @ c.T).std(dim=0),
    "points divided by their spread ":
        lambda x, features, c, s: x @ c.T / (x @ c.T).std(dim=0, correction=0),
    "points stretched": lambda x, features, c, s: x @ c.T * s[:len(c)],
    "points not centred": lambda x, features, c, s: features @ c.T,
    "points as columns": lambda x, features, c, s: c @ x.T,
    "points turned otherwise": lambda x, features, c, s: -(x @ c.T),
    "reconstruction instead of points": lambda x, features, c, s: x @ c.T @ c,
    "reconstruction instead of points ":
        lambda x, features, c, s: x @ c.T @ c + features.mean(dim=0),
}
FORMS = {"": lambda c: c, "components as columns": lambda c: c.T}
VARIANCES = {  # of the singular values, (N, D), k
    "": lambda s, n, d, k: s[:k] ** 2 / (n - 1),
    "variances divided by N": lambda s, n, d, k: s[:k] ** 2 / n,
    "variances not divided": lambda s, n, d, k: s[:k] ** 2,
    "variances divided by another number": lambda s, n, d, k: s[:k] ** 2 / d,
    "variances divided by another number ": lambda s, n, d, k: s[:k] ** 2 / (d - 1),
    "variances divided by another number  ": lambda s, n, d, k: s[:k] ** 2 / (n - 2),
    "variances divided by another number   ": lambda s, n, d, k: s[:k] ** 2 / (len(s) - 1),
    "variances divided by another number    ": lambda s, n, d, k: s[:k] ** 2 / (n - k),
    "singular values not squared": lambda s, n, d, k: s[:k] / (n - 1),
    "singular values not squared ": lambda s, n, d, k: s[:k],
    "singular values not squared  ": lambda s, n, d, k: s[:k] / n,
    "standard deviations": lambda s, n, d, k: s[:k] / math.sqrt(n - 1),
    "standard deviations ": lambda s, n, d, k: s[:k] / math.sqrt(n),
    "shares instead of variances": lambda s, n, d, k: s[:k] ** 2 / (s ** 2).sum(),
    "shares instead of variances ": lambda s, n, d, k: s[:k] ** 2 / (s[:k] ** 2).sum(),
    "shares instead of variances  ": lambda s, n, d, k: s[:k] / s.sum(),
    "variances added up": lambda s, n, d, k: (s[:k] ** 2 / (n - 1)).cumsum(dim=0),
    "variances added up ": lambda s, n, d, k: (s ** 2 / (n - 1)).sum().expand(k),
    "all directions returned": lambda s, n, d, k: s ** 2 / (n - 1),
}


def pca_by(centre=CENTRES[""], rows=ROWS[""], sign=SIGNS[""], points=POINTS[""],
           variance=VARIANCES[""], form=FORMS[""]):
    """pca put together from its factors."""
    def pca(features, k):
        x = centre(features)
        u, s, vt = torch.linalg.svd(x, full_matrices=False)
        c = sign(rows(u, s, vt, k))
        found = c if c.shape[1] == x.shape[1] else sign(vt[:k])  # U has no place among columns
        return points(x, features, found, s), form(c), variance(s, *x.shape, k)
    return pca


def one_cause(names) -> bool:
    """Slips of which one hides the other, or that together are one."""
    shapes = {"points as columns", "reconstruction instead of points", "all directions returned",
              "columns of U", "components as columns"}
    return bool(shapes & names and names & {"component turned otherwise", "points turned otherwise"}
                or {"not centred", "points not centred"} == names
                or {"centred by rows", "smallest first"} == names)  # a sum of nothing


put_together(PCA, pca_by, CENTRES, ROWS, SIGNS, POINTS, VARIANCES, FORMS, apart=one_cause)


@mistake(PCA, "component turned otherwise")
def as_svd_leaves_them(features, k):
    return pca_by(sign=lambda c: c)(features, k)


@mistake(PCA, "component turned otherwise")
def turned_by_the_points(features, k):
    points, components, variances = pca_by()(features, k)
    signs = points.gather(0, points.abs().argmax(dim=0, keepdim=True)).sign()  # (1, k)
    return points * signs, components * signs.T, variances


@mistake(PCA, "points turned otherwise")
def components_turned_alone(features, k):
    u, s, vt = torch.linalg.svd(features - features.mean(dim=0), full_matrices=False)
    return u[:, :k] * s[:k], SIGNS[""](vt[:k]), s[:k] ** 2 / (len(features) - 1)


@mistake(PCA, "variances of the columns")
def of_the_columns(features, k):
    points, components, _ = pca_by()(features, k)
    return points, components, features.var(dim=0)[:k]


@mistake(PCA, "variances of the columns")
def of_all_columns(features, k):
    points, components, _ = pca_by()(features, k)
    return points, components, features.var(dim=0)


@mistake(PCA, "smallest first")
def eigh_as_it_comes(features, k):
    x = features - features.mean(dim=0)
    values, vectors = torch.linalg.eigh(x.T @ x / (len(x) - 1))
    components = SIGNS[""](vectors[:, :k].T)
    return x @ components.T, components, values[:k].clamp(min=0)


@mistake(PCA, "largest last")
def eigh_from_the_end(features, k):
    x = features - features.mean(dim=0)
    values, vectors = torch.linalg.eigh(x.T @ x / (len(x) - 1))
    components = SIGNS[""](vectors[:, -k:].T)
    return x @ components.T, components, values[-k:]


@mistake(PCA, "not three things")
def points_alone(features, k):
    return pca_by()(features, k)[0]


@mistake(PCA, "not three things")
def without_variances(features, k):
    return pca_by()(features, k)[:2]


for order in ((1, 0, 2), (0, 2, 1), (1, 2, 0), (2, 1, 0), (2, 0, 1)):
    mistake(PCA, "another order of the three")(
        lambda features, k, order=order: tuple(pca_by()(features, k)[i] for i in order))


@mistake(PCA, "random directions")
def lowrank(features, k):
    u, s, v = torch.pca_lowrank(features, q=k)
    components = SIGNS[""](v.T)
    return (features - features.mean(dim=0)) @ components.T, components, s ** 2 / (
        len(features) - 1)


@mistake(PCA, "parameters in another order")
def number_first(k, features):
    return pca_by()(features, k)


@mistake(PCA, "rows of V")
def rows_of_v(features, k):
    """Which fails where there are more columns than rows."""
    x = features - features.mean(dim=0)
    _, s, vt = torch.linalg.svd(x, full_matrices=False)
    components = SIGNS[""](vt[:, :k].T)
    return x @ components.T, components, s[:k] ** 2 / (len(x) - 1)


def rows_of_eigh(axis):
    """Turned round along this axis, for eigh returns the smallest first."""
    def pca(features, k):
        x = features - features.mean(dim=0)
        values, vectors = torch.linalg.eigh(torch.cov(x.T))
        components = SIGNS[""](vectors.flip(axis)[:k])
        return x @ components.T, components, values.flip(0)[:k]
    return pca


mistake(PCA, "rows of V")(rows_of_eigh(0))
mistake(PCA, "rows of V")(rows_of_eigh(1))


@mistake(PCA, "input changed")
def zeroed(features, k):
    found = pca_by()(features, k)
    features.zero_()
    return found


@mistake(PCA, "input changed")
def centred_in_place(features, k):
    features -= features.mean(dim=0)
    return pca_by(centre=lambda x: x)(features, k)


# --- pca: right

@alternative(PCA, "eigenvectors of the covariance")
def eigenvectors(features, k):
    values, vectors = torch.linalg.eigh(torch.cov(features.T))
    components = vectors.flip(1)[:, :k].T
    rows = torch.arange(k)
    components = components * components[rows, components.abs().argmax(1)].sign()[:, None]
    return (features - features.mean(0)) @ components.T, components, values.flip(0)[:k]


@alternative(PCA, "SVD of the covariance")
def svd_of_covariance(features, k):
    x = features - features.mean(dim=0, keepdim=True)
    components, variances, _ = torch.linalg.svd(x.T @ x / (x.shape[0] - 1))
    components = SIGNS[""](components[:, :k].T)
    return torch.einsum("nd,kd->nk", x, components), components, variances[:k]


@alternative(PCA, "scikit-learn's PCA")
def in_sklearn_pca(features, k):
    found = SklearnPCA(n_components=k).fit(features.cpu().numpy())
    parts = (found.transform(features.cpu().numpy()), found.components_, found.explained_variance_)
    return tuple(torch.from_numpy(part).to(features) for part in parts)


@alternative(PCA, "NumPy, U times S, both turned")
def in_numpy(features, k):
    x = features.cpu().numpy()
    u, s, vt = np.linalg.svd(x - x.mean(axis=0))
    points, components = u[:, :k] * s[:k], vt[:k]
    for i in range(k):
        if components[i, np.abs(components[i]).argmax()] < 0:
            components[i], points[:, i] = -components[i], -points[:, i]
    return [torch.from_numpy(part).to(features) for part in (points, components,
                                                             s[:k] ** 2 / (len(x) - 1))]


@alternative(PCA, "torch.svd, which returns V, and the variances of the points")
def old_svd(features, k):
    x = features.clone()
    x -= x.mean(0)
    u, s, v = torch.svd(x)
    turn = torch.stack([column[column.abs().argmax()].sign() for column in v[:, :k].T])
    points = x @ (v[:, :k] * turn)
    return points, (v[:, :k] * turn).T.contiguous(), points.var(dim=0)


@alternative(PCA, "pca_lowrank with all directions, of which the first are kept")
def lowrank_in_full(features, k):
    u, s, v = torch.pca_lowrank(features, q=min(features.shape), niter=4)
    components = SIGNS[""](v[:, :k].T)
    return (features - features.mean(dim=0)) @ components.T, components, (
        s[:k].square() / (features.shape[0] - 1))


@alternative(PCA, "float32 whatever comes, with a note")
def into_float(features, k):
    return tuple(part.float() for part in pca_by()(features.double(), k))


@alternative(PCA, "float64 whatever comes, with a note")
def into_double(features, k):
    return pca_by()(features.double(), k)


@alternative(PCA, "points filled one by one into float32, with a note")
def filled(features, k):
    (points, components, variances), result = pca_by()(features, k), torch.zeros(len(features), k)
    for i, row in enumerate(points):
        result[i] = row
    return result, components, variances


@alternative(PCA, "other parameter names, with a note")
def pca_renamed(x, n):
    return pca_by()(x, n)


# --- grid_layout: mistakes

def each_axis(p):
    return (p - p.amin(dim=0)) / (p.amax(dim=0) - p.amin(dim=0))


SCALES = {  # of the points
    "": each_axis,
    "axes not scaled one by one": lambda p: p,
    "axes not scaled one by one ": lambda p: p - p.amin(dim=0),
    "axes not scaled one by one  ": lambda p: (p - p.amin()) / (p.amax() - p.amin()),
    "axes not scaled one by one   ":
        lambda p: (p - p.amin(dim=0)) / (p.amax(dim=0) - p.amin(dim=0)).amax(),
    "axes in another proportion": lambda p: (p - p.mean(dim=0)) / p.std(dim=0),
    "axes in another proportion ": lambda p: 0.5 + (p - p.mean(dim=0)) / (2 * p.std(dim=0)),
    "axes not scaled one by one     ": lambda p: p / p.amax(dim=0),
    "axes not scaled one by one      ": lambda p: p / p.abs().amax(dim=0),
    "axes not scaled one by one       ": lambda p: p / p.amax(),
    "ranks instead of places": lambda p: p.argsort(dim=0).argsort(dim=0).to(p) / (len(p) - 1),
}
TURNS = {  # of the scaled points
    "": lambda p: p, "rows and columns exchanged": lambda p: p.flip(1),
    "y up": lambda p: torch.stack([p[:, 0], 1 - p[:, 1]], dim=1),
    "mirrored": lambda p: torch.stack([1 - p[:, 0], p[:, 1]], dim=1),
}
COSTS = {  # of the differences (points, cells, 2)
    "": lambda d: d.square().sum(dim=2),
    "distances not squared": lambda d: d.norm(dim=2),
    "another distance  ": lambda d: d.square().sum(dim=2) ** 2,
    "another distance": lambda d: d.abs().sum(dim=2),
    "another distance ": lambda d: d.abs().amax(dim=2),
    "one axis alone": lambda d: d[..., 0] ** 2,
    "one axis alone ": lambda d: d[..., 1] ** 2,
    "farthest instead of nearest": lambda d: -d.square().sum(dim=2),
    "farthest instead of nearest ": lambda d: -d.norm(dim=2),
}


def best(costs):
    """Of each cell the point."""
    return torch.from_numpy(linear_sum_assignment(costs.mT.numpy())[1])


def greedy(costs):
    """Of each cell the nearest point that is left, cell by cell."""
    chosen, costs = [], costs.clone()
    for cell in range(len(costs)):
        chosen.append(int(costs[:, cell].argmin()))
        costs[chosen[-1]] = math.inf
    return torch.tensor(chosen)


def greedy_by_points(costs):
    return greedy(costs.T).argsort()


def greedy_by_pairs(costs):
    """The nearest pair of all that are left, again and again."""
    costs, chosen = costs.clone(), torch.zeros(len(costs), dtype=torch.long)
    for _ in range(len(costs)):
        point, cell = divmod(int(costs.argmin()), len(costs))
        chosen[cell] = point
        costs[point], costs[:, cell] = math.inf, math.inf
    return chosen


SEARCHES = {  # of the costs (points, cells): of each cell the point
    "": best, "permutation the wrong way round": lambda costs: best(costs).argsort(),
    "one by one": greedy, "one by one ": greedy_by_points, "one by one  ": greedy_by_pairs,
    "images more than once": lambda costs: costs.argmin(dim=0),
    "images in the given order": lambda costs: torch.arange(len(costs)),
}


def joined(cells):
    return torch.cat([torch.cat(list(row), dim=2) for row in cells], dim=1)[None]


JOINS = {  # of the cells (n, n, 3, h, w)
    "": joined,
    "border between the images": lambda c: make_grid(c.flatten(0, 1), nrow=len(c))[None],
    "border between the images ":
        lambda c: make_grid(c.flatten(0, 1), nrow=len(c), padding=1, pad_value=1.0)[None],
    "channels last": lambda c: joined(c).permute(0, 2, 3, 1),
    "pixels of the images mixed":
        lambda c: c.reshape(1, 3, len(c) * c.shape[3], len(c) * c.shape[4]),
    "pixels of the images mixed ":
        lambda c: c.permute(2, 0, 1, 3, 4).reshape(1, 3, len(c) * c.shape[3], -1),
    "pixels of the images mixed  ":
        lambda c: c.permute(2, 3, 0, 1, 4).reshape(1, 3, len(c) * c.shape[3], -1),
    "height and width exchanged": lambda c: joined(c.mT),
    "height and width exchanged ": lambda c: joined(c.mT).reshape(joined(c).shape),
    "images rescaled   ": lambda c: joined(c).clamp(0, 1),
    "images rescaled    ": lambda c: joined(c).clamp(min=0),
    "images rescaled": lambda c: (joined(c) - c.min()) / (c.max() - c.min()),
    "images rescaled ": lambda c: joined(c) * 255,
    "images rescaled  ": lambda c: joined(c) * 2 - 1,
    "rows and columns exchanged ": lambda c: joined(c.transpose(0, 1)),
    "y up ": lambda c: joined(c.flip(0)), "y up  ": lambda c: joined(c).flip(2),
    "mirrored ": lambda c: joined(c.flip(1)),
}


def layout_by(scale=SCALES[""], turn=TURNS[""], cost=COSTS[""],
              search=SEARCHES[""], join=JOINS[""], tick=lambda n: torch.arange(n) / (n - 1)):
    """grid_layout put together from its factors; tick says where columns and rows lie."""
    def grid_layout(points, images):
        n = math.isqrt(len(points))
        ticks = tick(n).to(points)
        down, right = torch.meshgrid(ticks, ticks, indexing="ij")
        cells = torch.stack([right, down], dim=2).flatten(0, 1)  # (N, 2)
        costs = cost(turn(scale(points))[:, None] - cells)
        return join(images[search(costs)].unflatten(0, (n, n)))
    return grid_layout


def turned_twice(names) -> bool:
    """Slips that put each other right, or that leave nothing of each other."""
    turns = {"rows and columns exchanged", "y up", "mirrored", "farthest instead of nearest"}
    near = {"one by one", "images more than once"}  # the same for a distance and its square
    return (names <= turns or "images in the given order" in names
            or bool("distances not squared" in names and names & near)
            or {"y up", "one axis alone"} == names)


put_together(LAYOUT, layout_by, SCALES, TURNS, COSTS, SEARCHES, JOINS, apart=turned_twice)


@mistake(LAYOUT, "another number of columns")
def rows_of_eight(points, images):
    """What make_grid does unless nrow is given."""
    cells = layout_by(join=lambda c: c.flatten(0, 1))(points, images)
    return make_grid(cells, padding=0)[None]


@mistake(LAYOUT, "another number of columns", "border between the images")
def rows_of_eight_with_a_border(points, images):
    return make_grid(layout_by(join=lambda c: c.flatten(0, 1))(points, images))[None]


def by_keys(first, second):
    """Sorted into n groups by one axis, and within each by the other."""
    def grid_layout(points, images):
        n = math.isqrt(len(points))
        groups = points[:, first].argsort().view(n, n)
        groups = torch.stack([g[points[g, second].argsort()] for g in groups])
        chosen = groups if first == 1 else groups.T
        return joined(images[chosen])
    return grid_layout


mistake(LAYOUT, "sorted into rows")(by_keys(1, 0))
mistake(LAYOUT, "sorted into rows")(by_keys(0, 1))


@mistake(LAYOUT, "sorted into rows")
def by_one_axis(points, images):
    n = math.isqrt(len(points))
    return joined(images[points[:, 0].argsort()].unflatten(0, (n, n)))


@mistake(LAYOUT, "pixels of the images mixed")
def height_for_width(points, images):
    """h and w taken for each other."""
    picture = layout_by()(points, images)
    return picture.reshape(1, 3, picture.shape[3], picture.shape[2])


@mistake(LAYOUT, "parameters in another order")
def images_first(images, points):
    return layout_by()(points, images)


def shorter(axis):
    """Cells at 0, 1/n … along one axis, up to 1 along the other."""
    def turn(p):
        n = math.isqrt(len(p))
        stretch = torch.ones(2).to(p)
        stretch[axis] = n / (n - 1)
        return p * stretch
    return turn


for axis in (0, 1):
    mistake(LAYOUT, "axes in another proportion")(layout_by(turn=shorter(axis)))
mistake(LAYOUT, "farthest instead of nearest")(layout_by(turn=lambda p: 1 - p))


@mistake(LAYOUT, "input changed")
def scaled_in_place(points, images):
    points -= points.amin(dim=0)
    points /= points.amax(dim=0)
    return layout_by()(points, images)


# --- grid_layout: right

@alternative(LAYOUT, "cells in rows and columns counted, points stretched to them")
def counted(points, images):
    n = round(len(points) ** 0.5)
    low, high = points.min(dim=0).values, points.max(dim=0).values
    p = ((points - low) / (high - low) * (n - 1)).cpu().numpy()
    costs = np.array([[(x - i % n) ** 2 + (y - i // n) ** 2 for i in range(n * n)] for x, y in p])
    _, cell = linear_sum_assignment(costs)
    h, w = images.shape[2:]
    picture = torch.zeros(1, 3, n * h, n * w, dtype=images.dtype, device=images.device)
    for image, c in zip(images, cell):
        r, c = divmod(int(c), n)
        picture[0, :, r * h:(r + 1) * h, c * w:(c + 1) * w] = image
    return picture


@alternative(LAYOUT, "cdist, and torchvision's make_grid without a border")
def by_make_grid(points, images):
    n = math.isqrt(len(points))
    p = (points - points.amin(0)) / (points.amax(0) - points.amin(0))
    ticks = torch.linspace(0, 1, n).to(p)
    cells = torch.stack(torch.meshgrid(ticks, ticks, indexing="xy"), dim=-1).reshape(-1, 2)
    rows, cols = linear_sum_assignment(torch.cdist(p, cells).pow(2).cpu())
    ordered = torch.empty_like(images)
    ordered[torch.from_numpy(cols)] = images
    return make_grid(ordered, nrow=n, padding=0)[None]


@alternative(LAYOUT, "SciPy's distances, argsort for the inverse, reshape and permute")
def by_scipy(points, images):
    n = int(math.sqrt(len(points)) + 0.5)
    p = points.cpu().numpy()
    p = (p - p.min(axis=0)) / np.ptp(p, axis=0)
    cells = np.array([(c / (n - 1), r / (n - 1)) for r in range(n) for c in range(n)])
    _, of_point = linear_sum_assignment(cdist(p, cells, "sqeuclidean"))
    _, c, h, w = images.shape
    cells = images[np.argsort(of_point)].reshape(n, n, c, h, w)
    return cells.permute(2, 0, 3, 1, 4).reshape(1, c, n * h, n * w)


@alternative(LAYOUT, "the largest inner product instead of the smallest distance")
def by_products(points, images):
    n = math.isqrt(len(points))
    ticks = torch.arange(n).to(points) / (n - 1)
    cells = torch.cartesian_prod(ticks, ticks)[:, [1, 0]]
    _, chosen = linear_sum_assignment((cells @ each_axis(points).T).cpu().numpy(), maximize=True)
    return joined(images[chosen].unflatten(0, (n, n)))


@alternative(LAYOUT, "cells in the middles of n parts: all are moved, and drawn together, alike")
def middles(points, images):
    return layout_by(tick=lambda n: (torch.arange(n) + 0.5) / n)(points, images)


@alternative(LAYOUT, "cells at 0 … n - 1 and points in [0, 1]: only the extents' proportion counts")
def far_cells(points, images):
    return layout_by(tick=torch.arange)(points, images)


@alternative(LAYOUT, "other parameter names, with a note")
def layout_renamed(xy, pictures):
    return layout_by()(xy, pictures)


@alternative(LAYOUT, "cells in float32 and torch.cdist, with a note")
def in_float_cells(points, images):
    n = math.isqrt(len(points))
    ticks = torch.arange(n) / (n - 1)
    cells = torch.stack(torch.meshgrid(ticks, ticks, indexing="xy"), dim=-1).reshape(-1, 2)
    _, chosen = linear_sum_assignment(torch.cdist(cells, each_axis(points)).pow(2).numpy())
    return joined(images[torch.from_numpy(chosen)].unflatten(0, (n, n)))


@alternative(LAYOUT, "a picture of float32 zeros, filled image by image, with a note")
def into_zeros(points, images):
    right = layout_by()(points, images)
    picture = torch.zeros(right.shape)
    picture[:] = right
    return picture


@alternative(LAYOUT, "a picture of float64, with a note")
def into_a_double_picture(points, images):
    return layout_by()(points, images).double()
