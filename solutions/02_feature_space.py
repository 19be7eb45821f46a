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
    collection = specimens.collection(steps(1200, 80), seed=2)
    pictures, labels, facts = collection.pictures, collection.labels, collection.facts
else:  # photographs, of which no more is known than what they show
    photos, labels = images.examples(model, steps(200, 80))
    pictures, facts = (photos * 255).round().byte(), None
labels = labels.cpu()
kinds = [model.class_names[k].split(",")[0][:16] for k in labels]
KIND = labels if NETWORK == "specimens" else torch.zeros_like(labels)  # colours of dots

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
# | result | `(k,)` | their *places* in the gallery, whole numbers (`torch.long`), the nearest first; for `k` 1, too, `(1,)` |
#
# Rows that are as far as others count each for itself, in any order.
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
# the features of the ordinary network. To the pixels a picture is its background: an umbrella in
# the sky has four other things in the sky beside it, and a turtle and a cactus on dark ground both
# have an umbrella on dark pebbles. To the features it is the thing, whatever lies behind it. And
# not only which thing: a large zebra ball is beside large ones, a small one beside small ones.

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
# **Count** (about 10 seconds). How often is the nearest picture of the query's kind, and how many
# of the five nearest are? By chance it would be one in 24. The untrained network is the baseline
# that matters: what it can do comes from the network's form, and not from what was learned.
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
    COUNTED = torch.arange(steps(200, 24))
    by_chance = dict.fromkeys(["the nearest", "of the five nearest", "the nearest, by cosine"],
                              1 / 24)

    def agreement(rows, k):
        """For each picture counted, which of its k nearest are of its kind: (Q, k) bool."""
        near = torch.stack([nearest_neighbors(rows[n], rows, k) for n in COUNTED]).cpu()
        return (labels[near] == labels[COUNTED, None]).float()

    with needs("nearest_neighbors"):
        shares = {"chance": by_chance}
        for name, rows in progress(spaces.items(), "spaces"):
            five, by_angle = agreement(rows, 5), agreement(F.normalize(rows), 1)
            shares[name] = dict(zip(by_chance, (five[:, 0].mean().item(), five.mean().item(),
                                                by_angle.mean().item())))
        display(plots.bars(shares, baselines=["chance"]))
else:
    print("Each of these photographs shows another kind of thing: there is nothing to count.")

# %% tags=["figures"]
from cs_vis.grading.prose import claim, percent, spelled

first, fifth, angle = by_chance
whole = pictures.flatten(1).float() / 255  # (N, 49152)
away = torch.cdist(whole[COUNTED], whole).scatter(1, COUNTED[:, None], torch.inf)
by_whole = (labels[away.argmin(dim=1)] == labels[COUNTED]).float().mean().item()

[f"pixels find the right kind in {percent(shares['pixels'][first])} of the cases, and the "
 f"untrained network in {percent(shares['untrained'][first])}",
 f"(With all 49 152 pixels it is {percent(by_whole)}.)",
 f"by cosine {percent(shares['pixels'][angle])} and {percent(shares['untrained'][angle])}",
 f"In the trained networks it is {percent(shares['ordinary'][first])} and "
 f"{percent(shares['robust'][first])}."]

# %% [markdown]
# The pixels find the right kind in 9 % of the cases, and the untrained network in 16 %; by cosine
# 14 % and 25 %. That is more than one in 24, but no more than a few kinds of their own colours and
# forms give away. (With all 49 152 pixels it is 11 %.) In the trained networks it is 100 % and
# 100 %. So here the baseline embarrasses nobody: what brings the kinds together was learned. It
# might have been otherwise, and one has to look.
#
# **Think.** The last layer of all gives the scores. Why not measure there?
#
# <details><summary>One answer</summary>
#
# You can; but the scores are one number for each of the kinds that the network was asked to tell
# apart, and they are made to forget all else. The layer before still knows how large a thing is
# (section 5), and so a small zebra ball is beside small ones. And it can be asked about things that
# have no name here: that is what such features are mostly used for.
# </details>
#
# **How this was found.** A. Krizhevsky, I. Sutskever and G. Hinton, *ImageNet classification with
# deep convolutional neural networks*, 2012, show the nearest pictures by the last hidden layer of
# their network, and note that by pixels these are far from each other.

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
# All three in the dtype of `features`, which may be single or double precision.
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
# grey is 0. These are the eight in which the pictures differ most, each with its share of the
# variance. They are what light does to any picture: light or dark, orange or blue, green or
# magenta; light from above, from the left, in the middle. Only then comes something like an object,
# a coloured spot. A thing with legs is not among them.

# %% tags=["look"]
with needs("pca"):
    points, components, variances = pca(pixels, 8)
    shares = (variances / pixels.var(dim=0).sum()).tolist()
    eigenpictures = components.view(8, 3, 32, 32)
    display(plots.show([plots.signed(one)._replace(note="") for one in eigenpictures],
                       [f"{share:.1%}" for share in shares], height=1.05))

# %% [markdown]
# **How many directions does it take?** (About 5 seconds.) The curves add up the variances, as a
# share of all there is. The untrained network's cloud is nearly a line: the first holds 84 %. In
# the ordinary network's the first holds 8 %, and still 21 of the 192 directions hold 90 %. Then the
# curve has a bend: 23 directions hold 96 %. That is no accident. There are 24 kinds, and 24 points,
# the means of the kinds, span 23 directions; what the pictures of a kind differ in is nearly gone.
# And the pixels need 87 for 80 %.

# %% tags=["look"]
with needs("pca"):
    lines = {}
    for name, rows in progress(spaces.items(), "spaces"):
        most = min(steps(191, 40), len(rows) - 1, rows.shape[1] - 1)
        together = pca(rows, most)[2].cumsum(0) / rows.var(dim=0).sum()
        lines[name] = (range(1, most + 1), together.tolist())
    display(plots.curves({"directions": lines}, up="share of the variance", log=True))

# %% tags=["figures"]
def needed(name, share):
    """How many directions hold so much of the variance."""
    return 1 + sum(value < share for value in lines[name][1])

[f"the first holds {percent(lines['untrained'][1][0])}",
 f"{needed('ordinary', 0.9)} of the 192 directions hold {percent(0.9)}",
 f"the first holds {percent(lines['ordinary'][1][0])}",
 f"23 directions hold {percent(lines['ordinary'][1][22])}",
 f"the pixels need {needed('pixels', 0.8)} for {percent(0.8)}"]

# %% [markdown]
# **The map** (about 2 seconds). Each dot is a picture, its colour says of which kind it is, and the
# two axes are the first two directions, drawn to one scale. As in a picture, the second runs down.

# %% tags=["look"]
with needs("pca"):
    display(plots.scatter({name: pca(rows, 2)[0] for name, rows in spaces.items()}, KIND,
                          height=2.4))

# %% [markdown]
# The pixels and the untrained network mix the kinds. In the two trained ones they have come apart:
# patches of one colour in the ordinary network, and rays from the middle in the robust one. But in
# the middle many kinds lie over each other. That does not make them alike: two of 23 directions are
# a narrow view.
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
# **Look** (about 15 seconds). The *perplexity* is about how many neighbours each row minds. Three
# of them, started from the first two directions of PCA; and 30 again, from random points. With 5,
# most digits fall to pieces, and the pieces mean nothing. With 30 most are in one piece, with 100
# the pieces are wide and loose. Some things are in all four maps: the few nines beside the sevens,
# and a crumb of ones that lies off, near the sixes.

# %% tags=["look"]
from sklearn.datasets import load_digits

digits = load_digits()
digit_rows = torch.tensor(digits.data[:steps(600, 120)], dtype=torch.float32)  # (600, 64)
digit_labels = torch.tensor(digits.target[:len(digit_rows)])
RUNS = {"perplexity 5": {"perplexity": 5}, "perplexity 30": {"perplexity": 30},
        "perplexity 100": {"perplexity": 100}, "30, random start": {"start": "random", "seed": 1}}
digit_maps = {name: tsne(digit_rows, **settings)
              for name, settings in progress(RUNS.items(), "maps")}
plots.scatter(digit_maps, digit_labels, names=[str(digit) for digit in range(10)], height=2.3)

# %% [markdown]
# **And now the specimens** (about half a minute). First the map of their pixels and that of the
# untrained network; then that of the ordinary one, twice. The two runs differ in nothing but the
# points they start from.

# %% tags=["look"]
LAID = slice(min(steps(30, 8), int(len(pictures) ** 0.5)) ** 2)  # as many as fill a square
names = specimens.class_names if NETWORK == "specimens" else []
maps = {name: tsne(spaces[name][LAID])
        for name in progress(["pixels", "untrained", "ordinary"], "maps")}
restarted = [tsne(spaces["ordinary"][LAID], start="random", seed=seed)
             for seed in progress((1, 2), "starts")]
display(plots.scatter({name: maps[name] for name in ("pixels", "untrained")}, KIND[LAID],
                      height=3.2))
display(plots.scatter({"ordinary": maps["ordinary"], "ordinary, a random start": restarted[0]},
                      KIND[LAID], names=names, height=4.5))

# %% [markdown]
# **Count** (about 2 seconds). What do two maps, or a map and the features themselves, have in
# common? Two questions: how many of a picture's five nearest are the same, on average? And are the
# kinds that are far apart in one far apart in the other? For that we take the distances between the
# means of all pairs of kinds, and ask whether they come in the same order (Spearman's rank
# correlation: 1 is the same order, 0 no relation).

# %% tags=["look"]
from scipy.stats import spearmanr

def kept(one, other):
    """Of the five nearest in one space, how many are among the five nearest in the other."""
    some = range(min(100, len(one)))
    near = [[nearest_neighbors(rows[n], rows, 5) for n in some] for rows in (one, other)]
    both = [len(set(a.tolist()) & set(b.tolist())) / 5 for a, b in zip(*near)]
    return sum(both) / len(both)

def alike(one, other, labels):
    """Do two spaces order the distances between kinds alike?"""
    return float(spearmanr(*(centroid_distances(rows, labels).cpu()
                             for rows in (one, other))).statistic)

rows, own = spaces["ordinary"][LAID], labels[LAID]
PAIRS = {"digits, two runs": (digit_maps["perplexity 30"], digit_maps["30, random start"],
                              digit_labels),
         "digits, a run and their pixels": (digit_maps["perplexity 30"], digit_rows, digit_labels),
         "specimens, two runs": (maps["ordinary"], restarted[0], own),
         "specimens, two others": (restarted[0], restarted[1], own),
         "specimens, a run and their features": (maps["ordinary"], rows, own),
         "specimens, another and their features": (restarted[0], rows, own)}

with needs("nearest_neighbors"):
    shared = {words: (kept(one, other), alike(one, other, kind))
              for words, (one, other, kind) in PAIRS.items()}
    print(f"{'':40}neighbours   order of distances")
    for words, found in shared.items():
        print("{:40}{:10.2f}{:13.2f}".format(words, *found))

# %% tags=["figures"]
runs, others = shared["specimens, two runs"], shared["digits, two runs"]
straight = shared["specimens, a run and their features"]
chance_start = shared["specimens, another and their features"]

[f"nearest by features, {percent(straight[0])} are among the five nearest on the map",
 f"of the five nearest on one map, {percent(runs[0])} are so in the other run",
 f"with a correlation of {others[1]:.1f}, and it has something of the digits' own, "
 f"{shared['digits, a run and their pixels'][1]:.1f}",
 f"orders of distances in one run and in the other have a correlation of {abs(runs[1]):.1f}",
 f"those of the features, {straight[1]:.1f} instead of {chance_start[1]:.1f}"]

# %% [markdown]
# *Neighbours* the map is to be trusted with, in part: of a picture's five nearest by features, 58 %
# are among the five nearest on the map; and of the five nearest on one map, 95 % are so in the
# other run. *Distances* it is not. For the digits all goes well: in the second run they are turned
# over, but the order of the distances is the same, with a correlation of 1.0, and it has something
# of the digits' own, 0.8. There one kind touches the next, and holds it in its place. Where the
# kinds lie apart, as in our network, nothing holds them: the orders of distances in one run and in
# the other have a correlation of 0.0. The cactus is at the left of the first map, and in the middle
# of the other, and both are maps of one cloud. Where a kind lies was settled by the start.
#
# That is why scikit-learn starts from PCA unless it is told otherwise: the large distances on the
# map are then a little like those of the features, 0.4 instead of 0.2. And it gives the same map
# in every run here, which is convenient, and hides all this.
#
# What else a map does not say. How *wide* a patch is: each row gets a scale of its own, so dense
# ones are drawn wider, and loose ones narrower. How *many* groups there are: look at perplexity 5.
# And the axes have no meaning at all.
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
# The result is of the dtype of `images`; points and images may be of single or double precision.
# What counts is the assignment: all coordinates moved or stretched alike give the same.
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
# **Look** (about 5 seconds). 900 pictures by the features of the ordinary network: worth a sheet of
# paper. Every kind has its quarter, with odd ones at the borders, where t-SNE's empty space was.
# Look into a quarter, and there is order in it, too: large clocks on one side, and small ones on
# the other.

# %% tags=["look"]
with torch.no_grad():
    small = F.interpolate(pictures[LAID].float() / 255, size=(44, 44), mode="bilinear",
                          antialias=True)

with needs("grid_layout"):
    wall = grid_layout(maps["ordinary"].cpu(), small)
    display(plots.show([wall], height=wall.shape[2] / 115))

# %% [markdown]
# **And by pixels.** The same pictures, the same function, and t-SNE of the pixels: sorted by colour
# and light, as if by a painter. There is a corner of orange and one of green, darkness along one
# side and bright skies along another, and what the pictures show is strewn over all of it.

# %% tags=["look"]
with needs("grid_layout"):
    by_pixels = grid_layout(maps["pixels"].cpu(), F.avg_pool2d(small, 2))
    display(plots.show([by_pixels], height=4.6))

# %% [markdown]
# ## 5. What does a layer know?
#
# **The idea.** Nearness is one question. Here is another: *can it be read?* Take the features of a
# layer and fit a straight line to them, that is a weighted sum of the features that predicts, say,
# the size of the object. If this *linear probe* is right for pictures that it was not fitted to,
# the layer says how large the object is, in the open. Our facts are: the kind of thing, the
# background behind it, the hue, the size, and the place of its centre.
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

# %% tags=["figures"]
def at(fact, layer, name="ordinary"):
    """How well a fact can be read from a layer."""
    return read[name, 1 + LAYERS.index(layer)][fact]

hue = truths["hue"]
from_kind = explained(probe(truths["kind"], hue, train=TRAIN), hue[TRAIN:])
photo = truths["background"].mean(dim=0).max().item()

[f"from {percent(at('kind', 'relu1_1'))} in relu1_1 to {percent(at('kind', 'relu5_2'))}",
 f"never above {percent(max(at('kind', layer, 'untrained') for layer in LAYERS))}",
 f"from {percent(read['ordinary', 0]['background'])} in the pixels to "
 f"{percent(at('background', 'relu3_1'))} in relu3_1, and falls to "
 f"{percent(at('background', 'relu5_2'))}",
 f"for {percent(photo)} of them are photographs",
 f"rises to {at('place', 'relu5_2'):.2f} in relu5_2",
 f"{at('place', 'average'):.2f} in `average` and {at('place', 'fc'):.2f} in the scores",
 f"{at('size', 'average'):.2f} in `average` and {at('size', 'fc'):.2f} in the scores",
 f"untrained network still give {at('place', 'fc', 'untrained'):.2f} for the place and "
 f"{at('size', 'fc', 'untrained'):.2f} for the size",
 f"from {at('hue', 'relu1_1'):.2f} to {at('hue', 'average'):.2f}",
 f"the kind alone explains {from_kind:.2f}"]

# %% [markdown]
# **The kind** can be read better and better, from 33 % in relu1_1 to 100 % in relu5_2. In the
# untrained network it is never above 39 %: so it is learned.
#
# **The background** goes another way. It rises from 29 % in the pixels to 62 % in relu3_1, and
# falls to 17 % in relu5_2; who always says *photo* is right more often, for 21 % of them are
# photographs. The layers in the middle know textures, whatever they belong to. Later ones keep what
# the kinds need, and let the rest go. Forgetting is what was learned here: the untrained network
# keeps what it has nearly to the end.
#
# **The place** was never asked for, and rises to 0.89 in relu5_2: the better a layer finds the
# thing, the better it says where that is. Then comes the mean over all places. It is 0.39 in
# `average` and 0.00 in the scores. **The size** has it likewise, 0.68 in `average` and 0.00 in the
# scores. That, too, was learned, for the scores of the untrained network still give 0.45 for the
# place and 0.26 for the size.
#
# **The hue** seems to get clearer in the end, from 0.37 to 0.55. But strawberries are red: the kind
# alone explains 0.53. Without this baseline we would have said that the network learns about hues.
#
# **What a probe cannot find.** (About 20 seconds.) One fact is missing above: the *turn* of a thing
# that usually stands upright. A probe of all such things finds nothing of it in any layer. Is it
# not there? Ask about one kind alone, 300 mushrooms:

# %% tags=["look"]
if NETWORK == "specimens":
    drawn = [specimens.draw(seed, "mushroom") for seed in progress(range(steps(300, 24)), "drawn")]
    by_layer = collect(model, [torch.cat([one.image for one in drawn[i:i + 50]]).to(device)
                               for i in range(0, len(drawn), 50)], LAYERS)
    turns = torch.tensor([fact["pose"]["angle"] for fact in facts])            # radians, (N,)
    upright = torch.stack([turns[labels == k].abs().max() < 0.61 for k in labels])  # (N,) bool

    def turn_read(rows, turn):
        """R² of a probe for the turn, fitted to three quarters of the rows; at least 0."""
        train = len(rows) * 3 // 4
        return max(explained(probe(rows, turn[:, None], train=train), turn[train:, None]), 0)

    both = {"upright kinds together": [(features["ordinary"][layer][upright], turns[upright])
                                       for layer in LAYERS],
            "mushrooms alone": [(by_layer[layer], torch.tensor(
                [one.facts["pose"]["angle"] for one in drawn])) for layer in LAYERS]}
    turn = {name: (range(1, 1 + len(LAYERS)), [turn_read(*pair) for pair in pairs])
            for name, pairs in progress(both.items(), "turns")}
    display(plots.curves({"the turn, by depth": turn}, up="R²"))

# %% tags=["figures"]
turn_best = {name: max(ys) for name, (_, ys) in turn.items()}
[f"no layer explains more than {turn_best['upright kinds together']:.2f}",
 f"up to {turn_best['mushrooms alone']:.2f}"]

# %% [markdown]
# For all upright kinds together no layer explains more than 0.05, and for mushrooms up to 0.63. So
# the turn is there. But what *turned to the right* looks like is different for each kind, and a
# weighted sum cannot say: if it is a mushroom look at these features, and if it is a cone at those.
#
# So a probe that is right shows that something is there, and one that is wrong shows only that it
# is not there *for a straight line*. And neither shows that the network makes any use of it.
#
# **Think.** A network that tells dogs from wolves has learned from wolves in snow. In which of
# the curves above could you see it?
#
# <details><summary>One answer</summary>
#
# In that of the background: it would not fall. A layer that needs the snow has to keep it. That
# would be a reason to suspect something, and no proof; for this, change the background and look at
# the scores.
# </details>
#
# **How this was found.** G. Alain and Y. Bengio, *Understanding intermediate layers using linear
# classifier probes*, 2016.

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
# **Your answer.**
#
# <!-- ### BEGIN SOLUTION -->
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
# <!-- ### END SOLUTION -->

# %% [markdown]
# ## 7. Play: a map that answers the pointer
#
# 400 pictures on a map, each in a frame of its kind's colour, and moved a little so that no two
# overlap. Point at one, or go from one to the next with the tab key, and it is shown large. The
# menu *picture* has pictures that are not on the map, and takes one of yours: it is put beside its
# nearest neighbour, and in black frames are those that your `nearest_neighbors` finds. Choose a
# layer and a network; colour the map by the background, and see in which layers the colours are
# sorted. (The first t-SNE of a layer takes some seconds. Pointing works in a saved notebook, too.)

# %% tags=["look"]
ON_MAP = min(steps(400, 60), len(pictures) - 12)
OTHERS = range(ON_MAP, ON_MAP + 12)

widgets.feature_space_panel(
    networks, {name: {layer: rows[:ON_MAP] for layer, rows in by_layer.items()}
               for name, by_layer in features.items()},
    pictures[:ON_MAP].float() / 255, kinds[:ON_MAP],
    {f"{kinds[n]} (no. {n})": picture(n).to(device) for n in OTHERS},
    nearest_neighbors=nearest_neighbors, pca=pca, facts=facts and facts[:ON_MAP])

# %% [markdown]
# That is the end. You have seen a cloud of pictures sorted by what they show, and what had to be
# forgotten for it. The next notebook goes back to one picture, and asks which of its pixels did it.
#
# Before you hand in: the points of the checks that passed in this session.

# %% tags=["look"]
check.progress()
