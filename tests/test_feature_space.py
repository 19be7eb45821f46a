"""The exercises of notebook 02: reference, conditions of the checks, graded cells, mutants.

What holds for the checks of all notebooks is in test_checks, test_mistakes and test_goldens.
"""

import math
from itertools import permutations

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from sklearn.decomposition import PCA as SklearnPCA
from sklearn.neighbors import NearestNeighbors

from cs_vis.checks.feature_space import EXERCISES
from cs_vis.checks.feature_space.nearest import CLOSE, EACH
from cs_vis.checks.feature_space.principal import AGREE, FIRST, SIGN, WIDE
from cs_vis.checks.fixtures import numbers
from cs_vis.checks.harm import harms_between, state_of
from cs_vis.grading import goldens
from cs_vis.grading.hidden import Cell, Failed
from cs_vis.grading.hidden import feature_space as hidden
from cs_vis.reference import feature_space as reference
from mutants import mutants
from test_hidden import judged_apart, right_answers
from test_mutants import drawn_for, killed_by_hidden
from written import hidden_cells, verdict

NOTEBOOK = "02_feature_space"
KNOWN = goldens.mistakes_of(NOTEBOOK)
CHECKS = {exercise.name: exercise for exercise in EXERCISES}
NEAREST, PCA, LAYOUT = CHECKS
CELLS = hidden_cells(NOTEBOOK)


def rows(n, columns, device="cpu", dtype=torch.float64, seed=1):
    return (3 * numbers(n, columns, seed=seed) - 1).to(device, dtype)


# --- the reference: nearest_neighbors

@pytest.mark.parametrize("places", [(), (0,), (7,), (19,), (3, 11), (0, 1, 2)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_neighbors_are_those_of_a_loop_over_rows(places, dtype, device):
    gallery, query = rows(20, 6, device, dtype), rows(1, 6, device, dtype, seed=2)[0]
    for place in places:
        gallery[place] = query
    pairs = sorted((math.dist(row.tolist(), query.tolist()), i) for i, row in enumerate(gallery))
    wanted = [i for distance, i in pairs if i not in places]
    for k in (1, 5, 20 - len(places)):
        found = reference.nearest_neighbors(query, gallery, k)
        assert found.tolist() == wanted[:k]
        assert found.dtype == torch.long and found.device == gallery.device


def test_neighbors_are_those_of_scikit_learn():
    gallery = rows(300, 40)
    order = NearestNeighbors(n_neighbors=8).fit(gallery.numpy()).kneighbors(gallery.numpy())[1]
    for query, wanted in zip(gallery, order):
        assert reference.nearest_neighbors(query, gallery, 7).tolist() == wanted[1:].tolist()


def test_a_row_that_is_all_but_equal_is_a_neighbour():
    """Also where the square of the difference is 0 by underflow."""
    gallery = rows(6, 4, dtype=torch.float32)
    gallery[4] = gallery[2]
    gallery[4, 0] = gallery[2, 0] = 0
    gallery[4, 0] = 1e-30
    assert reference.nearest_neighbors(gallery[2], gallery, 1).tolist() == [4]


# --- the reference: pca

@pytest.mark.parametrize("n, columns, k",
                         [(9, 5, 3), (6, 11, 5), (30, 3, 3), (12, 12, 1), (2, 7, 1)])
def test_pca_is_that_of_scikit_learn(n, columns, k):
    """Whose sign follows the same rule."""
    features = rows(n, columns) * torch.linspace(0.5, 2, columns)
    found = SklearnPCA(n_components=k, svd_solver="full").fit(features.numpy())
    points, components, variances = reference.pca(features, k)
    assert np.allclose(points, found.transform(features.numpy()))
    assert np.allclose(components, found.components_)
    assert np.allclose(variances, found.explained_variance_)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_components_are_what_pca_says(dtype, device):
    features = rows(15, 8, device, dtype)
    before = features.clone()
    points, components, variances = reference.pca(features, 4)
    eye = torch.eye(4, device=device, dtype=dtype)
    assert torch.allclose(components @ components.T, eye, atol=1e-5)
    assert torch.allclose(points.var(dim=0), variances, rtol=1e-4)
    assert torch.allclose(points.mean(dim=0), torch.zeros_like(variances), atol=1e-5)
    covariance = torch.cov(features.T)
    assert torch.allclose(components @ covariance, variances[:, None] * components, atol=1e-4)
    assert (variances.diff() < 0).all() and torch.equal(features, before)
    for row in components:
        assert row[row.abs().argmax()] > 0
    assert all(part.dtype == dtype and part.device == features.device
               for part in (points, components, variances))


def test_all_components_give_the_features_back():
    features = rows(7, 12)
    points, components, variances = reference.pca(features, 6)
    assert torch.allclose(points @ components + features.mean(dim=0), features)
    assert math.isclose(variances.sum(), features.var(dim=0).sum())


# --- the reference: grid_layout

def placed(points, images):
    """The number of the image in each cell, row by row."""
    numbered = torch.arange(len(points)).view(-1, 1, 1, 1).expand(-1, 3, 2, 3).double()
    picture = reference.grid_layout(points, numbered)
    n = math.isqrt(len(points))
    assert picture.shape == (1, 3, 2 * n, 3 * n)
    return picture[0, 0, ::2, ::3].long().flatten().tolist()


@pytest.mark.parametrize("n, seed", [(2, 1), (2, 2), (2, 3), (3, 1), (3, 2)])
def test_of_all_ways_the_sum_of_squares_is_smallest(n, seed):
    """All 24, or 362,880 ways are tried."""
    points = rows(n * n, 2, seed=seed) * torch.tensor([10.0, 0.5]) - 4
    low, high = points.numpy().min(axis=0), points.numpy().max(axis=0)
    scaled = (points.numpy() - low) / (high - low)
    cells = np.array([(c / (n - 1), r / (n - 1)) for r in range(n) for c in range(n)])
    costs = ((cells[:, None] - scaled) ** 2).sum(axis=2)
    ways = np.array(list(permutations(range(n * n))))
    sums = costs[np.arange(n * n), ways].sum(axis=1)
    assert placed(points, None) == ways[sums.argmin()].tolist()


def test_points_on_a_grid_find_their_cells_to_the_right_and_down():
    right, down = torch.meshgrid(torch.arange(4), torch.arange(4), indexing="xy")
    points = torch.stack([5 + 30.0 * right.flatten(), 2 * down.flatten() - 7.0], dim=1)
    assert placed(points, None) == list(range(16))
    shuffled = torch.randperm(16, generator=torch.Generator().manual_seed(1))
    assert placed(points[shuffled], None) == shuffled.argsort().tolist()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_images_are_joined_cell_by_cell(dtype, device):
    points, images = rows(9, 2, device), numbers(9, 3, 4, 2, seed=3).to(device, dtype)
    before = state_of({"points": points, "images": images})
    picture, where = reference.grid_layout(points, images), placed(points.cpu(), None)
    assert picture.shape == (1, 3, 12, 6) and picture.dtype == dtype
    assert picture.device == images.device
    for cell, image in enumerate(where):
        y, x = 4 * (cell // 3), 2 * (cell % 3)
        assert torch.equal(picture[0, :, y:y + 4, x:x + 2], images[image])
    picture += 1  # a tensor of its own
    assert not harms_between(before, state_of({"points": points, "images": images}))


def test_where_cells_begin_and_how_far_they_reach_changes_nothing():
    """Σ |p − c|² = const − 2 Σ p · c: what is added, or multiplies all points, drops out."""
    points = next(points for seed in range(50) if hidden.one_way_is_best(
        {"points": (points := rows(25, 2, seed=seed))}))
    best = linear_sum_assignment(hidden.costs_of(points))[1].tolist()
    for scale, shift in ((1, 0.5), (4, 0), (5, -3)):
        costs = hidden.costs_of(points, lambda p: scale * hidden.scaled(p) + shift)
        assert linear_sum_assignment(costs)[1].tolist() == best == placed(points, None)


# --- refusals

TABLE, PICTURES = rows(9, 2), numbers(9, 3, 4, 4, seed=1)


@pytest.mark.parametrize("call, words", [
    (lambda f: f.nearest_neighbors(TABLE, TABLE, 2), r"query has shape \(9, 2\).*gallery\[0\]"),
    (lambda f: f.nearest_neighbors(TABLE[0], TABLE[0], 2), r"gallery has shape .*flatten\(1\)"),
    (lambda f: f.nearest_neighbors(TABLE[0], TABLE.int(), 2), "gallery is of type torch.int32"),
    (lambda f: f.nearest_neighbors(TABLE[0] / 0, TABLE, 2), "query holds values that are NaN"),
    (lambda f: f.nearest_neighbors(TABLE[0], TABLE, 9), "k=9 is too large: there are 8 rows"),
    (lambda f: f.nearest_neighbors(TABLE[0], TABLE, 0), "k=0 is too small"),
    (lambda f: f.nearest_neighbors(TABLE[0], TABLE, 2.0), "k=2.0 is a float"),
    (lambda f: f.pca(TABLE[0], 1), r"features has shape \(2,\)"),
    (lambda f: f.pca(PICTURES, 1), r"features has shape .*features.flatten\(1\)"),
    (lambda f: f.pca(TABLE, 3), "k=3 is too large: there are 2 directions"),
    (lambda f: f.pca(TABLE[:2], 2), "k=2 is too large: there are 1 directions"),
    (lambda f: f.pca(TABLE[:0], 1), r"features has shape \(0, 2\)"),
    (lambda f: f.grid_layout(TABLE[:, :1], PICTURES), r"points has shape \(9, 1\).*two columns"),
    (lambda f: f.grid_layout(TABLE, PICTURES[:4]), "there are 9 points and 4 images"),
    (lambda f: f.grid_layout(TABLE[:8], PICTURES[:8]), "8 points fill no square .* take 4"),
    (lambda f: f.grid_layout(TABLE[:1], PICTURES[:1]), "1 points fill no square"),
    (lambda f: f.grid_layout(TABLE, PICTURES[0]), "images has shape"),
    (lambda f: f.grid_layout(TABLE * torch.tensor([1, 0]), PICTURES), r"points\[:, 1\] is the"),
])
def test_what_does_not_fit_is_refused_in_words(call, words):
    with pytest.raises((TypeError, ValueError), match=words):
        call(reference)


# --- mistakes

@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("exercise, often", [(NEAREST, 4), (PCA, 8), (LAYOUT, 4)])
def test_two_slips_are_both_said(exercise, often):
    pairs = [entry for entry in KNOWN.MISTAKES[exercise] if len(entry[0]) == 2]
    assert len(pairs) >= 100
    wrong = {names: given for names, function in pairs[::often]
             if set(given := verdict(exercise, function) or ()) != set(names)}
    assert not wrong, wrong


UNKNOWN = {
    NEAREST: lambda query, gallery, k: (3 * reference.nearest_neighbors(query, gallery, k) + 1) % 7,
    PCA: lambda features, k: tuple(part ** 3 + 0.1 for part in reference.pca(features, k)),
    LAYOUT: lambda points, images: reference.grid_layout(points, images.flip(3)) ** 1.5,
}


@pytest.mark.parametrize("exercise", CHECKS)
def test_what_nobody_knows_is_not_given_a_name(exercise):
    names = verdict(exercise, UNKNOWN[exercise])
    assert names is not None and not set(names) & set(CHECKS[exercise].mistakes), names


@pytest.mark.parametrize("result", [None, 3, torch.zeros(1, 3, 2, 2), torch.zeros(0), "x", [],
                                    torch.tensor(float("nan")), (None, 1, "x"),
                                    (torch.ones(2),) * 3, (torch.zeros(0, 0),) * 3,
                                    torch.tensor(True), torch.zeros(4, 0), torch.zeros(50, 2),
                                    torch.zeros(0, dtype=torch.long)])
@pytest.mark.parametrize("exercise", CHECKS)
def test_what_is_no_answer_is_rejected_without_an_error(exercise, result):
    assert verdict(exercise, lambda *given: result) is not None
    for cell in CELLS.values():
        if isinstance(cell, Cell) and cell.exercise.name == exercise:
            with pytest.raises(Failed):
                cell(lambda *given: result)


@pytest.mark.parametrize("rule", [rule for rule in hidden.RULES])
def test_every_other_sign_is_named_and_loses_a_point(rule):
    def pca(features, k):
        points, components, variances = reference.pca(features, k)
        signs = torch.stack([hidden.RULES[rule](c, p).sign()
                             for c, p in zip(components, points.T)])
        return points * signs, components * signs[:, None], variances
    assert verdict(PCA, pca) == [SIGN]
    CELLS["points"](pca)
    with pytest.raises(Failed, match="not turned by their largest entries"):
        CELLS["components"](pca)


@pytest.mark.parametrize("size, right", [(1e-12, True), (1e-8, True), (1e-6, True), (1e-5, True),
                                         (1e-4, False), (1e-3, False), (1e-1, False)])
def test_a_threshold_is_right_if_small_and_said_if_large(size, right):
    near = KNOWN.neighbors_by(left_out=lambda d, q, g: KNOWN.in_order(d, d < size))
    assert verdict(NEAREST, near) == (None if right else ["near rows left out"])
    for name in ("in_gallery", "not_in_gallery"):
        if right:
            CELLS[name](near)
        else:
            with pytest.raises(Failed):
                CELLS[name](near)


@pytest.mark.parametrize("rounded", [lambda x: x.half().to(x), lambda x: x.bfloat16().to(x),
                                     lambda x: (x * 255).round() / 255])
def test_images_that_are_rounded_are_rejected(rounded):
    def grid_layout(points, images):
        return rounded(reference.grid_layout(points, images))
    assert verdict(LAYOUT, grid_layout) == []
    with pytest.raises(Failed):
        CELLS["grid_values"](grid_layout)


def two_left_out(query, gallery, k):
    order = (gallery - query).norm(dim=1).argsort(stable=True).tolist()
    for _ in range(2):
        if (gallery[order[0]] == query).all():
            order.pop(0)
    return torch.tensor(order[:k])


@pytest.mark.parametrize("wrong, names, cells", [
    (two_left_out, [], {"in_gallery"}),  # where the query stands in it three times
    (lambda q, g, k: KNOWN.infinite(q, g).argsort()[:k].squeeze(), ["no axis where k is 1"],
     {"in_gallery", "not_in_gallery"}),
    (lambda q, g, k: KNOWN.infinite(q[:-1], g[:, :-1]).argsort()[:k], [],
     {"in_gallery", "not_in_gallery"}),
    (KNOWN.neighbors_by(left_out=KNOWN.LEFT_OUT["equal rows taken for one"]),
     ["equal rows taken for one"], {"in_gallery", "not_in_gallery"}),
    (KNOWN.neighbors_by(left_out=lambda d, q, g: d.masked_fill(d == 0, 9999).argsort()),
     ["not pushed far enough"], {"in_gallery"}),
])
def test_what_only_rare_galleries_show_is_tried(wrong, names, cells):
    assert verdict(NEAREST, wrong) == names
    failed = {name for name in ("in_gallery", "not_in_gallery") if fails(CELLS[name], wrong)}
    assert failed == cells


def fails(cell, function) -> bool:
    try:
        cell(function)
    except Failed:
        return True
    return False


def test_eigenvectors_in_no_order_lose_all_points():
    def pca(features, k):
        x = features - features.mean(dim=0)
        values, vectors = torch.linalg.eig(torch.cov(x.T))
        components = KNOWN.SIGNS[""](vectors.real[:, :k].T)
        return x @ components.T, components, values.real[:k]
    assert verdict(PCA, pca) is not None
    assert all(fails(CELLS[name], pca) for name in ("points", "components", "variances"))


def test_a_dtype_of_its_own_is_no_name_for_what_is_wrong():
    def grid_layout(points, images):
        return reference.grid_layout(points.float().sigmoid(), images.float())
    assert verdict(LAYOUT, grid_layout) == []


# --- what the checks try

def test_inputs_are_those_that_show_mistakes():
    for check in (hidden.neighbors_check, hidden.pca_check, hidden.grid_check):
        for case in check.exercise.cases:
            assert check.fits(case, case.inputs(numbers)), case.name
    for case in CHECKS[LAYOUT].cases[:2]:
        assert hidden.tells_ways_apart(case.inputs(numbers)), case.name
    for case in CHECKS[PCA].cases:
        if case.name in (FIRST, WIDE):
            assert hidden.tells_rules_apart([case.inputs(numbers)]), case.name


def test_a_large_gallery_shows_what_cdist_makes_of_a_distance_of_0():
    case = next(case for case in CHECKS[NEAREST].cases if case.name == EACH)
    fresh = CELLS["in_gallery"].draw(torch.Generator().manual_seed(5))[-1]
    for given in (case.inputs(numbers), fresh):
        gallery = given["gallery"].float()
        itself = torch.stack([torch.cdist(row[None], gallery)[0, i]
                              for i, row in enumerate(gallery)])
        assert (itself > 0).sum() >= 5


def test_rows_hardly_apart_are_so_in_float32_as_well():
    for case in CHECKS[NEAREST].cases:
        if case.name in CLOSE:
            given = case.inputs(numbers)
            apart = (given["gallery"].float() - given["query"].float()).norm(dim=1)
            assert sorted(apart[apart > 0].tolist())[:2] == [2 ** -14, 2 ** -12]


@pytest.mark.parametrize("seed", range(3))
def test_signs_are_compared_whatever_an_svd_gives(seed):
    """No value of the check depends on the sign that LAPACK happened to choose."""
    def turned_at_random(features, k):
        points, components, variances = reference.pca(features, k)
        flips = numbers(k, seed=seed).sub(0.5).sign().to(features)
        return points * flips, components * flips[:, None], variances
    assert verdict(PCA, turned_at_random) == [SIGN]

    def apart(features, k):
        points, components, variances = reference.pca(features, k)
        return points * numbers(k, seed=seed).sub(0.5).sign().to(points), components, variances
    assert verdict(PCA, apart) == [AGREE]


# --- graded cells

def test_wrong_work_fails_when_judged_apart(tmp_path):
    wrong = right_answers(NOTEBOOK).replace("(gallery - query).norm(dim=1)", "-(gallery @ query)")
    wrong = wrong.replace("(len(features) - 1)", "len(features)")
    wrong = wrong.replace("(points - low)", "points.double()").replace("/ (high - low)", "")
    assert wrong.count("-(gallery @ query)") == wrong.count("points.double()") == 1
    said = judged_apart(tmp_path, NOTEBOOK, wrong)
    failed = {name for name, sentence in said.items() if sentence}
    assert failed == {"neighbors_check", "in_gallery", "not_in_gallery", "pca_check", "variances",
                      "grid_check", "grid_places"}
    assert "list of variances differs" in said["variances"]


@pytest.mark.parametrize("changes, cells", [  # one in each exercise
    ((("(itself, math.inf)", "(itself, 1e9 * 0)"),
      ("features - features.mean(dim=0)", "features"),
      (".flip(1)  #", "  #")),
     {"neighbors_check", "in_gallery", "pca_check", "points", "components", "variances",
      "grid_check", "grid_places"}),
    ((("argsort()[:k]", "argsort()[1:k + 1]"),
      (".gather(1, largest).sign()", "[:, :1].sign()"),
      ("rows.permute(2, 0, 3, 1, 4)", "rows.permute(2, 0, 1, 3, 4)")),
     {"neighbors_check", "in_gallery", "not_in_gallery", "pca_check", "components",
      "grid_check", "grid_places", "grid_values"}),
    ((("return centred @ components.T", "return features @ components.T"),),
     {"pca_check", "points"}),
])
def test_points_are_lost_where_they_belong(changes, cells, tmp_path):
    source = right_answers(NOTEBOOK)
    for old, new in changes:
        assert source.count(old) == 1
        source = source.replace(old, new)
    said = judged_apart(tmp_path, NOTEBOOK, source)
    assert {name for name, sentence in said.items() if sentence} == cells


@pytest.mark.parametrize("exercise, name", [(exercise, name) for exercise, known in
                                            KNOWN.ALTERNATIVES.items() for name in known])
def test_other_right_solutions_pass_every_hidden_cell(exercise, name):
    for cell in CELLS.values():
        if isinstance(cell, Cell) and cell.exercise.name == exercise:
            cell(KNOWN.ALTERNATIVES[exercise][name])


# --- mutants: those of the references are in test_mutants

FAMILIAR = {  # as most people write them
    NEAREST: """
def nearest_neighbors(query, gallery, k):
    distances = torch.sqrt(((gallery - query) ** 2).sum(dim=1))
    distances[distances == 0] = float("inf")
    values, indices = torch.topk(distances, k, largest=False)
    return indices
""",
    PCA: """
def pca(features, k):
    centred = features - features.mean(dim=0)
    U, S, Vt = torch.linalg.svd(centred)
    components = Vt[:k].clone()
    for row in components:
        if row[row.abs().argmax()] < 0:
            row *= -1
    points = centred @ components.T
    variances = S[:k] ** 2 / (len(features) - 1)
    return points, components, variances
""",
    LAYOUT: """
def grid_layout(points, images):
    n = int(len(points) ** 0.5)
    height, width = images.shape[2:]
    low, high = points.amin(dim=0), points.amax(dim=0)
    places = (points - low) / (high - low)
    cells = torch.tensor([[c / (n - 1), r / (n - 1)] for r in range(n) for c in range(n)])
    costs = ((places[:, None] - cells[None]) ** 2).sum(dim=2)
    rows, cols = linear_sum_assignment(costs.numpy())
    picture = torch.zeros(1, 3, n * height, n * width).to(images)
    for image, cell in zip(rows, cols):
        y, x = cell // n * height, cell % n * width
        picture[0, :, y:y + height, x:x + width] = images[image]
    return picture
"""}
SAME = {
    NEAREST: (),
    # nothing is exactly 0; its own Vt may be written into
    PCA: ("< 0 by LtE", "without .clone()"),
    # a shift of all points; one picture is the last, too; and in float32 (which is noted)
    LAYOUT: ("operator of points - low", "0 -> -1", "without .numpy()", "without .to()",
             "argument images of torch.zeros")}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("exercise", FAMILIAR)
def test_every_mutant_of_the_familiar_answer_is_rejected_and_loses_points(exercise):
    survivors, total, cells = [], 0, drawn_for(exercise)
    for words, source in mutants(FAMILIAR[exercise]):
        names, total = {"torch": torch, "linear_sum_assignment": linear_sum_assignment}, total + 1
        exec(source, names)
        if verdict(exercise, names[exercise]) is None or not killed_by_hidden(
                cells, names[exercise]):
            survivors.append(words)
    assert total > 15
    left = [words for words in survivors if not any(part in words for part in SAME[exercise])]
    assert not left, "\n".join(left)
