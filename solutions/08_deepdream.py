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
# # DeepDream: more of what is there already
#
# Look at clouds for a while, and one of them has a face. Say so, and others see it, too. A network
# can do that: give it a photograph, ask what one of its layers sees there, and change the picture
# so that the layer sees *more of the same*. Nobody says what this should be. The network does.
#
# You will write the step, and two functions that turn it into dreams like the one below:
#
# | you write | it gives | in a formula | points |
# | --- | --- | --- | --- |
# | `deepdream_step(img, model, layer, learning_rate, ox, oy)` | a new picture | the picture rolled, $J \leftarrow J + \eta \, g / \operatorname{mean} \lvert g \rvert$ with $g = \nabla_J \, \tfrac12 \sum a(J)^2$, rolled back, cut to [0, 1] | 10 |
# | `octave_pyramid(img, dream, octaves, scale)` | a new picture | dreamed small first, then larger and larger, with the lost detail | 6 |
# | `match_guide(features, guide)` | what to dream of | at each place the vector of the guide with the largest inner product | 4 |
#
# Then we ask whose dream it is: the picture's, or the network's?
#
# Run the cells in order. Everything runs on a laptop without a network connection; the whole
# notebook computes for about two minutes. A long cell shows its picture while it grows; interrupt
# it (■), and it keeps the best so far. `check.progress()` lists your points.

# %% nbgrader={"grade_id": "setup_imports", "locked": true} tags=["setup"]
import torch
import torch.nn.functional as F
from IPython.display import display

from cs_vis import (activations, check, datasets, images, load_model, pick_device, plots,
                    specimens, widgets)
from cs_vis.methods.deepdream import Channels, Guided, dream, strengths, zoom
from cs_vis.models import untrained
from cs_vis.notebook import chosen_network, needs, steps, watch

device = pick_device()
NETWORK = chosen_network("specimens")  # or "squeezenet1_1", "vgg16", ...: any of torchvision's
model = load_model(NETWORK, device=device)
networks = {NETWORK: model}
if NETWORK == "specimens":  # trained the ordinary way, and against small perturbations
    networks = {"ordinary": model, "robust": load_model("specimens-robust", device=device)}
dreamer = [*networks.values()][-1]  # the network that dreams first: the robust one

SIDE = 160 if NETWORK == "specimens" else 224  # pixels
photos = {name: images.photo(name, size=(SIDE, SIDE * 4 // 3)).to(device)
          for name in images.HELD_OUT}

def layers_of(network, count=5):
    """Layers from low to high that still have places: count of them, evenly spread."""
    with torch.no_grad():
        found = activations(network, photos["coffee"], network.layer_names)
    wide = [name for name, a in found.items() if a.ndim == 4 and a.shape[2] > 4]
    return [wide[(2 * i + 1) * len(wide) // (2 * count)] for i in range(count)]

LAYERS = (["relu1_1", "relu2_2", "relu3_2", "relu4_2", "relu5_1"] if NETWORK == "specimens"
          else layers_of(dreamer))

def name(k):
    return model.class_names[k].split(",")[0][:18]

def seeded(seed):
    return torch.Generator().manual_seed(seed)

noise = 0.45 + 0.1 * torch.randn(photos["coffee"].shape, generator=seeded(0))
starts = photos | {"noise": noise.clamp(0, 1).to(device)}

@torch.no_grad()
def says(network, picture):
    """The network's answer in words."""
    p = network(picture).softmax(dim=1)[0]  # (K,)
    return f"{name(int(p.argmax()))}, {p.max():.0%}"

def table(found, title=None, height=1.2, first=()):
    """Show pictures by (row, column), each below title(row, column, picture) or, in the top row,
    its column, as far as they are there. first: name of a column -> row -> its picture."""
    rows = {}
    for (row, column), picture in found.items():
        rows.setdefault(row, {k: column[row] for k, column in dict(first).items()})
        rows[row][column] = picture
    top = next(iter(rows), None)
    title = title or (lambda row, column, picture: column if row == top else "")
    return plots.show([[*row.values()] for row in rows.values()],
                      [[title(row, *pair) for pair in columns.items()]
                       for row, columns in rows.items()], labels=[*rows], height=height)

# %% [markdown]
# This dream was made by your first two functions and the robust network of the course, from a
# photograph of a cup of coffee. Nobody told it what to draw. The cup has become a watermelon, the
# spoon something like an eye, and from the grain of the table grew a pineapple, a traffic cone, a
# mushroom, a green shell, a fish with too many eyes and two starfish: things that this network has
# learned to tell apart. (The picture is larger than those below, and is stored; section 8 has its
# recipe.)

# %% tags=["look"]
poster = images.load(datasets.path("deepdream/poster.jpg"))
plots.show([poster], ["stored: a cup of coffee, as the robust network dreams it"], height=4.0)

# %% [markdown]
# ## 1. A step: what the layer sees, made stronger
#
# **The idea.** So far you asked for something: a class, a neuron. Now ask for nothing. Whatever a
# layer finds in the picture, however faint, is to become stronger: the picture decides what there
# is to be seen, and the layer, how it is seen. What was strong grows most, and soon it is there.
#
# **The equation.** Roll the picture by $(o_x, o_y)$ pixels, which is the *jitter* of notebook 05;
# call it $J$. Let $a$ be what the layer computes for $J$. Take half its squared norm:
#
# $$ E = \tfrac12 \lVert a(J) \rVert^2 = \tfrac12 \sum a(J)^2, \qquad
# \frac{\partial E}{\partial a} = a, \qquad g = \frac{\partial E}{\partial J} $$
#
# The middle formula is the trick: the gradient at the layer *is* what it sees. Then step along
# $g$, with its mean absolute value for a measure, so that a pixel changes by $\eta$ on average;
# roll back; and cut to [0, 1]:
#
# $$ J \leftarrow J + \eta \, \frac{g}{\operatorname{mean} \lvert g \rvert} $$
#
# **The shapes.**
#
# | name | shape | what |
# | --- | --- | --- |
# | `img` | `(1, 3, H, W)` | the picture in [0, 1]; it stays as it was |
# | `model`, `layer` | | a network, and the name of one of its layers |
# | `activations(model, J, layer)[layer]` | `(1, C, h, w)` | $a$; for a layer without places `(1, K)` |
# | `learning_rate` | number | $\eta$, at least 0 |
# | `ox`, `oy` | int | columns to the right, rows down; negative: left and up |
# | result | `(1, 3, H, W)` | a new picture in [0, 1], without a history |
#
# The mean goes over all values of $g$ together: one number. Where $g$ is 0, the picture stays.
#
# **A hint.** `detach().requires_grad_()` makes a leaf of the rolled picture, and
# `torch.autograd.grad` leaves nothing behind in it.
#
# **Your turn** (about six lines).

# %% nbgrader={"grade_id": "dream_solution", "solution": true} tags=["solution"]
def deepdream_step(img, model, layer, learning_rate, ox, oy):
    """A new picture in which `layer` sees more of what it saw.

    img (1, 3, H, W), a network, the name of a layer, a number, two ints -> (1, 3, H, W)
    """
    ### BEGIN SOLUTION
    J = img.detach().roll((oy, ox), dims=(2, 3)).requires_grad_()
    a = activations(model, J, layer)[layer]  # (1, C, h, w)
    g, = torch.autograd.grad(a.square().sum() / 2, J)  # (1, 3, H, W)
    J = J.detach() + learning_rate * g / g.abs().mean().clamp(min=1e-30)
    return J.roll((-oy, -ox), dims=(2, 3)).clamp(0, 1)
    ### END SOLUTION

# %% [markdown]
# **Check.** This runs your function on tiny networks with known answers. If it recognises a slip,
# it names it. The cells after it look empty: there the grader tries your function on other inputs.

# %% nbgrader={"grade_id": "dream_check", "grade": true, "locked": true, "points": 4} tags=["check"]
check.deepdream_step(deepdream_step)

# %% nbgrader={"grade_id": "dream_hidden_step", "grade": true, "locked": true, "points": 2} tags=["check"]
# Two points: one step without jitter, on fresh networks and pictures.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import deepdream as hidden
hidden.one_step(deepdream_step)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "dream_hidden_jitter", "grade": true, "locked": true, "points": 2} tags=["check"]
# Two points: one step with jitter, in three directions, and back.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import deepdream as hidden
hidden.jittered(deepdream_step)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "dream_hidden_clipped", "grade": true, "locked": true, "points": 2} tags=["check"]
# Two points: bright and dark pictures, and a step so large that it leaves [0, 1].
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import deepdream as hidden
hidden.clipped(deepdream_step)
### END HIDDEN TESTS

# %% [markdown]
# **Look** (about 10 seconds). Nothing but your step, twenty times over, with a jitter of up to 8
# pixels: for a low, a middle and a high layer of the robust network. `dream` is given. It takes
# your step again and again, and draws the jitter.
#
# The low layer sees edges and colours, and these get stronger: what you get looks like a poster.
# The middle one sees texture, and gives grain to the table and beads to the petals and the spoon.
# The high one sees things. Two pieces of melon lie in the cup, and the flower bristles with a
# starfish's arms. They are small: no larger than what a neuron sees.

# %% tags=["look"]
def one_size(img, dream, octaves, scale):
    """What stands for your octave_pyramid until you have written it: no pyramid at all."""
    return dream(img)

LOW = [LAYERS[i] for i in (0, 2, 4)][:steps(3, 2)]

with needs("deepdream_step"):
    grown = watch({(what, layer): dream(deepdream_step, one_size, dreamer, layer,
                                        start=photos[what], steps=steps(20, 2), octaves=1,
                                        generator=seeded(0))
                   for what in ("coffee", "flower") for layer in LOW}, steps(20, 2))
    display(table(grown, first={"photograph": photos}, height=1.35))

# %% tags=["figures"]
from cs_vis.grading.prose import claim, percent, spelled

@torch.no_grad()
def risen(network, layer, picture, start):
    """By what factor a picture has more for a layer than another: the means of a²."""
    a, before = (activations(network, x, layer)[layer].square().mean() for x in (picture, start))
    return (a / before).item()

by = [risen(dreamer, layer, grown["coffee", layer], photos["coffee"]) for layer in LOW]

[f"the low layer's by {by[0]:.1f}, the middle one's by {by[1]:.0f}, and the high one's by "
 f"{by[2]:.0f}."]

# %% [markdown]
# By what factor have twenty steps raised what they climb, the mean of $a^2$? For the cup of coffee
# the low layer's by 3.3, the middle one's by 12, and the high one's by 28. The higher a layer, the
# more there is that it had not seen yet.
#
# **Think.** Why half the *squared* norm, and not simply the sum of $a$?
#
# <details><summary>One answer</summary>
#
# The gradient of the sum is 1 for every neuron that is on: all of them pull alike, and all of them
# grow. With the square a neuron pulls as hard as it is on. So what is there already gets
# ahead, what is hardly there stays behind, and in the end something has been *chosen*.
# </details>
#
# **How this was found.** A. Mordvintsev, C. Olah and M. Tyka, *Inceptionism: going deeper into
# neural networks*, 2015, and their notebook
# [deepdream](https://github.com/google/deepdream), where the division by the mean absolute value,
# the jitter and the octaves of the next section come from.

# %% [markdown]
# ## 2. Octaves: large shapes first
#
# **The idea.** A neuron sees a few dozen pixels, so what it dreams is a few dozen pixels large. On
# a smaller copy of the photograph the same pixels are half a cup. So dream on a small copy first,
# then on a larger one, and so on: large shapes come first, and later steps work out their parts.
# Each size is called an *octave*. But a copy that was small has lost the photograph's detail, and
# enlarged it is blurred. So carry on only what the dream has *added*, and take the photograph
# itself anew at each size.
#
# **The equations.** For $k$ from `octaves` $- 1$ down to 0, with the scale $s > 1$:
#
# $$ b_k = \text{the picture, resized to } \operatorname{round}(H / s^k) \times
# \operatorname{round}(W / s^k), \qquad b_0 = \text{the picture} $$
# $$ x_k = b_k + \text{resized}(d_{k+1}), \qquad d_k = \operatorname{dream}(x_k) - b_k $$
#
# Before the first octave the detail $d$ is 0. The result is the last $\operatorname{dream}(x_0)$.
# With a dream that changes nothing, all $d$ are 0, and the picture comes back as it was.
#
# **The shapes.**
#
# | name | shape | what |
# | --- | --- | --- |
# | `img` | `(1, 3, H, W)` | the picture; it stays as it was |
# | `dream` | function | a picture of any size in, a picture of this size out; called once an octave |
# | `octaves`, `scale` | int, number | how many sizes, and by how much each is smaller than the next |
# | result | `(1, 3, H, W)` | a new picture |
#
# **A hint.** `F.interpolate(x, size=(h, w), mode="bilinear", antialias=True,
# align_corners=False)` resizes. Always shrink `img` itself, never a copy that was shrunk before.
#
# **Your turn** (about eight lines).

# %% nbgrader={"grade_id": "octaves_solution", "solution": true} tags=["solution"]
def octave_pyramid(img, dream, octaves, scale):
    """What `dream` makes of the picture, from small to large: (1, 3, H, W), a new picture."""
    ### BEGIN SOLUTION
    def resized(x, size):
        return F.interpolate(x, size=size, mode="bilinear", antialias=True, align_corners=False)

    detail = torch.zeros_like(img)
    for k in reversed(range(octaves)):
        size = [round(side / scale ** k) for side in img.shape[2:]]
        base = resized(img, size) if k else img
        dreamed = dream(base + resized(detail, size))
        detail = dreamed - base
    return dreamed
    ### END SOLUTION

# %% nbgrader={"grade_id": "octaves_check", "grade": true, "locked": true, "points": 3} tags=["check"]
check.octave_pyramid(octave_pyramid)

# %% nbgrader={"grade_id": "octaves_hidden_identity", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: a dream that does nothing gives the picture back.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import deepdream as hidden
hidden.identity(octave_pyramid)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "octaves_hidden_detail", "grade": true, "locked": true, "points": 2} tags=["check"]
# Two points: dreams that change the picture, and the sizes that they are called with.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import deepdream as hidden
hidden.detail(octave_pyramid)
### END HIDDEN TESTS

# %% [markdown]
# **Look** (about 10 seconds). Forty steps, three times over: all at one size; in the four octaves
# of a photograph that was shrunk to the smallest one first, so that an octave can only enlarge what
# the one before has made (*no detail*); and in the four octaves of the photograph as it is.
#
# At one size, many small things crowd each other. With octaves there are few, and they are as large
# as the photograph's own: an eye where an eye was, a melon in the place of the cup. And compare the
# grain of the table, or the spoon. Without the detail they stay blurred; your pyramid brings it
# back.

# %% tags=["look"]
def of_blurred(img, dream, octaves, scale):
    """Your pyramid, of a photograph that was shrunk to the smallest octave and enlarged again."""
    small = F.interpolate(img, scale_factor=scale ** (1 - octaves), mode="bilinear", antialias=True)
    blurred = F.interpolate(small, size=img.shape[2:], mode="bilinear")
    return octave_pyramid(blurred, dream, octaves, scale)

EACH = steps(10, 2)  # steps in each octave, from here on
MIDDLE = LAYERS[3]

with needs("deepdream_step", "octave_pyramid"):
    ways = {"one size": (one_size, 1), "no detail": (of_blurred, 4),
            "octaves": (octave_pyramid, 4)}
    compared = watch({(what, way): dream(deepdream_step, pyramid, dreamer, MIDDLE,
                                         start=photos[what], steps=EACH * 4 // octaves,
                                         octaves=octaves, generator=seeded(0))
                      for what in ("chelsea", "coffee")[:steps(2, 1)]
                      for way, (pyramid, octaves) in ways.items()}, EACH * 4)
    display(table(compared, first={"photograph": photos}, height=1.55))

# %% tags=["figures"]
def fine(picture):
    """The finest detail of a picture: what is lost when it is shrunk by two and enlarged again."""
    small = F.interpolate(picture, scale_factor=0.5, mode="bilinear", antialias=True)
    return picture - F.interpolate(small, size=picture.shape[2:], mode="bilinear")

def left_of(picture, what, rows=slice(0, 50), columns=slice(0, 60)):
    """The share of a photograph's fine detail that a picture has, in the upper left corner."""
    one, own = (fine(x)[:, :, rows, columns] for x in (picture, photos[what]))
    return ((one * own).sum() / own.square().sum()).item()

there = {way: left_of(compared["coffee", way], "coffee") for way in ways}

[f"your pyramid's dream has {percent(there['octaves'])}, the one that could only "
 f"enlarge {percent(there['no detail'])}."]

# %% [markdown]
# Of the fine detail of the table in the upper left corner, your pyramid's dream has 94 %, the one
# that could only enlarge 28 %.
#
# **The way there** (about 2 seconds). What your pyramid hands to the dream in each octave, and what
# comes back. All that matters is settled in the first, on 58 × 78 pixels: there the cup is small
# enough to be a slice of melon. Later octaves draw the rind and the pips anew, ever finer. And look
# at the saucer, and at the grain of the table: in each octave they are as sharp as its size allows.

# %% tags=["look"]
with needs("deepdream_step", "octave_pyramid"):
    handed, given = [], []

    def noted(picture):
        """Ten steps, and a note of what came in and what went out."""
        handed.append(picture.clamp(0, 1))
        frames = dream(deepdream_step, one_size, dreamer, MIDDLE, start=picture, steps=EACH,
                       octaves=1, generator=seeded(0))
        given.append(watch({"octave": frames}, EACH)["octave"])
        return given[-1]

    octave_pyramid(photos["coffee"], noted, 4, 1.4)
    sizes = [f"{x.shape[2]} × {x.shape[3]}" for x in handed]
    display(plots.show([handed, given], sizes, labels=["handed", "dreamed"], height=1.3))

# %% [markdown]
# ## 3. From low to high
#
# **The idea.** A dream shows what a layer looks for, without anybody's having asked for a channel
# or a class. So go through the network, from low to high.
#
# **Look** (about 15 seconds). Five layers of the robust network, three photographs, and everything
# else is the same. First there are contrasts, then grain that follows the forms, the cat's fur or
# the petals. In relu3_2 there are eyes, scales and beads. From relu4_2 on they are put together,
# and become things: a slice of melon, with rind and pips and all. The cat is instructive. Two
# layers give it larger eyes, and the highest takes them away, for a row of small ones in a band of
# scales.

# %% tags=["look"]
SHOWN = ["coffee", "chelsea", "flower"][:steps(3, 1)]

def dreamed(network, layer, start, *, count=EACH, **settings):
    """The frames of a dream in four octaves: nothing is computed yet."""
    return dream(deepdream_step, octave_pyramid, network, layer, start=start, steps=count,
                 generator=seeded(0), **settings)

with needs("deepdream_step", "octave_pyramid"):
    by_layer = watch({(what, layer): dreamed(dreamer, layer, photos[what])
                      for what in SHOWN for layer in LAYERS}, 4 * EACH)
    display(table(by_layer, first={"photograph": photos}))

# %% [markdown]
# **Think.** The photographs shine through in all of these pictures. What do they decide, and what
# does the network?
#
# <details><summary>One answer</summary>
#
# The photograph decides *where* and *which*: something round and red is the best beginning of a
# melon, so that is what becomes of it, and the dark leaves around the flower begin nothing and stay
# leaves. The network decides what there *can* be. It has never seen a cup.
# </details>
#
# ## 4. One channel, or all; and each with the same say
#
# **The idea.** A layer is many channels, and your step takes any network. `Channels(model, layer,
# 8)` is one that ends in channel 8 of the layer; its last layer is called `"grown"`, and there
# your step may look.
#
# **Look** (about 10 seconds). The same palace, six channels of relu4_2. Each finds a place of its
# own, and a thing: a row of eyes (3), two eyes under brows (4), yellow with black stripes and dots
# (5), pips between white lips (7), black spots on white (8), and slices of melon in the corners
# (11).

# %% tags=["look"]
CHANNELS = [3, 4, 5, 7, 8, 11][:steps(6, 2)]

with needs("deepdream_step", "octave_pyramid"):
    alone = watch({("china", f"channel {c}"): dreamed(Channels(dreamer, MIDDLE, c), "grown",
                                                      photos["china"]) for c in CHANNELS}, 4 * EACH)
    display(table(alone, height=1.15))

# %% [markdown]
# **The loud ones.** With all channels at once, the square makes the loud ones louder: on the palace
# the few that like black and yellow stripes paint over everything. To give each the same say,
# divide a channel by the root of its own strength. With $r_c$ the root of the mean of $a_c^2$ over
# all places,
#
# $$ \tfrac12 \sum \Big( \frac{a}{\sqrt{r}} \Big)^2 \propto \sum_c r_c \qquad \text{instead of}
# \qquad \tfrac12 \sum a^2 \propto \sum_c r_c^2 $$
#
# and the gradient of $r_c$ is equally long for every channel. `Channels(..., balanced=True)` does
# that; your step stays as it is.
#
# **Look** (about 20 seconds). Two layers, as they are and balanced. In relu4_1 the palace loses its
# stripes. It gets two eyes under a striped roof, a red front with black spots, and honeycomb in the
# corner. In relu5_1 the palace and the cat change most: instead of one pattern there are several
# things, a white ball with black spots, the cap of a mushroom. The rocket does not mind.

# %% tags=["look"]
TWO = ["relu4_1", "relu5_1"] if NETWORK == "specimens" else [LAYERS[2], LAYERS[4]]
FOUR = ["china", "chelsea", "rocket", "astronaut"][:steps(4, 1)]

with needs("deepdream_step", "octave_pyramid"):
    even = watch({(f"{layer}, {how}", what):
                  dreamed(Channels(dreamer, layer, balanced=how == "balanced"), "grown",
                          photos[what])
                  for layer in TWO for how in ("as it is", "balanced") for what in FOUR},
                 4 * EACH)
    display(table(even, height=1.25))

# %% tags=["figures"]
@torch.no_grad()
def half(picture, layer):
    """How many of a layer's channels hold half of its energy."""
    held = strengths(activations(dreamer, picture, layer)[layer]).square().flatten()
    return int((held.sort(descending=True).values.cumsum(0) < held.sum() / 2).sum()) + 1

halves = {(layer, how): [half(even[f"{layer}, {how}", what], layer) for what in FOUR]
          for layer in TWO for how in ("as it is", "balanced")}
mean_of = {key: sum(counts) / len(counts) for key, counts in halves.items()}

[f"On average {mean_of['relu4_1', 'as it is']:.0f} of the 128 channels of relu4_1 hold half of the "
 f"energy, balanced {mean_of['relu4_1', 'balanced']:.0f}; of the 192 of relu5_1 "
 f"{mean_of['relu5_1', 'as it is']:.0f}, and balanced {mean_of['relu5_1', 'balanced']:.0f}."]

# %% [markdown]
# How many channels does it take to hold half of a dream's energy, $\sum a^2$? On average 15 of the
# 128 channels of relu4_1 hold half of the energy, balanced 24; of the 192 of relu5_1 7, and
# balanced 16.
#
# ## 5. A guide: dream of this
#
# **The idea.** So far a place dreamed of what it resembled by itself. Show the network a second
# picture, the *guide*, and let every place dream of that part of the guide which it resembles most.
#
# **The equation.** Let $a_p$ be the vector of all channels at place $p$ of the picture, and $u_q$
# that at place $q$ of the guide, in the same layer. What fits best has the largest inner product:
#
# $$ b_p = u_{q(p)}, \qquad q(p) = \operatorname{argmax}_q \, \langle a_p, u_q \rangle $$
#
# Then $b$ takes the place of the gradient at the layer, where $a$ itself has been. Your step gets
# this for nothing: `Guided` ends in $\sqrt{2 \langle a_p, b_p \rangle}$, of which half the square
# is $\langle a_p, b_p \rangle$, and the gradient of that at the layer is $b$.
#
# **The shapes.**
#
# | name | shape | what |
# | --- | --- | --- |
# | `features` | `(1, C, h, w)` | the layer on the picture |
# | `guide` | `(1, C, gh, gw)` | the layer on the guide, which may have another size |
# | result | `(1, C, h, w)` | a vector of the guide at each place, of equals the first; no gradient flows through it |
#
# **A hint.** `flatten(2)` makes one row of all places. Of two matrices, all inner products are one
# `@`.
#
# **Your turn** (about four lines).

# %% nbgrader={"grade_id": "guide_solution", "solution": true} tags=["solution"]
def match_guide(features, guide):
    """At each place of features (1, C, h, w) the best vector of guide (1, C, gh, gw), for it."""
    ### BEGIN SOLUTION
    vectors = guide.detach().flatten(2)[0]                # (C, gh * gw)
    products = features.detach().flatten(2)[0].T @ vectors  # (h * w, gh * gw)
    return vectors[:, products.argmax(dim=1)].view_as(features)
    ### END SOLUTION

# %% nbgrader={"grade_id": "guide_check", "grade": true, "locked": true, "points": 2} tags=["check"]
check.match_guide(match_guide)

# %% nbgrader={"grade_id": "guide_hidden_matched", "grade": true, "locked": true, "points": 2} tags=["check"]
# Two points: features and guides of other sizes, neither of them square.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import deepdream as hidden
hidden.matched(match_guide)
### END HIDDEN TESTS

# %% [markdown]
# **Look** (about 15 seconds). A flower and a palace, each with four guides, and without any. Above
# each stands the guide, and what the *ordinary* network says, which had no part in it.
#
# The same flower becomes a ladybug, a slice of melon or a pineapple with its leaves. It is round,
# and so were they. The guide does not have its way everywhere. Of the fish the flower takes an eye
# and the stripes, and not the form; and the palace has too many dark lines to be a pineapple, and
# is striped like a bee, as it is without a guide.

# %% tags=["look"]
if NETWORK == "specimens":
    gallery = specimens.gallery()
    guides = {kind: gallery.images[8 * specimens.class_names.index(kind)][None].to(device)
              for kind in ("ladybug", "fish", "watermelon", "pineapple")[:steps(4, 2)]}
else:
    guides = {what: photos[what] for what in ("chelsea", "china")}

with needs("deepdream_step", "octave_pyramid", "match_guide"):
    asked = {(what, f"{kind}\n"): Guided(dreamer, MIDDLE, guide, match_guide)
             for what in ("flower", "china")[:steps(2, 1)] for kind, guide in guides.items()}
    asked |= {(what, "no guide\n"): dreamer for what, _ in asked}
    guided = watch({(what, kind): dreamed(network, MIDDLE if network is dreamer else "grown",
                                          photos[what])
                    for (what, kind), network in asked.items()}, 4 * EACH)
    display(plots.show([*guides.values()], [*guides], labels=["guides"], height=1.2))
    display(table(guided, lambda row, kind, picture: f"{kind}{says(model, picture)}".strip(),
                  height=1.3))

# %% tags=["figures"]
@torch.no_grad()
def best(network, picture):
    return network.class_names[int(network(picture).argmax())]

follows = {key: best(model, picture) == key[1].strip() for key, picture in guided.items()}
unasked = [best(model, guided[what, "no guide\n"]) for what in ("flower", "china")]

[f"In {spelled(sum(follows.values()))} of eight dreams it is the guide's kind.",
 f"Without a guide the two are *{unasked[0]}* and *{unasked[1]}*."]

# %% [markdown]
# In six of eight dreams it is the guide's kind. Without a guide the two are *watermelon* and *bee*.
#
# **How this was found.** The notebook of A. Mordvintsev, C. Olah and M. Tyka, 2015, as above, which
# calls it *controlling dreams*.

# %% [markdown]
# ## 6. Whose dream is it?
#
# **The idea.** A dream is made of two things, a picture and a network. Keep the picture, and change
# the network: trained the ordinary way, trained to withstand small perturbations, and with *random*
# weights, which has learned nothing. And keep the network, and take a picture of nothing: noise.
#
# **Look** (about 20 seconds). Dreams of relu4_2. Above each stands what the two trained networks
# say to it: one name where they agree.
#
# The random network has no dreams. It puts the same grain on everything, and makes contrasts
# stronger. The two others add things, and the same kinds of things: eyes, scales, stripes. The
# ordinary one draws them in fine lines, as its class pictures were in notebook 05, and the robust
# one in large patches with colours. From noise, too, both make something, though nothing was there.

# %% tags=["look"]
dreamers = networks | {"random weights": untrained(NETWORK, generator=seeded(0), device=device)}
SEEN = [*["chelsea", "china", "coffee", "flower", "rocket"][:steps(5, 1)], "noise"]

@torch.no_grad()
def answers(picture):
    """What the trained networks say, each name once."""
    return " / ".join(dict.fromkeys(name(int(network(picture).argmax()))
                                    for network in networks.values()))

with needs("deepdream_step", "octave_pyramid"):
    whose = watch({(who, what): dreamed(network, MIDDLE, starts[what])
                   for who, network in dreamers.items() for what in SEEN}, 4 * EACH)
    whose = {("start", what): starts[what] for what in SEEN} | whose
    display(table(whose, lambda who, what, picture: answers(picture), height=1.05))

# %% tags=["figures"]
agree = {who: sum("/" not in answers(whose[who, what]) for what in SEEN)
         for who in ("start", *dreamers)}

def gain(who):
    """By what factor dreams raise the mean of a² in the ordinary network: its geometric mean."""
    factors = [risen(model, MIDDLE, whose[who, what], starts[what]) for what in SEEN]
    return torch.tensor(factors).log().mean().exp().item()

@torch.no_grad()
def sure(who):
    """How sure the ordinary network is of its answer, on average."""
    pictures = torch.cat([whose[who, what] for what in SEEN])
    return model(pictures).softmax(dim=1).amax(dim=1).mean().item()

[f"they give one name {spelled(agree['start'])} times, to the random network's dreams "
 f"{spelled(agree['random weights'])} times, to the ordinary one's {spelled(agree['ordinary'])} "
 f"times and to the robust one's {spelled(agree['robust'])} times.",
 f"raise it by {gain('robust'):.0f}, and those of the random one by {gain('random weights'):.0f}.",
 f"is {percent(sure('random weights'))} sure of the random grain, on average, and "
 f"{percent(sure('robust'))} of the robust network's dreams."]

# %% [markdown]
# Do the two trained networks agree? To the six pictures that we start from they give one name two
# times, to the random network's dreams two times, to the ordinary one's four times and to the
# robust one's five times. So what one dreams the other recognises: they have learned from the same
# data. And by what factor does a dream raise the mean of $a^2$ in the layer of *another* network,
# the ordinary one? Those of the robust network
# raise it by 35, and those of the random one by 6.
#
# How *sure* a network is would have been no proof: the ordinary one is 74 % sure of the random
# grain, on average, and 43 % of the robust network's dreams. That was the subject of notebook 04.
#
# **And from other data?** This was dreamed by SqueezeNet, with the same functions. It has learned
# from ImageNet, a million photographs in 1000 classes, and 118 of these are breeds of dogs.
# (Stored, for its weights are not in this course; with `NETWORK = "squeezenet1_0"` above it
# downloads 5 MB, and all of this notebook runs on it.)

# %% tags=["look"]
dogs = images.load(datasets.path("deepdream/squeezenet.jpg"))
plots.show([dogs], ["stored: SqueezeNet's dreams of a cup, a cat and a palace"], height=2.2)

# %% [markdown]
# Dogs, then: one looks out of the cup, more lie on the saucer, the cat is made of them, and a large
# one sits right of the palace. Nobody sees a melon. A network dreams of what it has been shown, and
# most of what it has been shown most. One trained on places instead of things puts roofs, arches
# and bridges there.
#
# **Think.** A dream looks as if the network had an imagination. What would you say it shows?
#
# <details><summary>One answer</summary>
#
# What the layer has learned to tell apart, placed where the photograph comes nearest to it. That is
# useful. When the authors of the first dreams asked for dumbbells, an arm was on each of them, for
# the training data had shown few without. But it shows what excites the layer, not what the
# network would say of the photograph. And somebody chose the dream that you were shown, by layer,
# rate and start, because it was beautiful. We did.
# </details>
#
# **How this was found.** *Inceptionism*, 2015, as above, with the dumbbells and the places.

# %% [markdown]
# ## 7. A journey
#
# **The idea.** Take a dream, go a little nearer, dream on, and so forth. What is a dot now has the
# time to become an eye, and the eye fills the picture and falls apart into other things. There is
# no end to it: `zoom` takes your step twice for each frame, and enlarges by two percent.
#
# **Look.** Stored, since it takes three minutes: twelve seconds into the eyes of a cat (the robust
# network, relu4_1, balanced).

# %% tags=["look"]
plots.video(datasets.path("deepdream/zoom.mp4"), alt="a stored zoom into a cat's face: scales, "
            "eyes, stripes and beads grow, pass by and give way to others")

# %% [markdown]
# **And live** (about 5 seconds): four seconds of your own. Choose another photograph or layer, and
# go elsewhere. If you interrupt it, the video ends there.

# %% tags=["look"]
FRAMES = steps(48, 4)
film = []

def kept(frames):
    """The frames, each of which is kept in film: an interrupt loses none."""
    for frame in frames:
        film.append(frame.image)
        yield frame

with needs("deepdream_step"):
    journey = zoom(deepdream_step, Channels(dreamer, LAYERS[2], balanced=True), "grown",
                   start=images.fit(photos["flower"], (120, 160)), frames=FRAMES, by=1.03,
                   generator=seeded(0))
    watch({"journey": kept(journey)}, FRAMES, "frames")
    display(plots.video(film, fps=12, width=320, alt="a zoom into a flower"))

# %% [markdown]
# ## 8. Play: every number on a slider
#
# Your functions, live: press *play* and move the sliders; what they say acts at the next step.
# Start from noise, change the layer on the way, give it a guide, or turn up the zoom and travel.
# (Where no kernel runs, as on a web page, only the panel's picture is left.)
#
# **The recipe of the picture on top**, if you have a minute: `Channels(networks["robust"],
# "relu5_1", balanced=True)`, layer `"grown"`, `start=images.photo("coffee", size=512)`, `steps=12`,
# `octaves=7`, `scale=1.35`, `reach=16`, `learning_rate=0.01`. Seven octaves, because each thing
# settles at the size at which the photograph suggests it.

# %% tags=["look"]
widgets.deepdream_panel(
    networks, starts, LAYERS[::-1], deepdream_step=deepdream_step,
    octave_pyramid=octave_pyramid, match_guide=match_guide, begin=steps(12, 2))

# %% [markdown]
# That is the end. You have made a network see things that are not there, and found that they come
# from what it was shown. When a network is sure of something that you do not see, think of the cup.
#
# Before you hand in: the points of the checks that passed in this session.

# %% tags=["look"]
check.progress()
