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
# # What in this image mattered?
#
# A network looks at a picture and says *ladybug*. Fine. But did it look at the ladybug?
#
# You will build four instruments that answer, each a few lines of code:
#
# | you write | it asks | points |
# | --- | --- | --- |
# | `compute_saliency_maps` | which pixels would change the score, if I nudged them? | 6 |
# | `occlusion_map` | what can I cover before the network loses its answer? | 5 |
# | `GuidedReLU` | what excited this neuron? (a picture, and a trap) | 5 |
# | `segment_by_saliency` | can the answer cut out the object, though nobody drew its outline? | 4 |
#
# Then you put them on trial. Our pictures are drawn by code, so we know the truth about them:
# where the object is, what its parts are, and what happens when a part is left out.
#
# Run the cells in order. Everything runs on a laptop without a network connection; the whole
# notebook computes for about three minutes. Where the course's package is missing, the first cell
# says what to do. `check.progress()` lists your points so far, whenever you like.

# %% nbgrader={"grade_id": "setup_imports", "locked": true} tags=["setup"]
import cv2
import numpy as np
import torch
from IPython.display import display

from cs_vis import (activations, check, images, load_model, pick_device, plots, specimens,
                    widgets)
from cs_vis.notebook import needs, progress, steps
from cs_vis.methods.field import crop, field_of_view
from cs_vis.methods.occlusion import occlusion_loss
from cs_vis.methods.saliency import DeconvReLU, backprop, smooth, smooth_saliency
from cs_vis.methods.scores import centre_map, energy_inside, iou, pointing_game
from cs_vis.models import untrained

device = pick_device()
model = load_model("specimens", device=device)          # trained the ordinary way
robust = load_model("specimens-robust", device=device)  # trained against small perturbations
random_weights = untrained("specimens", generator=torch.Generator().manual_seed(0),
                           device=device)

gallery = specimens.gallery()
KINDS = ["ladybug", "bee", "snail", "mushroom", "eye", "traffic cone"]
chosen = [gallery.labels.tolist().index(specimens.class_names.index(kind)) for kind in KINDS]
X = gallery.images[chosen].to(device)     # (6, 3, 128, 128), RGB in [0, 1]
y = gallery.labels[chosen].to(device)     # (6,), indices into specimens.class_names
masks = gallery.masks[chosen].to(device)  # (6, 128, 128), True on the object

# %% [markdown]
# Six pictures from the course's gallery. Below each, the truth: the outline of what is visible of
# the object. The network has never seen an outline; it was told one word per picture.

# %% tags=["look"]
with torch.no_grad():
    answers = model(X).softmax(dim=1)  # (6, K)
said = [f"{model.class_names[p.argmax()]}, {p.max():.0%}" for p in answers]
plots.show([list(X), [plots.outlined(*pair) for pair in zip(X, masks)]],
           [said, [f"truth: {kind}" for kind in KINDS]], labels=["the network says", "outline"])

# %% [markdown]
# ## 1. Saliency: nudge every pixel at once
#
# **The idea.** Change one pixel a little, and the network's score for *ladybug* changes a little.
# Do that for every pixel and draw how strongly the score reacts. Trying them one by one would
# take $3 \cdot 128 \cdot 128 = 49\,152$ passes; the gradient gives all of them in one pass back.
#
# **The equation.** $S_k(I)$ is the *raw score* (before the softmax) of class $k$ for image $I$.
# The map of image $n$ with class $y_n$ is
#
# $$ M_n(i, j) = \max_{c} \left| \frac{\partial S_{y_n}(X_n)}{\partial X_n(c, i, j)} \right| $$
#
# the gradient's absolute value, and of the three colours the largest.
#
# **The shapes.**
#
# | name | shape | what |
# | --- | --- | --- |
# | `X` | `(N, 3, H, W)` | images, RGB in [0, 1] |
# | `y` | `(N,)` | one class index per image; it need not be the class that the network would say |
# | `model(X)` | `(N, K)` | raw scores of all classes |
# | result | `(N, H, W)` | not rescaled, on the device and in the dtype of `X` |
#
# `N` may be 1, and `H` and `W` may differ. The map belongs to its image alone: neither `N`, nor
# the other images in the batch, nor a gradient that an earlier call left in `X.grad` may change
# it. Leave alone: the values of `X` and `y`, and the network, that is its mode (it comes in eval
# mode), its weights and their gradients, its layers; a hook goes before you return. `X.grad` and
# `X.requires_grad` are yours to use.
#
# **A hint.** `scores.gather(1, y.view(-1, 1))` picks one score per row. Image $n$ influences only
# row $n$, so one call of `torch.autograd.grad` on a *sum* gives every image its own gradient.
#
# **Your turn** (about five lines).

# %% nbgrader={"grade_id": "saliency_solution", "solution": true} tags=["solution"]
def compute_saliency_maps(X, y, model):
    """The largest absolute gradient over the colours, of the raw score of class y.

    X (N, 3, H, W), y (N,) -> (N, H, W)
    """
    ### BEGIN SOLUTION
    X = X.detach().requires_grad_()  # a new leaf; the caller's X stays as it was
    scores = model(X)  # (N, K)
    gradient, = torch.autograd.grad(scores.gather(1, y.view(-1, 1)).sum(), X)  # (N, 3, H, W)
    return gradient.abs().amax(dim=1)  # (N, H, W)
    ### END SOLUTION

# %% [markdown]
# **Check.** This runs your function on tiny networks with known answers. If it recognises a slip,
# it names it. The cells after it say what they are worth and look empty: there the grader tries
# your function on other inputs. The other exercises have the same.

# %% nbgrader={"grade_id": "saliency_check", "grade": true, "locked": true, "points": 2} tags=["check"]
check.compute_saliency_maps(compute_saliency_maps)

# %% nbgrader={"grade_id": "saliency_hidden_batch", "grade": true, "locked": true, "points": 2} tags=["check"]
# Two points: three images at once, one of them asked about a class that it does not show.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import saliency as hidden
hidden.batch(compute_saliency_maps)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "saliency_hidden_single", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: a single image, wider than high, keeps its batch axis: (1, H, W).
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import saliency as hidden
hidden.single(compute_saliency_maps)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "saliency_hidden_place", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: bright and dark at the right places, whatever the scale.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import saliency as hidden
hidden.place(compute_saliency_maps)
### END HIDDEN TESTS

# %% [markdown]
# **Look** (about 2 seconds). The two networks see the same pictures. Expect grainy maps, most of
# them brighter on the object than off it. The ordinary network's snail has a second bright place
# above it, and its ladybug is brightest *below* the beetle, on the bricks.
#
# The robust network was trained so that a small change of the picture must not change its answer.
# Its maps are the cleaner ones: dark around the bee and the snail, and you can see that the eye is
# an eye; though beside the cone they also trace a stone. Over many pictures, 0.54 of a map's sum
# lies on the object, and 0.41 for the ordinary network (section 5 counts). Under each map stands
# the value that is printed white: the robust network's score reacts five to twelve times less to
# the same nudge, which is what it was trained for.

# %% tags=["look"]
with needs("compute_saliency_maps"):
    ordinary_maps = compute_saliency_maps(X, y, model)  # (6, 128, 128)
    robust_maps = compute_saliency_maps(X, y, robust)
    display(plots.show([list(X), [plots.grey(m) for m in ordinary_maps],
                        [plots.grey(m) for m in robust_maps]], KINDS,
                       labels=["picture", "ordinary", "robust"]))

# %% tags=["figures"]
from cs_vis.grading.prose import article, claim, fraction, percent, spelled

white = torch.stack([ordinary_maps, robust_maps]).flatten(2).quantile(0.995, dim=2)  # (2, 6)
times_less = (white[0] / white[1]).tolist()
brighter = [m[mask].mean() > m[~mask].mean()
            for maps in (ordinary_maps, robust_maps) for m, mask in zip(maps, masks)]
brightest_row = smooth(ordinary_maps, 2)[0].amax(dim=1).argmax()  # of the ladybug's map

[f"score reacts {spelled(min(times_less))} to {spelled(max(times_less))} times less to the same",
 claim("most of them brighter on the object than off it", sum(brighter) > len(brighter) / 2),
 claim("its ladybug is brightest *below* the beetle",
       brightest_row > masks[0].any(dim=1).nonzero().max())]

# %% [markdown]
# **Noise against noise.** The grain is real: the gradient jumps from pixel to pixel, because the
# network is made of thousands of little kinks. *SmoothGrad* asks the same question around the
# image, not only at it. It adds Gaussian noise of standard deviation $\sigma$ and takes the mean
# map:
#
# $$ \tilde M = \frac{1}{m} \sum_{t=1}^{m} M(X + \varepsilon_t), \qquad
# \varepsilon_t \sim \mathcal N(0, \sigma^2) $$
#
# It is given, and it runs your function (about 5 seconds). Expect softer, less grainy patches, and
# the ladybug's light on its back now; but the ripples below the eye light up, too. Choose $\sigma$
# with care: at 0.15 the noise hides the textures that the network goes by, and the bee's and the
# snail's maps run off to the corners. Try it.

# %% tags=["look"]
with needs("compute_saliency_maps"):
    smoothed_maps = smooth_saliency(X, y, model, compute_saliency_maps, samples=steps(16, 2),
                                    sigma=0.05, generator=torch.Generator().manual_seed(1))
    display(plots.show([[plots.grey(m) for m in smoothed_maps],
                        [plots.heat(*pair) for pair in zip(X, smooth(smoothed_maps, 2))]], KINDS,
                       labels=["smoothed", "on the picture"]))

# %% [markdown]
# **Play.** You may ask about any class, also one that is not in the picture. Change `ask`.

# %% tags=["look"]
ask = "snail"

with needs("compute_saliency_maps"):
    asked = torch.full_like(y, model.class_names.index(ask))
    asked_maps = compute_saliency_maps(X, asked, robust)
    display(plots.show([list(X), [plots.grey(m) for m in asked_maps]], KINDS,
                       labels=["picture", f"why {ask}?"]))

# %% [markdown]
# **Think.** A pixel of the ladybug is bright in the map. Does that mean the pixel speaks *for*
# ladybug?
#
# <details><summary>One answer</summary>
#
# No. The absolute value has thrown the sign away: brightening the pixel might raise the score or
# lower it. The map shows what the score is *sensitive* to, here, for tiny changes. It says
# nothing about what would happen if the pixel were gone. That is the next question.
# </details>
#
# **How this was found.** K. Simonyan, A. Vedaldi and A. Zisserman, *Deep inside convolutional
# networks: visualising image classification models and saliency maps*, 2014. D. Smilkov, N.
# Thorat, B. Kim, F. Viégas and M. Wattenberg, *SmoothGrad: removing noise by adding noise*, 2017.
# That robust networks have cleaner gradients: D. Tsipras, S. Santurkar, L. Engstrom, A. Turner
# and A. Mądry, *Robustness may be at odds with accuracy*, 2019.

# %% [markdown]
# ## 2. Occlusion: cover it and see
#
# **The idea.** A gradient speaks of tiny changes. Here is the blunt experiment: cover a square of
# the picture with a plain colour, ask the network again, move the square. Where the probability
# falls, something under the square was needed.
#
# **The equation.** Let $I_{r,c}$ be the image with the window at row $t_r$, column $\ell_c$
# painted in one colour. Then
#
# $$ A(r, c) \;=\; p_y(I_{r,c}) \;=\; \frac{e^{S_y(I_{r,c})}}{\sum_k e^{S_k(I_{r,c})}} $$
#
# **The shapes.**
#
# | name | shape | what |
# | --- | --- | --- |
# | `image` | `(1, 3, H, W)` | one image, RGB in [0, 1]; it stays as it was |
# | `y` | int | the class asked for |
# | `patch` | int | side of the square window, in pixels |
# | `stride` | int | step from one window to the next, in pixels |
# | `fill` | `(3,)` | colour of the patch; `None` means `model.mean_color` |
# | result | `(rows, cols)` | the *softmax probability* of `y` that is left; a tensor in the dtype of `image` |
#
# Windows start at 0, `stride`, 2 `stride`, …, and the last one lies **flush with the border**: if
# the steps do not end there, one more window does. With `H = 128`, `patch = 32` and `stride = 20`
# the rows start at 0, 20, 40, 60, 80 and 96.
#
# **Your turn** (about eight lines: the starts, two loops, a copy with a patch, a softmax).

# %% nbgrader={"grade_id": "occlusion_solution", "solution": true} tags=["solution"]
@torch.no_grad()
def occlusion_map(image, y, model, patch=32, stride=16, fill=None):
    """The softmax probability of class y with the patch at each position.

    image (1, 3, H, W), y int -> (rows, cols)
    """
    fill = (model.mean_color if fill is None else fill).to(image)  # (3,)
    ### BEGIN SOLUTION
    tops, lefts = (sorted({*range(0, size - patch, stride), size - patch})
                   for size in image.shape[2:])
    result = image.new_empty(len(tops), len(lefts))
    for r, top in enumerate(tops):
        for c, left in enumerate(lefts):
            covered = image.clone()
            covered[:, :, top:top + patch, left:left + patch] = fill.view(3, 1, 1)
            result[r, c] = model(covered).softmax(dim=1)[0, y]
    return result
    ### END SOLUTION

# %% nbgrader={"grade_id": "occlusion_check", "grade": true, "locked": true, "points": 2} tags=["check"]
check.occlusion_map(occlusion_map)

# %% nbgrader={"grade_id": "occlusion_hidden_steps", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: a fresh image whose sides the steps divide evenly.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import saliency as hidden
hidden.steps(occlusion_map)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "occlusion_hidden_border", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: sides that the steps do not divide, rows and columns different in number.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import saliency as hidden
hidden.border(occlusion_map)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "occlusion_hidden_fill", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: `fill` is the patch's colour, and without it the network's mean colour.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import saliency as hidden
hidden.fill(occlusion_map)
### END HIDDEN TESTS

# %% [markdown]
# **Look** (about 15 seconds). Dark means: with this window covered, little of the probability is
# left. Light means: as much as on the whole picture, whose probability stands below. Expect light
# everywhere but on the object: a dark spot where the object is small, and only a shade where it is
# so large that enough of it stays in sight.
#
# The square in the corner is the patch, drawn to size. Each value stands where the middle of the
# patch was, so a map ends half a patch before the border.

# %% tags=["look"]
PATCH, STRIDE = 32, steps(8, 24)

with torch.no_grad():
    whole = model(X).softmax(dim=1)[range(len(X)), y]  # (6,), with nothing covered

with needs("occlusion_map"):
    occlusion_maps = [occlusion_map(X[n:n + 1], int(y[n]), model, PATCH, STRIDE)
                      for n in progress(range(len(X)), "pictures")]
    display(plots.occlusion(list(X), occlusion_maps, whole, KINDS, patch=PATCH))

# %% [markdown]
# **Play.** How large a patch does it take (about 10 seconds)? Change the numbers. A small patch
# hides too little to matter; a large one hides everything at once, and then the map only says
# "somewhere here".

# %% tags=["look"]
which = 0
patches = [8, 16, 32, 64]

one, k = X[which:which + 1], int(y[which])
with torch.no_grad():
    nothing_covered = model(one).softmax(dim=1)[0, k]

with needs("occlusion_map"):
    by_size = [occlusion_map(one, k, model, p, steps(max(p // 2, 8), 32))
               for p in progress(patches, "patches")]
    display(plots.occlusion([one] * len(patches), by_size, [nothing_covered] * len(patches),
                            [f"{p} pixels" for p in patches], patch=patches))

# %% [markdown]
# **Think.** Sometimes covering a piece of *background* lowers the probability. Two reasons?
#
# <details><summary>One answer</summary>
#
# The background may be evidence: networks learn what usually surrounds a thing. Or the patch
# itself is: a flat square is an object that was not there before, with edges and corners, and the
# network has never seen a picture with one. Occlusion changes the picture to one that does not
# occur. At the end of this notebook we can do better: we leave a part out and let the world be
# drawn again without it.
# </details>
#
# **How this was found.** M. Zeiler and R. Fergus, *Visualizing and understanding convolutional
# networks*, 2014.

# %% [markdown]
# ## 3. Guided backprop: a sharp picture, and a trap
#
# **The idea.** A neuron's gradient mixes what excites it with what holds it back. Suppose you
# keep only the excitement: on the way back, at every ReLU, throw away what is negative. The
# picture that arrives at the pixels is strikingly sharp. Whether it is an *explanation* you will
# find out.
#
# **The equation.** At a ReLU, let $x$ be its input on the way forward and $g$ the gradient that
# arrives from above on the way back. $[\,\cdot\,]$ is 1 where the statement holds, else 0. Three
# rules:
#
# | rule | forward | backward |
# | --- | --- | --- |
# | the true gradient | $\max(x, 0)$ | $g \cdot [x > 0]$ |
# | deconvnet | $\max(x, 0)$ | $g \cdot [g > 0]$ |
# | **guided backprop** | $\max(x, 0)$ | $g \cdot [g > 0] \cdot [x > 0]$ |
#
# **The shapes.** $x$, $g$ and both results have one and the same shape, whatever it is.
#
# A `torch.autograd.Function` is how you teach PyTorch your own backward rule: `forward` keeps
# what `backward` will need with `ctx.save_for_backward(x)`, and `backward` finds it in
# `ctx.saved_tensors`, a tuple. You call it as `GuidedReLU.apply(x)`. Change neither $x$ nor $g$.
#
# **Your turn** (about four lines).

# %% nbgrader={"grade_id": "guided_solution", "solution": true} tags=["solution"]
class GuidedReLU(torch.autograd.Function):
    """A ReLU that passes back only what is positive on both ways."""

    @staticmethod
    def forward(ctx, x):
        ### BEGIN SOLUTION
        ctx.save_for_backward(x)
        return x.clamp(min=0)
        ### END SOLUTION

    @staticmethod
    def backward(ctx, g):
        ### BEGIN SOLUTION
        x, = ctx.saved_tensors
        return g.clamp(min=0) * (x > 0)
        ### END SOLUTION

# %% nbgrader={"grade_id": "guided_check", "grade": true, "locked": true, "points": 2} tags=["check"]
check.GuidedReLU(GuidedReLU)

# %% nbgrader={"grade_id": "guided_hidden_forward", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: forward it is an ordinary ReLU, for any shape.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import saliency as hidden
hidden.forward(GuidedReLU)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "guided_hidden_backward", "grade": true, "locked": true, "points": 2} tags=["check"]
# Two points: on fresh values and gradients of both signs, zeros among them, and through whole
# networks.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import saliency as hidden
hidden.backward(GuidedReLU)
### END HIDDEN TESTS

# %% [markdown]
# **Look** (about 2 seconds). `backprop(model, images, target, relu=rule)` is given: while it
# runs, every ReLU of the network follows your rule, and afterwards nothing of it remains. The
# pictures are signed: mid-grey is 0, and the scale, the same to both sides, stands below each.
#
# Expect noise for the gradient, edges from all over the picture for the deconvnet, and for guided
# backprop something like an engraving of the object.

# %% tags=["look"]
rules = {"gradient": None, "deconvnet": DeconvReLU, "guided": GuidedReLU}

def ask_the_class(rule):
    """By this rule, what excited class y: it is channel y of the last layer, fc."""
    return torch.cat([backprop(model, X[n:n + 1], int(y[n]), layer="fc", relu=rule)
                      for n in range(len(X))])

with needs("GuidedReLU"):
    engraved = {name: ask_the_class(rule) for name, rule in rules.items()}
    display(plots.show([list(X),
                        *[[plots.signed(g) for g in gradients] for gradients in engraved.values()]],
                       KINDS, labels=["picture", *engraved]))

# %% [markdown]
# **Any neuron.** Nothing says that you must ask about a class. Take a channel of an inner layer,
# find the gallery pictures that excite it most, and ask which pixels did it: that is how one
# finds out what a neuron looks for (about 10 seconds). Of each picture you see what the neuron
# with the largest value of that channel can see at all, its *receptive field*; where that leaves
# the picture, it is white. Below: guided backprop of this neuron, `target=(channel, row, col)`.
#
# Expect rings in channel 3, rows of scales and stripes in channel 17, and rows of dots in channel
# 40: the eye on a butterfly's wing excites the same neuron as the dial of a clock, and a melon's
# seeds the same as a starfish's dots. Nobody asked for such detectors.

# %% tags=["look"]
LAYER, CHANNELS = "relu4_2", [3, 17, 40]

with torch.no_grad():
    shown = gallery.images[::steps(1, 16)].to(device)
    values = torch.cat([activations(model, part, LAYER)[LAYER]
                        for part in progress(shown.split(8), "gallery")])
    # values: (M, C, h, w), what each neuron of the layer says to each picture

def strongest(channel, count=5):
    """What excites a channel most, seen by its strongest neuron, and guided backprop of that."""
    best = values[:, channel].flatten(1).amax(dim=1).topk(count).indices  # (count,)
    seen, guided = [], []
    for n in best.tolist():
        image = shown[n:n + 1]
        neuron = channel, *divmod(int(values[n, channel].argmax()), values.shape[3])
        gradient = backprop(model, image, neuron, layer=LAYER, relu=GuidedReLU)
        box = field_of_view(model, image, neuron, LAYER,
                            generator=torch.Generator().manual_seed(0))
        seen.append(crop(image, box))
        guided.append(plots.signed(crop(gradient, box, outside=0)))
    return seen, guided

with needs("GuidedReLU"):
    rows = [row for channel in CHANNELS for row in strongest(channel)]
    display(plots.show(rows, height=1.2,
                       labels=[label for c in CHANNELS for label in (f"channel {c}", "guided")]))

# %% [markdown]
# **The trap.** Here is the experiment that every explanation should survive (about 3 seconds).
# Take the same architecture with *random* weights: a network that has learned nothing. Whatever
# it shows cannot be a reason for an answer. Draw the same pictures again, beside the trained
# network's.

# %% tags=["look"]
with needs("compute_saliency_maps", "GuidedReLU"):
    networks = {"trained": model, "random": random_weights}
    rows = {f"guided, {name}": [plots.signed(g) for g in backprop(network, X, y, relu=GuidedReLU)]
            for name, network in networks.items()}
    rows |= {f"saliency, {name}": [plots.grey(m) for m in compute_saliency_maps(X, y, network)]
             for name, network in networks.items()}
    display(plots.show([list(X), *rows.values()], KINDS,
                       labels=["picture", *rows], height=1.25))

# %% [markdown]
# **Think.** The random network's engraving is as sharp as the trained one's, and there is the
# ladybug, every spot of it. How can a network that knows nothing find a ladybug?
#
# <details><summary>One answer</summary>
#
# It did not. It drew everything that has an edge: the bricks, the ripples, the leaf. Wherever the
# picture has contrast some ReLU is on, and what is positive on both ways finds a path to it. What
# training added is what is *missing* from its picture. A picture of the image was about to be
# mistaken for a picture of the network. **A sharp picture is not an explanation.**
# </details>
#
# **How this was found.** J. T. Springenberg, A. Dosovitskiy, T. Brox and M. Riedmiller, *Striving
# for simplicity: the all convolutional net*, 2015. The trap: J. Adebayo, J. Gilmer, M. Muelly, I.
# Goodfellow, M. Hardt and B. Kim, *Sanity checks for saliency maps*, 2018; and why it happens: W.
# Nie, Y. Zhang and A. Patel, *A theoretical explanation for perplexing behaviors of
# backpropagation-based visualizations*, 2018.

# %% [markdown]
# ## 4. Segmentation: cut out what mattered
#
# **The idea.** The network was told one word per picture, never an outline. Yet its saliency says
# roughly *where*. GrabCut is a classic that turns "roughly where" into an outline: it learns the
# colours of foreground and background from a few marked pixels, and finds the cheapest cut
# between them. Let the map do the marking.
#
# **The recipe.**
#
# 1. The picture as 8-bit RGB, `(H, W, 3)`, values 0 to 255, rounded; then in Lab colours, whose
#    distances are closer to what an eye sees: `cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)`.
# 2. The map blurred by a Gaussian with $\sigma = 3$ pixels: `cv2.GaussianBlur(map, (0, 0), 3)`.
# 3. Its quantiles $q_{0.30}$, $q_{0.70}$ and $q_{0.95}$. They mark each pixel with a label:
#
# | blurred map $s$ | label |
# | --- | --- |
# | $s \ge q_{0.95}$ | `cv2.GC_FGD`, surely foreground |
# | $q_{0.70} < s < q_{0.95}$ | `cv2.GC_PR_FGD`, probably foreground |
# | $q_{0.30} < s \le q_{0.70}$ | `cv2.GC_PR_BGD`, probably background |
# | $s \le q_{0.30}$ | `cv2.GC_BGD`, surely background |
#
# 4. Five rounds of GrabCut, which rewrites the labels. This call is given, as `grab_cut`.
# 5. The object is what is *surely or probably* foreground then.
#
# **The shapes.** `image` `(1, 3, H, W)` in [0, 1], `saliency` `(H, W)`, result `(H, W)` bool on
# the device of `image`. OpenCV takes NumPy arrays: `tensor.cpu().numpy()`.
#
# **Your turn** (about eight lines).

# %% nbgrader={"grade_id": "setup_grab_cut", "locked": true} tags=["setup"]
def grab_cut(lab, labels):
    """Five rounds of GrabCut on a picture (H, W, 3) uint8 from labels (H, W) uint8; new labels."""
    labels = labels.copy()
    cv2.setRNGSeed(0)  # its colour clusters start at random
    cv2.grabCut(lab, labels, None, np.zeros((1, 65)), np.zeros((1, 65)), 5,
                cv2.GC_INIT_WITH_MASK)
    return labels

# %% nbgrader={"grade_id": "segment_solution", "solution": true} tags=["solution"]
def segment_by_saliency(image, saliency):
    """Cut out what the saliency points at: image (1, 3, H, W), saliency (H, W) -> bool (H, W)."""
    ### BEGIN SOLUTION
    rgb = (image[0].permute(1, 2, 0) * 255).round().byte().cpu().numpy()  # (H, W, 3)
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    blurred = cv2.GaussianBlur(saliency.detach().cpu().numpy(), (0, 0), 3)
    low, middle, high = np.quantile(blurred, [0.30, 0.70, 0.95])
    labels = np.where(blurred > middle, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[blurred >= high] = cv2.GC_FGD
    labels[blurred <= low] = cv2.GC_BGD
    labels = grab_cut(lab, labels)
    foreground = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    return torch.from_numpy(foreground).to(image.device)
    ### END SOLUTION

# %% nbgrader={"grade_id": "segment_check", "grade": true, "locked": true, "points": 2} tags=["check"]
check.segment_by_saliency(segment_by_saliency)

# %% nbgrader={"grade_id": "segment_hidden_overlap", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: on fresh pictures at least half the pixels that you or the recipe cut out are common.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import saliency as hidden
hidden.overlap(segment_by_saliency)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "segment_hidden_exact", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: on fresh pictures, wider than high, it is the recipe's mask, but for a few pixels.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import saliency as hidden
hidden.exact(segment_by_saliency)
### END HIDDEN TESTS

# %% [markdown]
# **Look** (about 2 seconds). White is the true outline, yellow what you cut out; IoU is their
# intersection over union: 1 is perfect, 0 is disjoint. Expect a good cut of the
# mushroom, a failure with the ladybug, and things between.

# %% tags=["look"]
with needs("compute_saliency_maps", "segment_by_saliency"):
    maps_to_cut = compute_saliency_maps(X, y, model)
    cut = torch.stack([segment_by_saliency(X[n:n + 1], maps_to_cut[n]) for n in range(len(X))])
    display(plots.show(
        [[plots.outlined(plots.outlined(image, true, color=(1, 1, 1)), mine)
          for image, true, mine in zip(X, masks, cut)],
         [plots.cut_out(image, mine) for image, mine in zip(X, cut)]],
        [f"{kind}\nIoU {score:.2f}" for kind, score in zip(KINDS, iou(cut, masks))],
        labels=["outlines", "cut out"]))

# %% tags=["figures"]
cut_scores = dict(zip(KINDS, iou(cut, masks).tolist()))
robust_cut = segment_by_saliency(X[:1], robust_maps[0])[None]  # of the ladybug

[f"Expect a good cut of the {max(cut_scores, key=cut_scores.get)}, a failure with the "
 f"{min(cut_scores, key=cut_scores.get)}, and things between.",
 f"With the map of `robust` its IoU is {iou(robust_cut, masks[:1]).item():.2f} "
 f"instead of {cut_scores['ladybug']:.2f}"]

# %% [markdown]
# **Think.** Where the cut goes wrong, is it the network's fault or GrabCut's?
#
# <details><summary>One answer</summary>
#
# Look at what the two know. The network knows *where*, but not the edge; GrabCut knows the edge,
# but only by colour. The ladybug is the network's fault: the map lies below the beetle, and so
# does the cut. With the map of `robust` its IoU is 0.63 instead of 0.09: try it above. The holes
# in the mushroom's cap are GrabCut's: there the map left the choice to it, and a white spot has
# not the cap's colour. And the pink shard beside the cone comes along with either network's map.
# </details>
#
# **How this was found.** K. Simonyan, A. Vedaldi and A. Zisserman, *Deep inside convolutional
# networks*, 2014, section 3.2. GrabCut: C. Rother, V. Kolmogorov and A. Blake, *"GrabCut":
# interactive foreground extraction using iterated graph cuts*, 2004.

# %% [markdown]
# ## 5. The trial, part one: who points at the object?
#
# Enough looking. Three numbers for each method, over many pictures, against the true masks:
#
# - **pointing game**: how often the brightest pixel lies on the object;
# - **energy inside**: which share of the map's sum lies on the object;
# - **IoU**: how well GrabCut cuts the object out, started by the map.
#
# And three rivals that know nothing. The **image centre** is a fixed blob in the middle: objects
# tend to be there, so part of every score is free. The other two are your methods on the network
# with **random weights**. Whoever does not beat these has explained nothing.
#
# It takes about a minute, half of it for occlusion.

# %% tags=["look"]
every = gallery.images[::steps(5, 32)].to(device)     # (M, 3, 128, 128)
every_y = gallery.labels[::steps(5, 32)].to(device)
every_mask = gallery.masks[::steps(5, 32)].to(device)

def guided_maps(X, y, network):
    """Guided backprop as a map (N, H, W): its largest absolute value over the colours."""
    return backprop(network, X, y, relu=GuidedReLU).abs().amax(dim=1)

def occlusion_losses(X, y, network):
    """Per pixel, how much probability is lost when windows over it are covered: (N, H, W)."""
    return occlusion_loss(X, y, network, occlusion_map)

def smoothed_saliency(X, y, network):
    return smooth_saliency(X, y, network, compute_saliency_maps, samples=steps(8, 2),
                           generator=torch.Generator().manual_seed(3))

def centre(X, y, network):
    return centre_map(*X.shape[2:]).to(X)[None]  # (1, H, W), whatever the picture

def judge(map, image, mask):
    """The three scores of the map (1, H, W) of one image, in MEASURES' order."""
    cut = (segment_by_saliency(image, map[0])[None] if map.max() > map.min()
           else torch.zeros_like(mask))  # a flat map marks nothing
    return [float(score(map, mask)) for score in (pointing_game, energy_inside)] + [
        float(iou(cut, mask))]

MEASURES = ["pointing game", "energy inside", "IoU"]

with needs("compute_saliency_maps", "occlusion_map", "GuidedReLU", "segment_by_saliency"):
    witnesses = {"saliency": (compute_saliency_maps, model),
                 "smoothed saliency": (smoothed_saliency, model),
                 "guided backprop": (guided_maps, model), "occlusion": (occlusion_losses, model),
                 "saliency, robust": (compute_saliency_maps, robust),
                 "guided backprop, robust": (guided_maps, robust), "image centre": (centre, None),
                 "saliency, random": (compute_saliency_maps, random_weights),
                 "guided backprop, random": (guided_maps, random_weights)}
    marks = {name: [] for name in witnesses}  # of each: for each picture its three scores
    for image, k, mask in progress([*zip(every.split(1), every_y.split(1), every_mask.split(1))],
                                   "pictures"):
        for name, (method, network) in witnesses.items():
            marks[name].append(judge(method(image, k, network), image, mask))
    scores = {name: dict(zip(MEASURES, torch.tensor(rows).mean(dim=0).tolist()))
              for name, rows in marks.items()}
    display(plots.bars(scores, baselines=[name for name in scores
                                          if name == "image centre" or "random" in name],
                       caption=f"{len(every)} gallery pictures; dashed: the image centre"))

# %% [markdown]
# Read the grey rows first. In the pointing game, both methods hit 74 % of the objects on *random*
# weights; saliency on the trained network hits 69 %, two pictures fewer. By IoU guided backprop on
# random weights gets 0.65, saliency on the trained network 0.62. By these two measures the network
# that knows nothing is as good a witness. Energy inside tells them apart: guided backprop has 0.38
# on random weights and 0.73 with what was learned, while the image centre gets 0.35 for free.
#
# The robust network is the better witness, and not by one measure alone: its saliency beats every
# grey row on all three, with 85 % of the objects hit, 0.54 of the energy on them (ordinary: 0.41)
# and an IoU of 0.70. Its guided backprop hits every object, with 0.88 of the energy inside.
#
# So: no score without its baselines, and never one score alone. And mind how few 39 pictures are:
# one more or less is 3 %.

# %% tags=["figures"]
pointed, inside, overlap = ({name: row[measure] for name, row in scores.items()}
                            for measure in ("pointing game", "energy inside", "IoU"))
GREY = ["image centre", "saliency, random", "guided backprop, random"]
on_random = {percent(pointed[name]) for name in GREY[1:]}
fewer = (pointed["saliency, random"] - pointed["saliency"]) * len(every)  # pictures

[f"{inside['saliency, robust']:.2f} of a map's sum lies on the object, and "
 f"{inside['saliency']:.2f} for the ordinary network",
 f"both methods hit {' and '.join(sorted(on_random))} of the objects on *random* weights",
 f"saliency on the trained network hits {percent(pointed['saliency'])}, "
 f"{spelled(fewer)} pictures fewer",
 f"By IoU guided backprop on random weights gets {overlap['guided backprop, random']:.2f}, "
 f"saliency on the trained network {overlap['saliency']:.2f}.",
 claim("the network that knows nothing is as good a witness", fewer >= 0
       and overlap["guided backprop, random"] >= overlap["saliency"]),
 f"guided backprop has {inside['guided backprop, random']:.2f} on random weights and "
 f"{inside['guided backprop']:.2f} with what was learned",
 f"the image centre gets {inside['image centre']:.2f} for free",
 claim("its saliency beats every grey row on all three",
       all(scores["saliency, robust"][measure] > scores[name][measure]
           for name in GREY for measure in scores[name])),
 f"with {percent(pointed['saliency, robust'])} of the objects hit, "
 f"{inside['saliency, robust']:.2f} of the energy on them (ordinary: {inside['saliency']:.2f}) "
 f"and an IoU of {overlap['saliency, robust']:.2f}.",
 claim("Its guided backprop hits every object", pointed["guided backprop, robust"] == 1),
 f"with {inside['guided backprop, robust']:.2f} of the energy inside",
 f"how few {len(every)} pictures are: one more or less is {percent(1 / len(every))}."]

# %% [markdown]
# ## 6. The trial, part two: take it away
#
# A map that lies on the object need not say what mattered *about* it. But we own the world. Any
# specimen can be drawn again without its wings, its shell or its hands, and with everything else
# the same, to the last blade of grass. So ask the network again: how far does the score fall?
# No patch, no gradient: an experiment.

# %% tags=["look"]
def without_each_part(seed, kind):
    """The specimen whole, then without each of its visible parts: {name: specimen}."""
    whole = specimens.draw(seed, kind)
    visible = [part for part, mask in whole.parts.items() if mask.sum() >= 20]  # pixels
    return {"whole": whole} | {part: specimens.draw(seed, kind, without=[part])
                               for part in visible}

def answer(specimen, network):
    """The raw score and the probability of the true class."""
    with torch.no_grad():
        scores = network(specimen.image.to(device))[0]
    return scores[specimen.label].item(), scores.softmax(dim=0)[specimen.label].item()

for seed, kind in ((81, "bee"), (47, "fish"), (170, "eye")):
    drawn = without_each_part(seed, kind)
    captions = []
    for part, specimen in drawn.items():
        score, p = answer(specimen, model)
        captions.append(f"{kind if part == 'whole' else f'no {part}'}\n{score:.1f}, {p:.0%}")
    display(plots.show([specimen.image for specimen in drawn.values()], captions))

# %% [markdown]
# Above each picture: the raw score of the true class, and its probability. The bee can spare its
# wings, but not its stripes: without them 8 % is left. The fish stays a fish without its body, and
# nearly loses its name without its head. The eye needs its iris; pupil, lids and lashes hardly
# count. We chose these three because in none of them the decisive part is the largest.
#
# **The judge.** For each specimen, the *decisive part* is the one whose removal costs the most
# score. And a map *names* the part that holds most of its energy. How often do the two agree? The
# rival that knows nothing names the **largest part**, for a large part collects energy by its
# size alone (about 40 seconds).

# %% tags=["figures"]
three = {kind: without_each_part(seed, kind)
         for seed, kind in ((81, "bee"), (47, "fish"), (170, "eye"))}
answers_left = {kind: {part: answer(specimen, model) for part, specimen in drawn.items()}
                for kind, drawn in three.items()}  # kind -> missing part -> score, probability
needed = {kind: min(found, key=found.get) for kind, found in answers_left.items()}
p_left = {kind: {part: p for part, (_, p) in found.items()}
          for kind, found in answers_left.items()}
largest = {kind: max(drawn["whole"].parts, key=lambda part: drawn["whole"].parts[part].sum())
           for kind, drawn in three.items()}

[claim("The bee can spare its wings", p_left["bee"]["wings"] > 0.9),
 claim("but not its stripes:", needed["bee"] == "body"),  # which is where they are
 f"without them {percent(p_left['bee']['body'])} is left.",
 claim("The fish stays a fish without its body", p_left["fish"]["body"] > 0.9),
 claim(f"nearly loses its name without its {needed['fish']}.",
       0.4 < p_left["fish"][needed["fish"]] < 0.65),
 claim(f"The eye needs its {needed['eye']};", p_left["eye"][needed["eye"]] < 0.5),
 claim("pupil, lids and lashes hardly count",
       min(p_left["eye"][part] for part in ("pupil", "lids", "lashes")) > 0.9),
 claim("in none of them the decisive part is the largest",
       all(largest[kind] != needed[kind] for kind in three))]

# %% tags=["look"]
def decisive_part(drawn):
    """The part without which the score falls most; None where there is nothing to decide."""
    (_, whole), *rest = drawn.items()
    score, p = answer(whole, model)
    fall = {part: score - answer(specimen, model)[0] for part, specimen in rest}
    return max(fall, key=fall.get) if len(fall) >= 2 and p > 0.5 else None

def named_part(method, network, whole, parts):
    """The part that holds most of the map's energy."""
    y = torch.tensor([whole.label], device=device)
    found = method(whole.image.to(device), y, network)[0]  # (H, W)
    energy = {part: found[whole.parts[part].to(device)].sum().item() for part in parts}
    return max(energy, key=energy.get)

def flat(X, y, network):
    return torch.ones_like(X[:, 0])  # (N, H, W): every pixel the same, so the largest part wins

with needs("compute_saliency_maps", "occlusion_map", "GuidedReLU"):
    judged = {"saliency": (compute_saliency_maps, model),
              "smoothed saliency": (smoothed_saliency, model),
              "guided backprop": (guided_maps, model), "occlusion": (occlusion_losses, model),
              "largest part": (flat, None),
              "guided backprop, random": (guided_maps, random_weights)}
    trials = {name: [] for name in judged}  # of each: for each specimen, did the two agree?
    for seed in progress(range(steps(40, 6)), "specimens"):
        drawn = without_each_part(seed, None)
        decisive = decisive_part(drawn)
        if decisive is not None:  # recognised when whole, and there is a choice
            whole_one, parts = drawn["whole"], [part for part in drawn if part != "whole"]
            for name, (method, network) in judged.items():
                trials[name].append(named_part(method, network, whole_one, parts) == decisive)
    named = {name: {"names the decisive part": sum(hits) / max(len(hits), 1)}
             for name, hits in trials.items()}
    display(plots.bars(named, baselines=["largest part", "guided backprop, random"],
                       caption=f"{len(trials['saliency'])} fresh specimens; "
                               f"dashed: the largest part"))

# %% tags=["figures"]
names_it = {name: row["names the decisive part"] for name, row in named.items()}
tried = len(trials["saliency"])  # specimens
best_share = max(share for name, share in names_it.items() if name != "largest part")

[f"it is the decisive one in {percent(names_it['largest part'])} of these specimens.",
 f"Saliency names the decisive part in {percent(names_it['saliency'])}, and one specimen more or "
 f"less is {percent(1 / tried)}.",
 claim("stays *below* the largest part", names_it["guided backprop"] < names_it["largest part"]),
 f"the largest part, at {percent(names_it['guided backprop'])}.",
 claim("no map here tells better than a ruler would",  # by more than chance: two specimens
       best_share - names_it["largest part"] < 2.5 / tried)]

# %% [markdown]
# The largest part is hard to beat: it is the decisive one in 89 % of these specimens. Saliency
# names the decisive part in 92 %, and one specimen more or less is 3 %. Guided backprop, the
# sharpest picture of all, stays *below* the largest part, at 81 %. That a map lies on the object
# is the easy half; what about the object mattered, no map here tells better than a ruler would.
#
# **Think.** Which of your four instruments would you trust to tell a doctor why a network called
# an X-ray suspicious? What would you show beside its picture?
#
# <details><summary>One answer</summary>
#
# None of them alone. Beside the picture belong: the same picture from a network with random
# weights; the score of a baseline that never looks; and, wherever the world allows, an experiment
# that takes the marked thing away and asks again. A map is a hypothesis. The experiment is the
# test.
# </details>
#
# **How this was found.** The pointing game: J. Zhang, Z. Lin, J. Brandt, X. Shen and S. Sclaroff,
# *Top-down neural attention by excitation backprop*, 2016. Removing what a map marks, and asking
# again: S. Hooker, D. Erhan, P.-J. Kindermans and B. Kim, *A benchmark for interpretability
# methods in deep neural networks*, 2019.

# %% [markdown]
# ## 7. Play: everything on one panel
#
# Your functions behind one set of controls. Choose a network, a picture, or one of your own, and a
# method; ask about the network's answer, another class, or any channel of any layer. Try the
# network with random weights. If you change one of your functions and run its cell, the panel
# follows. (Where no kernel runs, as on a web page, only the panel's first picture is left.)

# %% tags=["look"]
widgets.saliency_panel(
    {"ordinary": model, "robust": robust, "random weights": random_weights},
    {kind: X[n:n + 1] for n, kind in enumerate(KINDS)},
    compute_saliency_maps=compute_saliency_maps, occlusion_map=occlusion_map,
    GuidedReLU=GuidedReLU, segment_by_saliency=segment_by_saliency)

# %% [markdown]
# ## 8. Photographs
#
# The robust network knows drawings of 24 kinds of thing. Show it photographs: it has no word for a
# cat or a cup, but must say one. Expect wrong answers, and maps that make them plausible (about 10
# seconds). The cat is a *snail*, though only a quarter sure, and what speaks for *snail* are the
# rings of its eyes. The cup is a *hot-air balloon*: its rim decides. The spoon is bright in two of
# the maps, yet covering it costs little. The flower is a *pineapple*, with petals in rows like
# scales.
#
# Your functions take any network that follows the course's convention, so they also run on one
# that was trained on a million photographs: set `NETWORK`. The first time, that fetches 5 MB.

# %% tags=["look"]
NETWORK = None  # "squeezenet1_1" downloads 5 MB

with needs("compute_saliency_maps", "occlusion_map", "GuidedReLU", "segment_by_saliency"):
    network, side = (robust, 128) if NETWORK is None else (load_model(NETWORK, device=device), 224)
    columns = []
    for name in progress(("chelsea", "coffee", "flower")[:steps(3, 1)], "photographs"):
        photo = images.photo(name, size=(side, side)).to(device)  # (1, 3, side, side)
        p = network(photo).softmax(dim=1)[0]  # (K,)
        k = p.argmax().view(1)
        found = smooth_saliency(photo, k, network, compute_saliency_maps, samples=steps(8, 1),
                                generator=torch.Generator().manual_seed(4))[0]  # (side, side)
        lost = occlusion_loss(photo, k, network, occlusion_map, patch=side // 4,
                              stride=steps(side // 8, side // 2))[0]  # (side, side)
        columns.append((f"{network.class_names[int(k)]}, {p.max():.0%}", [
            photo, plots.grey(found), plots.occlusion_picture(p.max() - lost, p.max(), photo),
            plots.signed(backprop(network, photo, k, relu=GuidedReLU)),
            plots.cut_out(photo, segment_by_saliency(photo, found))]))
    display(plots.show([list(row) for row in zip(*(pictures for _, pictures in columns))],
                       [title for title, _ in columns], height=1.8,
                       labels=["photograph", "smoothed saliency", "occlusion", "guided",
                               "cut out"]))

# %% tags=["figures"]
cat, cup, flower = (title.split(", ")[0] for title, _ in columns)
sure = float(columns[0][0].split(", ")[1].strip("%")) / 100

[f"knows drawings of {len(robust.class_names)} kinds of thing",
 f"The cat is {article(cat)}, though only {fraction(sure)} sure, and what speaks for "
 f"*{cat}* are",
 f"The cup is {article(cup)}:",
 f"The flower is {article(flower)},"]

# %% [markdown]
# That is the end. You have four instruments, and you know what each of them cannot tell you. When
# somebody shows you a map, ask two questions: what does a network show that has learned nothing,
# and what happens if the bright thing is taken away?
#
# Before you hand in: the points of the checks that passed in this session.

# %% tags=["look"]
check.progress()
