# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Feature space: what lies near what?
#
# To a network a picture is a row of numbers: first its pixels, and after each layer another row.
# So a picture is a *point*, many pictures are a cloud of points, and the layers move this cloud
# about. Two pictures of a bee, which have hardly a pixel in common, end up side by side. In this
# notebook you look at the cloud.
#
# | you write | it gives | in a formula | points |
# | --- | --- | --- | --- |
# | `nearest_neighbors(query, gallery, k)` | the pictures most like a picture | the smallest $\lVert g_i - q \rVert$ | 6 |
# | `pca(features, k)` | the directions in which pictures differ most | $X - \bar x = U S V^\top$ | 6 |
# | `grid_layout(points, images)` | a wall of pictures, like beside like | an assignment of images to cells | 6 |
# | an answer in words | what a map can prove, and what it cannot | | 2 |
#
# Then you ask each layer what it knows: what a thing is, where it lies, of which colour it is, and
# what is behind it. Our pictures are drawn by code, so all of this is known.
#
# Run the cells in order. Everything runs on a laptop without a network connection; the whole
# notebook computes for about four minutes. `check.progress()` lists your points so far.

# %% nbgrader={"grade_id": "setup_imports", "locked": true} tags=["setup"]
import torch
import torch.nn.functional as F
from IPython.display import display
from scipy.optimize import linear_sum_assignment

from cs_vis import activations, check, images, load_model, pick_device, plots, specimens, widgets
from cs_vis.methods.feature_space import (centroid_distances, collect, explained, known, probe,
                                          probe_all, tsne)
from cs_vis.models import untrained
from cs_vis.notebook import chosen_network, needs, progress, steps

device = pick_device()
NETWORK = chosen_network("specimens")  # or "squeezenet1_1", "vgg16", ...: any of torchvision's
model = load_model(NETWORK, device=device)
generator = torch.Generator().manual_seed(0)
networks = {"untrained": untrained(NETWORK, generator=generator, device=device),
            "ordinary": model}
if NETWORK == "specimens":  # trained against small perturbations, too
    networks["robust"] = load_model("specimens-robust", device=device)

# %% [markdown]
# **The pictures.** 1200 specimens of 24 kinds that no network was trained on, each with what is
# known of it. They are drawn when you first run this cell, which takes half a minute, and kept.

# %% tags=["look"]
if NETWORK == "specimens":
    collection = specimens.collection(steps(1200, 144), seed=2)
    pictures, labels, facts = collection.pictures, collection.labels, collection.facts
else:  # photographs, of which no more is known than what they show
    photos, labels = images.examples(model, steps(200, 144))
    pictures, facts = (photos * 255).round().byte(), None
labels = labels.cpu()
kinds = [model.class_names[k].split(",")[0][:16] for k in labels]

def picture(n):
    """Picture number n as an image, (1, 3, H, W) in [0, 1]."""
    return pictures[n:n + 1].float() / 255

plots.show([[picture(8 * r + c) for c in range(8)] for r in range(2)],
           [kinds[:8], kinds[8:16]], height=1.05)

# %% [markdown]
# **Their features.** Three networks see all of them: one with random weights, which has learned
# nothing, the ordinary one, and the robust one, which was trained so that small changes of a
# picture do not change its answer. This takes about a minute and is needed from here on. Read on
# meanwhile.
#
# A layer gives an array `(C, h, w)` for a picture. Its mean over 4 × 4 fields of the picture makes
# a row of $16\,C$ numbers, that still says roughly where something is. `average`, the last layer
# before the scores, has one mean for the whole picture: 192 numbers. As pixels we take the picture
# shrunk to 32 × 32, 3072 numbers; all 49 152 of them would take longer and say the same.

# %% tags=["look"]
with torch.no_grad():
    found = activations(model, picture(0).to(device), model.layer_names)
WIDE = [name for name, a in found.items() if a.ndim == 4 and a.shape[2] > 4]
if NETWORK == "specimens":
    LAYERS, LAST = [name for name in WIDE if name.startswith("relu")] + ["average", "fc"], "average"
else:  # the last one that is no row of scores, and four on the way
    LAST = [name for name, a in found.items() if a.shape[1] != len(model.class_names)][-1]
    LAYERS = [*dict.fromkeys([*WIDE[len(WIDE) // 8::len(WIDE) // 4], LAST])]

def batches(words):
    """Fifty images at a time, under a bar."""
    for part in progress(pictures.split(50), words):
        yield part.to(device).float() / 255

pixels = torch.cat([F.adaptive_avg_pool2d(x, 32).flatten(1) for x in batches("pixels")])
features = {name: collect(network, batches(name), LAYERS) for name, network in networks.items()}
spaces = {"pixels": pixels} | {name: by_layer[LAST] for name, by_layer in features.items()}
{name: tuple(rows.shape) for name, rows in spaces.items()}

# %% [markdown]
# ## 1. Nearest neighbours: show me more like this
#
# **The idea.** If features are worth anything, pictures of the same kind are near each other. So
# take a picture and look who its neighbours are.
#
# **The equation.** A picture is a row $q$ of $D$ numbers, the gallery has the rows $g_1, \dots,
# g_M$. Near means a small Euclidean distance:
#
# $$ d_i = \lVert g_i - q \rVert = \sqrt{\textstyle\sum_j (g_{ij} - q_j)^2} $$
#
# The picture itself is nobody's neighbour. If it is in the gallery, its distance is 0, and it would
# always be the nearest: a row that equals the query is left out, wherever it stands, and however
# often. Nothing else is: if the picture is not in the gallery, its nearest row counts.
#
# **The shapes.**
#
# | name | shape | what |
# | --- | --- | --- |
# | `query` | `(D,)` | one row |
# | `gallery` | `(M, D)` | many rows; they stay as they are |
# | `k` | int | how many neighbours, at most as many as there are |
# | result | `(k,)` | their *places* in the gallery, whole numbers (`torch.long`), the nearest first |
#
# **A hint.** `gallery - query` subtracts the query from each row. `argsort` gives places in the
# order of values. Beware of `torch.cdist` here: for many rows it computes by a matrix product, and
# by that a row's distance to itself is small, but not 0.
#
# **Your turn** (about three lines).

# %% nbgrader={"grade_id": "neighbors_solution", "solution": true} tags=["solution"]
def nearest_neighbors(query, gallery, k):
    """The places of the k rows of gallery nearest to query, the query itself left out.

    query (D,), gallery (M, D) -> (k,) long, the nearest first
    """
    ### BEGIN SOLUTION
    distances = (gallery - query).norm(dim=1)  # (M,)
    itself = (gallery == query).all(dim=1)     # (M,)
    return distances.masked_fill(itself, torch.inf).argsort()[:k]
    ### END SOLUTION

# %% [markdown]
# **Check.** This runs your function on small galleries with known answers. If it recognises a slip,
# it names it. The cells after it say what they are worth and look empty: there the grader tries
# your function on other inputs. The other exercises have the same.

# %% nbgrader={"grade_id": "neighbors_check", "grade": true, "locked": true, "points": 3} tags=["check"]
check.nearest_neighbors(nearest_neighbors)

# %% nbgrader={"grade_id": "neighbors_hidden_in_gallery", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: the query is in the gallery, at any place, or twice.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import feature_space as hidden
hidden.in_gallery(nearest_neighbors)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "neighbors_hidden_not_in_gallery", "grade": true, "locked": true, "points": 2} tags=["check"]
# Two points: the query is not in the gallery, so nothing is left out.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import feature_space as hidden
hidden.not_in_gallery(nearest_neighbors)
### END HIDDEN TESTS

# %% [markdown]
# **Look** (about a second). Six pictures, the four nearest by their pixels, and the four nearest by
# the features of the ordinary network.

# %% tags=["look"]
QUERIES = [0, 1, 2, 3, 4, 5][:steps(6, 2)]

with needs("nearest_neighbors"):
    rows, titles = [], []
    for n in QUERIES:
        near = [int(i) for space in (pixels, spaces["ordinary"])
                for i in nearest_neighbors(space[n], space, 4)]
        rows.append([picture(n), *map(picture, near)])
        titles.append([kinds[i] for i in (n, *near)])
    titles[0] = [f"{head}\n{title}" for head, title in zip(
        ["query", *["by pixels"] * 4, *["by features"] * 4], titles[0])]
    display(plots.show(rows, titles, height=0.98))

# %% [markdown]
# **Count** (about 10 seconds). How often is the nearest picture of the query's kind, and how many of
# the five nearest are? By chance it would be one in 24. The untrained network is the baseline that
# matters: what it can do comes from the network's form, and not from what was learned.
#
# The third column measures by *cosine*, the angle between two rows, for which their lengths do not
# matter. It needs no function of its own: for rows of length 1
#
# $$ \lVert a - b \rVert^2 = 2 - 2 \cos(a, b), $$
#
# so the row at the smallest angle is the nearest one. Divide the rows by their lengths
# (`F.normalize`) and use your function as it is.

# %% tags=["look"]
if NETWORK == "specimens":
    COUNTED = range(steps(300, 24))
    chance = {"the nearest": 1 / 24, "of the five nearest": 1 / 24, "the nearest, by cosine": 1 / 24}
    
    def agreement(rows, k):
        """How many of the k nearest are of the query's kind, on average."""
        near = torch.stack([nearest_neighbors(rows[n], rows, k) for n in COUNTED]).cpu()  # (Q, k)
        return (labels[near] == labels[list(COUNTED), None]).float().mean().item()

    with needs("nearest_neighbors"):
        shares = {"chance": chance} | {
            name: dict(zip(chance, (agreement(rows, 1), agreement(rows, 5),
                                    agreement(F.normalize(rows), 1))))
            for name, rows in progress(spaces.items(), "spaces")}
        display(plots.bars(shares, baselines=["chance"]))
else:
    print("Each of these photographs shows another kind of thing: there is nothing to count.")

# %% [markdown]
# TEXT
#
# **Think.** The last layer of all gives the scores. Why not measure there?
#
# <details><summary>One answer</summary>
#
# You can; but it has one number for each of the kinds that the network was asked to tell apart, and
# nothing else. Two ladybugs have nearly the same scores, be they large or small, on bricks or in
# the grass. The layer before still has some of this (section 5), and so it finds the large ladybug
# for the large ladybug. And it can be asked about things that have no name here: that is what such
# features are mostly used for.
# </details>
#
# **How this was found.** A. Krizhevsky, I. Sutskever and G. Hinton, *ImageNet classification with
# deep convolutional neural networks*, 2012, show the nearest pictures by the last hidden layer of
# their network; that pixels would not do was the point of it.

# %% [markdown]
# ## 2. PCA: the directions that matter
#
# **The idea.** Rows of 192 numbers cannot be drawn. But clouds are seldom round: they are long in
# some directions and flat in others. *Principal component analysis* finds the direction in which
# the points differ most, then, at a right angle to it, the one in which they differ most in what is
# left, and so on. Two of them make a map, and it is an honest one: a straight look at the cloud
# from one side.
#
# **The equations.** Take the mean row away, and split what is left by a *singular value
# decomposition* ($N$ rows, $D$ columns):
#
# $$ X - \bar x = U S V^\top, \qquad \text{points} = (X - \bar x) \, V_k, \qquad
# \text{variances} = \frac{s^2}{N - 1} $$
#
# The components are the first $k$ *rows* of $V^\top$; each has length 1. The sign of a component
# means nothing, for $-v$ is as good a direction as $v$. So that all of us get the same, turn each
# one so that its entry of largest absolute value is positive; its points turn with it.
#
# **The shapes.**
#
# | name | shape | what |
# | --- | --- | --- |
# | `features` | `(N, D)` | the rows; they stay as they are |
# | `k` | int | how many directions, at most $D$ and $N - 1$ |
# | `points` | `(N, k)` | where each row lies along the components |
# | `components` | `(k, D)` | the directions, the most important first |
# | `variances` | `(k,)` | how much the rows vary along each |
#
# **A hint.** `torch.linalg.svd(A, full_matrices=False)` returns $U$, the singular values $s$ in
# falling order, and $V^\top$, not $V$. `gather` picks one entry of each row.
#
# **Your turn** (about six lines).

# %% nbgrader={"grade_id": "pca_solution", "solution": true} tags=["solution"]
def pca(features, k):
    """The k directions in which the rows differ most: points, components, variances.

    features (N, D) -> (N, k), (k, D), (k,)
    """
    ### BEGIN SOLUTION
    centred = features - features.mean(dim=0)
    U, S, Vt = torch.linalg.svd(centred, full_matrices=False)
    components = Vt[:k]
    largest = components.gather(1, components.abs().argmax(dim=1, keepdim=True))  # (k, 1)
    components = components * largest.sign()
    return centred @ components.T, components, S[:k] ** 2 / (len(features) - 1)
    ### END SOLUTION

# %% nbgrader={"grade_id": "pca_check", "grade": true, "locked": true, "points": 3} tags=["check"]
check.pca(pca)

# %% nbgrader={"grade_id": "pca_hidden_points", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: the points of fresh clouds.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import feature_space as hidden
hidden.points(pca)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "pca_hidden_components", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: their components, with their signs.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import feature_space as hidden
hidden.components(pca)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "pca_hidden_variances", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: their variances.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import feature_space as hidden
hidden.variances(pca)
### END HIDDEN TESTS

# %% [markdown]
# **Look** (about 5 seconds). A direction in the space of pixels is itself a picture, with signs:
# grey is 0. These are the eight in which the pictures differ most. TEXT

# %% tags=["look"]
with needs("pca"):
    points, components, variances = pca(pixels, 8)
    shares = (variances / pixels.var(dim=0).sum()).tolist()
    eigenpictures = components.view(8, 3, 32, 32)
    display(plots.show([plots.signed(one)._replace(note="") for one in eigenpictures],
                       [f"{share:.1%}" for share in shares], height=1.05))

# %% [markdown]
# **How many directions does it take?** (About 5 seconds.) The curves add up the variances, as a
# share of all there is. TEXT

# %% tags=["look"]
with needs("pca"):
    curves = {}
    for name, rows in progress(spaces.items(), "spaces"):
        most = min(steps(192, 40), *rows.shape)
        cumulated = pca(rows, most - 1)[2].cumsum(0) / rows.var(dim=0).sum()
        curves[name] = (range(1, most), cumulated.tolist())
    display(plots.curves({"directions": curves}, up="share of the variance", log=True))

# %% [markdown]
# **The map** (about 2 seconds). TEXT

# %% tags=["look"]
groups = labels if NETWORK == "specimens" else torch.zeros_like(labels)

with needs("pca"):
    display(plots.scatter({name: pca(rows, 2)[0] for name, rows in spaces.items()}, groups,
                          height=2.4))

# %% [markdown]
# TEXT
#
# **How this was found.** K. Pearson, *On lines and planes of closest fit to systems of points in
# space*, 1901. As pictures, for faces: L. Sirovich and M. Kirby, *Low-dimensional procedure for the
# characterization of human faces*, 1987.

# %% [markdown]
# ## 3. t-SNE: a map that bends
#
# **The idea.** A straight look from one side lays many things over each other. *t-SNE* gives up
# straightness: it moves the points about on the paper until near rows are near points. It asks each
# row how likely it would choose each other one as its neighbour, and pulls and pushes until the
# points would choose alike. It is given (scikit-learn has it), for what is hard about it is not the
# code. It is what the picture seems to say.
#
# So first a case in which you know what should come out: 600 handwritten digits, of 8 × 8 pixels.
#
# **Look** (about 20 seconds). The *perplexity* is about how many neighbours each row minds. Above,
# three of them, all started from the first two directions of PCA. Below, three runs of the same
# with perplexity 30 that differ in nothing but the random points they start from.

# %% tags=["look"]
from sklearn.datasets import load_digits

digits = load_digits()
digit_rows = torch.tensor(digits.data[:steps(600, 120)], dtype=torch.float32)  # (600, 64)
digit_labels = torch.tensor(digits.target[:len(digit_rows)])
RUNS = {"perplexity 5": {"perplexity": 5}, "perplexity 30": {"perplexity": 30},
        "perplexity 100": {"perplexity": 100}, "random start 1": {"start": "random", "seed": 1},
        "random start 2": {"start": "random", "seed": 2},
        "random start 3": {"start": "random", "seed": 3}}
digit_maps = {name: tsne(digit_rows, **settings)
              for name, settings in progress(RUNS.items(), "maps")}
for three in (list(RUNS)[:3], list(RUNS)[3:]):
    display(plots.scatter({name: digit_maps[name] for name in three}, digit_labels,
                          names=[str(digit) for digit in range(10)], height=2.9))

# %% [markdown]
# TEXT

# %% tags=["look"]
from scipy.stats import spearmanr

def alike(one, other, labels):
    """Do two spaces order the distances between classes alike? 1: yes; 0: no relation."""
    return spearmanr(*(centroid_distances(rows, labels).cpu() for rows in (one, other))).statistic

starts = [digit_maps[f"random start {n}"] for n in (1, 2, 3)]
agree = {"two runs with each other": [alike(starts[a], starts[b], digit_labels)
                                      for a, b in ((0, 1), (0, 2), (1, 2))],
         "runs with the digits' own distances": [alike(one, digit_rows, digit_labels)
                                                 for one in starts]}
for words, values in agree.items():
    print(f"{words:36}", *(f"{value:6.2f}" for value in values))

# %% [markdown]
# TEXT
#
# **And now the specimens** (about 20 seconds).

# %% tags=["look"]
LAID = slice(steps(30, 8) ** 2)  # as many as fill a square: the next exercise needs them, too
maps = {name: tsne(rows[LAID]) for name, rows in progress(spaces.items(), "maps")}
display(plots.scatter({name: maps[name] for name in ("pixels", "untrained")}, groups[LAID],
                      height=3.2))
display(plots.scatter({name: maps[name] for name in list(maps)[2:]}, groups[LAID],
                      names=specimens.class_names if NETWORK == "specimens" else (), height=4.4))

# %% [markdown]
# TEXT
#
# **How this was found.** L. van der Maaten and G. Hinton, *Visualizing data using t-SNE*, 2008. How
# such maps mislead, with many examples to play with: M. Wattenberg, F. Viégas and I. Johnson, *How
# to use t-SNE effectively*, Distill, 2016. That the start decides what is far from what: D. Kobak
# and G. Linderman, *Initialization is critical for preserving global data structure in both t-SNE
# and UMAP*, 2021.

# %% [markdown]
# ## 4. A wall of pictures
#
# **The idea.** Dots say nothing about pictures. Put the pictures themselves at their points, and
# they overlap. So lay them out on a regular grid, each near its point: every picture gets a cell of
# its own, every cell a picture, and of all ways to do so you want the one that moves them least.
# That is an *assignment problem*. For 900 pictures there are $900!$ ways, and yet it is solved
# exactly in less than a second.
#
# **The equations.** Scale each axis of the points to [0, 1] by its own minimum and maximum:
#
# $$ p = \frac{\text{point} - \min}{\max - \min} $$
#
# There are $N = n^2$ images and as many cells. That in row $r$ and column $c$ lies at $z = (c, r) /
# (n - 1)$, so that `points[:, 0]` runs to the right and `points[:, 1]` *down*, as the rows of a
# picture do. Image $i$ goes to cell $\pi(i)$, where $\pi$ is the permutation with the smallest sum
#
# $$ \sum_i \lVert p_i - z_{\pi(i)} \rVert^2 $$
#
# **The shapes.**
#
# | name | shape | what |
# | --- | --- | --- |
# | `points` | `(N, 2)` | $N = n^2$ points, $n \ge 2$; they differ along both axes |
# | `images` | `(N, 3, h, w)` | their pictures, in the same order, not always square |
# | result | `(1, 3, n*h, n*w)` | one large picture: each image once, unchanged, without gaps |
#
# **A hint.** `linear_sum_assignment(costs)` of SciPy (imported above) takes an array `(N, N)` and
# returns two: rows, in order, and the column that each row gets. If the rows are cells, the columns
# are what goes there. Then `images[columns]` are in the order of the cells, and `view`, `permute`
# and `reshape` make a wall of them.
#
# **Your turn** (about eight lines).

# %% nbgrader={"grade_id": "grid_solution", "solution": true} tags=["solution"]
def grid_layout(points, images):
    """One picture of n x n cells in which each image lies near its point.

    points (N, 2), images (N, 3, h, w), N = n * n -> (1, 3, n*h, n*w)
    """
    ### BEGIN SOLUTION
    n = round(len(points) ** 0.5)
    low, high = points.amin(dim=0), points.amax(dim=0)
    p = (points - low) / (high - low)
    place = torch.arange(n).to(points) / (n - 1)
    cells = torch.stack([place.repeat(n), place.repeat_interleave(n)], dim=1)  # (N, 2): (c, r)
    costs = (cells[:, None] - p).square().sum(dim=2)                       # (cells, points)
    _, chosen = linear_sum_assignment(costs.cpu().numpy())
    wall = images[torch.from_numpy(chosen).to(images.device)]                  # (N, 3, h, w)
    N, C, h, w = wall.shape
    return wall.view(n, n, C, h, w).permute(2, 0, 3, 1, 4).reshape(1, C, n * h, n * w)
    ### END SOLUTION

# %% nbgrader={"grade_id": "grid_check", "grade": true, "locked": true, "points": 3} tags=["check"]
check.grid_layout(grid_layout)

# %% nbgrader={"grade_id": "grid_hidden_places", "grade": true, "locked": true, "points": 2} tags=["check"]
# Two points: another number of images, higher than wide or wider than high, at the right places.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import feature_space as hidden
hidden.grid_places(grid_layout)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "grid_hidden_values", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: every image is there once, and unchanged.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import feature_space as hidden
hidden.grid_values(grid_layout)
### END HIDDEN TESTS

# %% [markdown]
# **Look** (about 5 seconds). The map of the ordinary network as a wall. TEXT

# %% tags=["look"]
with torch.no_grad():
    small = F.interpolate(pictures[LAID].float() / 255, size=(48, 48), mode="bilinear",
                          antialias=True)

with needs("grid_layout"):
    wall = grid_layout(maps["ordinary"].cpu(), small)
    display(plots.show([wall], height=wall.shape[2] / 115))

# %% [markdown]
# TEXT (print; by pixels)

# %% tags=["look"]
with needs("grid_layout"):
    by_pixels = grid_layout(maps["pixels"].cpu(), F.avg_pool2d(small, 2))
    display(plots.show([by_pixels], height=4.6))

# %% [markdown]
# ## 5. What does a layer know?
#
# **The idea.** Nearness is one question. Here is another: *can it be read?* Take the features of a
# layer and fit a straight line to them, that is a weighted sum of the features that predicts, say,
# the size of the object. If this *linear probe* is right for pictures that it was not fitted to, the
# layer says how large the object is, in the open. Our facts are: the kind of thing, the background
# behind it, the hue, the size, and the place of its centre.
#
# **Look** (about half a minute). Three quarters of the pictures fit the probes, and the last
# quarter is asked. For kind and background the curves show the share of right answers, for all else
# $R^2$: 1 is exact, and 0 no better than always saying the mean. To the right runs the depth: 0 are
# the pixels, 1 to 9 the layers from relu1_1 to relu5_2, 10 is `average`, and 11 the scores.

# %% tags=["look"]
if NETWORK == "specimens":
    truths, TRAIN = known(facts, labels), len(pictures) * 3 // 4
    read = {(name, depth): probe_all(rows, truths, train=TRAIN)
            for name, depth, rows in progress(
                [(name, depth, rows) for name, by_layer in features.items()
                 for depth, rows in enumerate([pixels, *by_layer.values()])], "probes")}
    depths = range(1 + len(LAYERS))
    by_fact = {fact: {name: (depths, [read[name, depth][fact] for depth in depths])
                      for name in networks} for fact in truths}
    for up, some in (("share that is right", ("kind", "background")),
                     ("R²", ("size", "place", "hue"))):
        display(plots.curves({fact: by_fact[fact] for fact in some}, up=up))
else:
    print("Nothing is known of these photographs but what they show.")

# %% [markdown]
# TEXT

# %% [markdown]
# ## 6. A question
#
# A report on a network has a t-SNE map of its features in it (perplexity 30, one run), and under it
# these three sentences.
#
# 1. "The cluster of bees is far from that of umbrellas and near that of ladybugs: the network has
#    learned that bees and ladybugs are insects."
# 2. "The cluster of dice is twice as wide as that of eyes, so the network sees more variety in
#    dice."
# 3. "Nearly all bees lie together, apart from the others: in these features, a bee's nearest
#    neighbours are bees."
#
# Which of them does the map support, and which not? And for one that it does not support: what
# would you compute to find out, and from what? Five sentences will do. **One point** for a right
# judgement of the three with a reason, **one point** for a measurement that would decide, made in
# the feature space and not on the map. A person reads this.

# %% [markdown] nbgrader={"grade_id": "maps_answer", "grade": true, "solution": true, "points": 2}
# ### BEGIN SOLUTION
# The map supports the third sentence only: t-SNE is made to keep neighbours, and bees that are
# apart from all else on the map have bees for neighbours in the features, too (nearly always; the
# share can be counted with `nearest_neighbors`). It supports neither of the others. Distances
# between clusters depend on the start, as two runs show, which agree about neighbours and disagree
# about what lies beside what; and widths are made even, since the density around each row sets its
# own scale.
#
# To decide about the first, compute the distances between the mean features of the kinds, in all
# 192 dimensions, and see whether bee and ladybug are nearer than most pairs; better still, with an
# untrained network as the baseline, for bees and ladybugs might only look alike. For the second,
# compare the mean distance of the dice from their own mean in the features with that of the eyes.
# ### END SOLUTION

# %% [markdown]
# ## 7. Play: a map that answers the pointer
#
# TEXT

# %% tags=["look"]
ON_MAP = steps(500, 60)
OTHERS = range(ON_MAP, ON_MAP + 12)

widgets.feature_space_panel(
    networks, {name: {layer: rows[:ON_MAP] for layer, rows in by_layer.items()}
               for name, by_layer in features.items()},
    pictures[:ON_MAP].float() / 255, kinds[:ON_MAP],
    {f"{kinds[n]} (no. {n})": picture(n).to(device) for n in OTHERS},
    nearest_neighbors=nearest_neighbors, pca=pca, facts=facts and facts[:ON_MAP])

# %% [markdown]
# That is the end. TEXT
#
# Before you hand in: the points of the checks that passed in this session.

# %% tags=["look"]
check.progress()
