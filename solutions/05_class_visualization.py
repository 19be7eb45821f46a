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
# # What would the network like to see?
#
# A network gives a score for *ladybug* to every picture. So ask it the other way round: which
# picture has the highest score? Start from grey noise, and climb.
#
# You will write the climb, and four helpers that keep it from going astray:
#
# | you write | it gives | in a formula | points |
# | --- | --- | --- | --- |
# | `class_visualization_update_step(img, model, target_y, l2_reg, learning_rate)` | nothing: it changes `img` in place | $I \leftarrow I + \eta \, g / \lVert g \rVert_2$, where $g = \nabla_I \, (S_t(I) - \lambda \lVert I \rVert_2^2)$ | 8 |
# | `jitter(img, ox, oy)` | a new picture | rolled `ox` columns to the right and `oy` rows down | 2 |
# | `blur(img, sigma)` | a new picture | each colour blurred by the kernel $e^{-k^2 / 2 \sigma^2}$ | 3 |
# | `clip_small_pixels(img, fraction)` | a new picture | 0 where $\lVert I_{ij} \rVert_2$ is among the smallest | 3 |
# | `clip_small_gradients(img, gradient, fraction)` | a new picture | 0 where $\lvert \sum_c I_{cij} \, g_{cij} \rvert$ is among the smallest | 4 |
#
# Then comes what is rarely done with such pictures: they are scored. Does *another* network
# recognise what they show? And do you? There is a test to take, with 24 pictures and no titles.
#
# Run the cells in order. Everything runs on a laptop without a network connection; the whole
# notebook computes for about four minutes. A long cell shows its picture while it grows; interrupt
# it (■), and it keeps the best so far. `check.progress()` lists your points.

# %% nbgrader={"grade_id": "setup_imports", "locked": true} tags=["setup"]
import math

import torch
import torch.nn.functional as F
from IPython.display import display

from cs_vis import check, images, load_model, pick_device, plots, specimens, widgets
from cs_vis.methods.class_visualization import Neurons, visualize
from cs_vis.methods.fourier import color_root, in_frequencies
from cs_vis.methods.generator import codes, load_generator, of_code
from cs_vis.methods.modes import explained, modes, pooled_features
from cs_vis.methods.naming import named, read_names, verdict
from cs_vis.models import find_layer, untrained
from cs_vis.notebook import chosen_network, needs, progress, steps, watch

device = pick_device()
NETWORK = chosen_network("specimens")  # or "squeezenet1_1", "vgg16", ...: any of torchvision's
model = load_model(NETWORK, device=device)
networks = {NETWORK: model}
if NETWORK == "specimens":  # trained the ordinary way, and against small perturbations
    networks = {"ordinary": model, "robust": load_model("specimens-robust", device=device)}
artist = [*networks.values()][-1]  # the network whose pictures we ask for first: the robust one
critic = model                     # and the one that says what they show

SIDE = 128 if NETWORK == "specimens" else 224  # pixels
CLASSES = [k * len(model.class_names) // 24 for k in range(24)]  # all 24, or 24 of them

def name(k):
    return model.class_names[k].split(",")[0][:18]

def seeded(seed):
    return torch.Generator().manual_seed(seed)

mean = model.mean_color.view(3, 1, 1)
GREY = (0.5 - mean).expand(1, 3, SIDE, SIDE)  # mid-grey, as a difference from the mean colour
chance = seeded(0)                            # 24 starts of noise, and then every jitter
NOISE = 0.1 * torch.randn(24, 3, SIDE, SIDE, generator=chance).to(device)

@torch.no_grad()
def says(network, picture):
    """The network's answer in words."""
    p = network(picture).softmax(dim=1)[0]  # (K,)
    return f"{name(int(p.argmax()))}, {p.max():.0%}"

@torch.no_grad()
def sure(network, picture, k):
    """How sure the network is of class k, from 0 to 1."""
    return network(picture).softmax(dim=1)[0, k].item()

def in_rows(things, wide=8):
    return [things[i:i + wide] for i in range(0, len(things), wide)]

def table(found, title, height=1.45):
    """Show pictures by (row, column), each below title(row, column, picture), as far as they
    are there: an interrupt may have left some out."""
    rows = {}
    for (row, column), picture in found.items():
        rows.setdefault(row, {})[column] = picture
    return plots.show([[*row.values()] for row in rows.values()],
                      [[title(label, column, picture) for column, picture in row.items()]
                       for label, row in rows.items()], labels=[*rows], height=height)

# %% [markdown]
# ## 1. One step up
#
# **The idea.** A saliency map asks which pixels a score reacts to. Follow the answer: change
# every pixel a little in the direction that makes the score rise, and ask again. After seventy
# such steps the picture shows what the network goes by. Two things keep it in bounds. A *penalty*
# on bright and dark pixels draws the picture back to plain grey. And every step has the same
# length: a gradient may be steep here and flat there, so only its direction is used.
#
# **The equation.** $S_t$ is the *raw score* of the target class $t$, before the softmax: a
# probability could also grow because the other classes' scores fall. $\lambda$ is `l2_reg`,
# $\eta$ is `learning_rate`, and the norms go over all values of the picture:
#
# $$ g = \frac{\partial}{\partial I} \Big( S_t(I) - \lambda \lVert I \rVert_2^2 \Big), \qquad
# I \leftarrow I + \eta \, \frac{g}{\lVert g \rVert_2}, \qquad
# \lVert I \rVert_2^2 = \textstyle\sum I^2 $$
#
# **The shapes.**
#
# | name | shape | what |
# | --- | --- | --- |
# | `img` | `(1, 3, H, W)` | the picture, around 0; it is changed **in place**, and not clamped |
# | `target_y` | int | the class whose score is to rise |
# | `model(img)` | `(1, K)` | raw scores of all classes |
# | `l2_reg`, `learning_rate` | numbers | $\lambda$ and $\eta$, both at least 0 |
# | result | | none |
#
# *Around 0*: the penalty and two of the helpers pull to 0, so 0 had better be a plain picture,
# not a black one. What your step moves is the difference from the network's mean colour, and the
# `model` that we hand it adds this colour before it looks.
#
# The penalty belongs under the gradient, so that it, too, is divided by the norm. A gradient that
# an earlier step left in `img.grad` must not count again. The network stays as it was.
#
# **A hint.** `img.detach().requires_grad_()` is a leaf that shares its memory with `img`. Changing
# it in place works under `torch.no_grad()`.
#
# **Your turn** (about six lines).

# %% nbgrader={"grade_id": "step_solution", "solution": true} tags=["solution"]
def class_visualization_update_step(img, model, target_y, l2_reg, learning_rate):
    """Change img, in place, by one step up the score of target_y minus l2_reg * |img|^2.

    img (1, 3, H, W), target_y int, two numbers -> None
    """
    ### BEGIN SOLUTION
    leaf = img.detach().requires_grad_()  # the same memory, and no history
    objective = model(leaf)[0, target_y] - l2_reg * leaf.square().sum()
    gradient, = torch.autograd.grad(objective, leaf)  # (1, 3, H, W)
    with torch.no_grad():
        img += learning_rate * gradient / gradient.norm().clamp(min=1e-12)
    ### END SOLUTION

# %% [markdown]
# **Check.** This runs your function on tiny networks with known answers. If it recognises a slip,
# it names it. The cells after it look empty: there the grader tries your function on other inputs.

# %% nbgrader={"grade_id": "step_check", "grade": true, "locked": true, "points": 3} tags=["check"]
check.class_visualization_update_step(class_visualization_update_step)

# %% nbgrader={"grade_id": "step_hidden_score", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: one step without a penalty, on fresh networks and pictures.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import class_visualization as hidden
hidden.score_step(class_visualization_update_step)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "step_hidden_penalty", "grade": true, "locked": true, "points": 2} tags=["check"]
# Two points: one step with a penalty that pulls about as hard as the score.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import class_visualization as hidden
hidden.penalty_step(class_visualization_update_step)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "step_hidden_three", "grade": true, "locked": true, "points": 2} tags=["check"]
# Two points: three steps on one picture. Each starts from the picture alone.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import class_visualization as hidden
hidden.three_steps(class_visualization_update_step)
### END HIDDEN TESTS

# %% [markdown]
# **Look** (about 20 seconds). Nothing but your step: no penalty, no helper, from the same noise.
# `visualize` is given; it takes your step again and again and keeps the picture in [0, 1].
#
# Expect a network that is sure, and little that you would call by the name: grain all over, and a
# few patches of black spots or red dots. The ordinary network is 100 % sure of all three, and the
# robust network gives them 50 % at most. Its own three pictures, from the same noise, are grainy,
# too; but there is one thing in each, a spotted one, a red cap with white dots, a ring.

# %% tags=["look"]
PLAIN = [CLASSES[i] for i in (0, 9, 17)][:steps(3, 2)]  # ladybug, mushroom, donut

with needs("class_visualization_update_step"):
    plain = watch({(who, k): visualize(class_visualization_update_step, network, k,
                                       start=GREY + NOISE[:1], steps=steps(70, 4),
                                       learning_rate=4, generator=seeded(0))
                   for who, network in networks.items() for k in PLAIN}, steps(70, 4))
    display(table(plain, lambda who, k, picture:
                  f"{name(k)}? It says\n{says(networks[who], picture)}", height=1.9))

# %% tags=["figures"]
from cs_vis.grading.prose import percent

its_own = [sure(model, plain["ordinary", k], k) for k in PLAIN]
to_robust = [sure(networks["robust"], plain["ordinary", k], k) for k in PLAIN]

[f"is {percent(min(its_own))} sure of all three, and the robust network gives them "
 f"{percent(max(to_robust))} at most"]

# %% [markdown]
# **Think.** Your step climbs the raw score. Why not the probability, which is what one is after?
#
# <details><summary>One answer</summary>
#
# The probability of a class rises as well when the scores of all others fall, and a picture that
# merely looks like nothing else is not what you asked for. And near 1 it is flat: where the
# network is sure already, its gradient says nothing more. The score has no such end.
# </details>
#
# **How this was found.** K. Simonyan, A. Vedaldi and A. Zisserman, *Deep inside convolutional
# networks: visualising image classification models and saliency maps*, 2014, section 2. D. Erhan,
# Y. Bengio, A. Courville and P. Vincent, *Visualizing higher-layer features of a deep network*,
# 2009. That networks are sure of noise: A. Nguyen, J. Yosinski and J. Clune, *Deep neural networks
# are easily fooled*, 2015.

# %% [markdown]
# ## 2. Jitter and blur: against the grain
#
# **The idea.** The grain of these pictures fits the network's grid to the pixel: moved by one
# pixel, it would no longer please. So do not let it: *roll* the picture by a few random pixels
# before each step, and roll it back afterwards. What survives has pleased at many places. And fine
# grain is easily made and easily wiped away, so blur the picture a little every few steps: shapes
# stay, grain goes.
#
# **The equations.** `jitter` moves the picture `ox` columns to the right and `oy` rows down, and
# what leaves it on one side enters on the other; negative numbers go left and up:
#
# $$ J(i, j) = I\big( (i - o_y) \bmod H, \; (j - o_x) \bmod W \big) $$
#
# `blur` weighs the neighbours in a column, and then those in a row, by a Gaussian kernel that ends
# at $r = \lceil 3 \sigma \rceil$ pixels:
#
# $$ w_k = \frac{e^{-k^2 / 2 \sigma^2}}{\sum_{m=-r}^{r} e^{-m^2 / 2 \sigma^2}}, \qquad
# k = -r, \dots, r $$
#
# **The shapes.**
#
# | name | shape | what |
# | --- | --- | --- |
# | `img` | `(N, 3, H, W)` | pictures, of any values; they stay as they were |
# | `ox`, `oy` | int | columns to the right, rows down |
# | `sigma` | number | $\sigma$ in pixels; 0 gives a copy |
# | result | `(N, 3, H, W)` | a new tensor, in the dtype and on the device of `img` |
#
# Beyond the border of a picture its last pixel goes on, as `F.pad(..., mode="replicate")` has it.
#
# **A hint.** `torch.roll` takes shifts and dims. `F.conv2d(x, kernel, groups=3)` with a kernel
# `(3, 1, 2r + 1, 1)` blurs each of the three colours by itself, down its columns.
#
# **Your turn** (one line, and about eight).

# %% nbgrader={"grade_id": "jitter_solution", "solution": true} tags=["solution"]
def jitter(img, ox, oy):
    """Roll the pictures ox columns to the right and oy rows down: (N, 3, H, W), a new tensor."""
    ### BEGIN SOLUTION
    return img.roll((oy, ox), dims=(2, 3))
    ### END SOLUTION

# %% nbgrader={"grade_id": "jitter_check", "grade": true, "locked": true, "points": 1} tags=["check"]
check.jitter(jitter)

# %% nbgrader={"grade_id": "jitter_hidden_rolled", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: two pictures at once, in three directions.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import class_visualization as hidden
hidden.rolled(jitter)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "blur_solution", "solution": true} tags=["solution"]
def blur(img, sigma):
    """Blur each colour by a Gaussian of sigma pixels: (N, 3, H, W), a new tensor."""
    ### BEGIN SOLUTION
    if sigma == 0:
        return img.clone()
    reach = math.ceil(3 * sigma)
    k = torch.arange(-reach, reach + 1, dtype=img.dtype, device=img.device)
    kernel = torch.exp(-k ** 2 / (2 * sigma ** 2))
    kernel = (kernel / kernel.sum()).expand(3, 1, -1)  # (3, 1, 2r + 1)
    padded = F.pad(img, (reach, reach, reach, reach), mode="replicate")
    down = F.conv2d(padded, kernel[..., None], groups=3)  # (N, 3, H, W + 2r)
    return F.conv2d(down, kernel[:, :, None], groups=3)  # (N, 3, H, W)
    ### END SOLUTION

# %% nbgrader={"grade_id": "blur_check", "grade": true, "locked": true, "points": 2} tags=["check"]
check.blur(blur)

# %% nbgrader={"grade_id": "blur_hidden_blurred", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: two other sigmas, one of them on a small picture, and sigma 0.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import class_visualization as hidden
hidden.blurred(blur)
### END HIDDEN TESTS

# %% [markdown]
# **Look.** Both on a picture that you know: rolled 40 columns to the right and 20 rows down, and
# blurred by one, two and four pixels. The climb blurs by half a pixel only, but again and again.

# %% tags=["look"]
known = images.examples(model, 1, device=device)[0]  # (1, 3, SIDE, SIDE)

with needs("jitter", "blur"):
    display(plots.show(
        [known, jitter(known, 40, 20), *[blur(known, sigma) for sigma in (1, 2, 4)]],
        ["a picture", "jitter 40, 20", "blur 1", "blur 2", "blur 4"]))

# %% [markdown]
# **How this was found.** Jitter: A. Mordvintsev, C. Olah and M. Tyka, *Inceptionism: going deeper
# into neural networks*, 2015. Blur: J. Yosinski, J. Clune, A. Nguyen, T. Fuchs and H. Lipson,
# *Understanding neural networks through deep visualization*, 2015.

# %% [markdown]
# ## 3. Two clips: what need not be there
#
# **The idea.** A class picture is busy everywhere, for every pixel can add a little to the score.
# Set to 0, that is to the plain background, what hardly matters. Two answers to *what hardly
# matters*: the pixels that are nearly plain anyway, or those that the score would hardly miss.
#
# **The equations.** How bright a pixel is, and what it contributes; the sums go over its three
# colours, and $g$ is the gradient of the score:
#
# $$ n_{ij} = \sqrt{\textstyle\sum_c I_{cij}^2}, \qquad
# s_{ij} = \Big| \textstyle\sum_c I_{cij} \, g_{cij} \Big| $$
#
# To first order, $s_{ij}$ is how much the score would change if the pixel were 0. Each clip takes
# the `fraction`-quantile of its measure over all pixels of a picture, and sets to 0 the pixels
# that lie **below** it (`torch.quantile`, as it comes).
#
# **The shapes.**
#
# | name | shape | what |
# | --- | --- | --- |
# | `img` | `(N, 3, H, W)` | pictures around 0; they stay as they were |
# | `gradient` | `(N, 3, H, W)` | of the score, at `img` |
# | `fraction` | number | from 0 (nothing goes) to 1 |
# | result | `(N, 3, H, W)` | a new tensor, 0 in all three colours where a pixel goes |
#
# Each picture of a batch has a quantile of its own.
#
# **Your turn** (about four lines each).

# %% nbgrader={"grade_id": "pixels_solution", "solution": true} tags=["solution"]
def clip_small_pixels(img, fraction):
    """0 for the pixels with the smallest norms: (N, 3, H, W), a new tensor."""
    ### BEGIN SOLUTION
    size = img.norm(dim=1)  # (N, H, W)
    bound = size.flatten(1).quantile(fraction, dim=1).view(-1, 1, 1)
    return img * (size >= bound)[:, None]
    ### END SOLUTION

# %% nbgrader={"grade_id": "pixels_check", "grade": true, "locked": true, "points": 2} tags=["check"]
check.clip_small_pixels(clip_small_pixels)

# %% nbgrader={"grade_id": "pixels_hidden_small", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: several pictures at once, a pixel exactly at the quantile, and fraction 0.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import class_visualization as hidden
hidden.small_pixels(clip_small_pixels)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "gradients_solution", "solution": true} tags=["solution"]
def clip_small_gradients(img, gradient, fraction):
    """0 for the pixels that contribute least to the score: (N, 3, H, W), a new tensor."""
    ### BEGIN SOLUTION
    contribution = (img * gradient).sum(dim=1).abs()  # (N, H, W)
    bound = contribution.flatten(1).quantile(fraction, dim=1).view(-1, 1, 1)
    return img * (contribution >= bound)[:, None]
    ### END SOLUTION

# %% nbgrader={"grade_id": "gradients_check", "grade": true, "locked": true, "points": 2} tags=["check"]
check.clip_small_gradients(clip_small_gradients)

# %% nbgrader={"grade_id": "gradients_hidden_small", "grade": true, "locked": true, "points": 2} tags=["check"]
# Two points: the same for contributions, on fresh pictures and gradients.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import class_visualization as hidden
hidden.small_gradients(clip_small_gradients)
### END HIDDEN TESTS

# %% [markdown]
# **Look.** The same picture as a difference from the mean colour, clipped by half and by nine
# tenths. What differs most from the mean colour is a rim of the beetle, but also a good part of the
# wall's light joints. What the score would miss most is an eye, a few spots, and a pink shard.

# %% tags=["look"]
with needs("clip_small_pixels", "clip_small_gradients"):
    leaf = known.clone().requires_grad_()
    slope, = torch.autograd.grad(model(leaf).max(), leaf)  # of the best score
    display(plots.show(
        [known, *[clip_small_pixels(known - mean, f) + mean for f in (0.5, 0.9)],
         *[clip_small_gradients(known - mean, slope, f) + mean for f in (0.5, 0.9)]],
        ["a picture", "small pixels 0.5", "small pixels 0.9", "gradients 0.5",
         "gradients 0.9"]))

# %% [markdown]
# **How this was found.** J. Yosinski and others, *Understanding neural networks through deep
# visualization*, 2015, which names four regularisers: the penalty (there a decay), the blur, and
# these two clips.

# %% [markdown]
# ## 4. All together
#
# One step of the climb is now: roll, **step**, clip what contributes least, roll back, clip what
# is small, every fourth time blur, and cut to [0, 1]. These are your functions; `visualize` calls
# them in this order, and each by a number that says how strongly it acts; 0 is not at all. `reach`
# is the most pixels of jitter. The gradient that the second clip asks for is what your step has
# just added: it has the right direction, and the quantile does not care how long it is.

# %% tags=["look"]
STEPS = steps(70, 4)
RECIPE = {"learning_rate": 4, "reach": 8, "sigma": 0.5, "every": 4}  # for the pictures below
ALL = RECIPE | {"l2_reg": 0.002, "pixels": 0.2, "gradients": 0.2}    # everything at once

def climb(network, k, start=None, *, count=STEPS, jitters=chance, **strengths):
    """The frames of one climb, by RECIPE where nothing else is said: nothing is computed yet."""
    helpers = {"jitter": jitter, "blur": blur, "clip_small_pixels": clip_small_pixels,
               "clip_small_gradients": clip_small_gradients}
    place = CLASSES.index(k) if k in CLASSES else 0
    return visualize(class_visualization_update_step, network, k, helpers,
                     start=GREY + NOISE[place:place + 1] if start is None else start,
                     steps=count, generator=jitters.clone_state(), **(RECIPE | strengths))

EXERCISES = ("class_visualization_update_step", "jitter", "blur", "clip_small_pixels",
             "clip_small_gradients")

# %% [markdown]
# **Switch off one at a time** (about half a minute). Every picture was made with everything but one
# thing. Above it: how sure the *ordinary* network, which had no part in it, is of the class.
#
# Two of them do most of the work. Without the blur, grain spreads over a good part of the
# picture. Without the penalty, the background fills, for nothing says that it should stay plain.
# The others do less here: the clip of small pixels changes next to nothing, since the penalty has
# been there before it; without jitter the flag is fainter; and cut or not, the shapes are alike.
# With nothing at all we are back where we began. The ordinary network is at least 98 % sure of
# every cone, even of that one. But the checkered flag that was made with nothing is a *snail* to
# it.

# %% tags=["look"]
ABLATED = [CLASSES[i] for i in (14, 21)][:steps(2, 1)]  # traffic cone, checkered flag
WITHOUT = {"all": {}, "no jitter": {"reach": 0}, "no blur": {"sigma": 0},
           "no small pixels": {"pixels": 0}, "no gradients": {"gradients": 0},
           "no penalty": {"l2_reg": 0}, "not cut": {"in_range": False},
           "nothing": {"reach": 0, "sigma": 0, "pixels": 0, "gradients": 0, "l2_reg": 0}}

with needs(*EXERCISES):
    ablated = watch({(name(k), what): climb(artist, k, **(ALL | change))
                     for k in ABLATED for what, change in WITHOUT.items()}, STEPS)
    by_name = {name(k): k for k in ABLATED}
    display(table(ablated, lambda row, what, picture:
                  f"{what}\n{sure(critic, picture, by_name[row]):.0%}", height=1.15))

# %% tags=["figures"]
from cs_vis.grading.prose import article, claim, spelled

cone_sure = [sure(model, ablated["traffic cone", what], ABLATED[0]) for what in WITHOUT]

[f"is at least {percent(min(cone_sure))} sure of every cone",
 f"is {article(named(ablated['checkered flag', 'nothing'], model)[0])} to it."]

# %% [markdown]
# **Where you start** (about 10 seconds). From black, from mid-grey, and from noise of three seeds,
# without penalty and clips. All five are sunflowers, each at another place, and some with a second
# face above. A climb finds *a* picture with a high score, not *the* picture. And what it need not
# change it leaves alone: from black, most of the picture stays dark.

# %% tags=["look"]
which = CLASSES[8]

with needs(*EXERCISES):
    starts = {"black": (-mean).expand_as(GREY), "mid-grey": GREY,
              **{f"noise {seed}": GREY + NOISE[seed:seed + 1] for seed in (1, 2, 3)}}
    arrived = watch({title: climb(artist, which, start) for title, start in starts.items()},
                    STEPS)
    display(plots.show([*arrived.values()],
                       [f"{title}\n{says(critic, picture)}" for title, picture in arrived.items()],
                       labels=[name(which)], height=1.7))

# %% [markdown]
# **Think.** How much do the colours of these pictures mean?
#
# <details><summary>One answer</summary>
#
# Little. Nothing holds them back but the ends of the range, so all are too strong. Where a kind has
# a colour of its own, as a strawberry or a sunflower has, the picture has it, too. But an umbrella
# comes in every colour, so the score does not care, and the climb paints it in all of them at
# once, in stripes that no umbrella ever had.
# </details>

# %% [markdown]
# ## 5. The test: what is it?
#
# A picture that we titled proves little: once you have read *ladybug*, you see one. So here are
# the pictures of all 24 classes, without titles and shuffled. Choose a `SHUFFLE` of your own, run
# the cell (about three quarters of a minute), and do not scroll on: further down they have names.
# They are made by `RECIPE` alone, without penalty and clips.

# %% tags=["look"]
SHUFFLE = 1  # your number

portraits, tiles = {}, []  # class -> its picture; the classes of the tiles, in order

with needs(*EXERCISES):
    portraits.update(watch({k: climb(artist, k) for k in CLASSES[:steps(24, 3)]}, STEPS))
    shuffled = torch.randperm(len(portraits), generator=seeded(SHUFFLE)).tolist()
    tiles.extend(list(portraits)[i] for i in shuffled)
    display(plots.show(in_rows([portraits[k] for k in tiles]),
                       in_rows([str(number + 1) for number in range(len(tiles))]), height=1.2))

# %% [markdown]
# Name the 24 pictures: one name for each, in order, with commas between them. Guess where you
# cannot tell, and judge each picture for itself, not by which names are left. The names:
#
# > ladybug, bee, fish, snail, butterfly, starfish, owl, turtle, sunflower, mushroom, strawberry,
# > watermelon, cactus, pineapple, traffic cone, sailboat, hot-air balloon, donut, clock, eye,
# > zebra ball, checkered flag, umbrella, die

# %% tags=["look"]
MY_NAMES = ""  # "snail, die, owl, ..."

true = [model.class_names[k] for k in tiles]
answers = {}
if tiles:
    answers[f"the {[*networks][0]} network"] = named(torch.cat([portraits[k] for k in tiles]),
                                                     critic)
if MY_NAMES:
    answers["you"] = read_names(MY_NAMES, model.class_names)
for who, said in answers.items():
    print(f"{who}: {verdict(said, true)}")

# %% [markdown]
# Here they are with their names, each above the ordinary network's picture of the same class,
# started from the same noise, by the same recipe (about three quarters of a minute). Where the
# *other* network calls a picture something else, that stands above it in brackets.

# %% tags=["look"]
def titles(pictures, judge):
    """The classes, and what the judge says where it says something else."""
    said = named(torch.cat([*pictures.values()]), judge)
    return [name(k) if word == model.class_names[k] else f"{name(k)}\n({word[:18]})"
            for k, word in zip(pictures, said)]

with needs(*EXERCISES):
    compared = {[*networks][-1]: portraits} if portraits else {}
    for who, network in networks.items():
        if network is not artist and portraits:
            compared[who] = watch({k: climb(network, k) for k in portraits}, STEPS)
    rows, above, beside = [], [], []
    for place in range(0, len(portraits), 8):
        for who, found in compared.items():
            part = dict([*found.items()][place:place + 8])
            if part:
                rows.append([*part.values()])
                above.append(titles(part, critic if found is portraits else artist))
                beside.append(who)
    if rows:
        display(plots.show(rows, above, labels=beside, height=1.15))

# %% tags=["figures"]
true_names = [model.class_names[k] for k in portraits]
of_robust = verdict(named(torch.cat([*compared["robust"].values()]), critic), true_names)
of_ordinary = verdict(named(torch.cat([*compared["ordinary"].values()]), artist), true_names)

[f"What the ordinary network says to the robust one's pictures: {of_robust}.",
 f"What the robust network says to the ordinary one's: {of_ordinary}."]

# %% [markdown]
# What the ordinary network says to the robust one's pictures: 24 of 24 right. In most of them there
# is one thing, or two, with parts where they belong: the cactus stands in its pot, the clock has
# hands, the butterfly has eyes on its wings.
# This is one run: from other noise a few of the 24 end in the picture of a neighbour.
#
# What the robust network says to the ordinary one's: 22 of 24 right; sunflower as pineapple;
# checkered flag as snail. So these faint pictures, too, hold what matters. But it is a *pattern*,
# small and many times over: for the sum of the evidence it does not matter where it stands. The
# robust network, which small patterns were not allowed to fool, had to look for larger ones.
#
# **Think.** You name a picture right, and so does the other network. What does that prove, and what
# does it not?
#
# <details><summary>One answer</summary>
#
# It proves that what the network goes by is what you and another network go by: not a code of its
# own. It does not prove that this is *all* it goes by. The climb shows what raises the score
# most; what lowers it, and what it takes from the background, are not in the picture.
# </details>
#
# **Another network.** Everything here takes any network. Write `NETWORK = "squeezenet1_0"` in the
# set-up cell, and run it all again: it was trained on a million photographs, knows 1000 classes,
# and downloads 5 MB. Its pictures are busier, but look for the dogs' heads in *Labrador retriever*.
#
# **How this was found.** That pictures of robust networks look like the things: S. Santurkar, D.
# Tsipras, B. Tran, A. Ilyas, L. Engstrom and A. Mądry, *Image synthesis with a single (robust)
# classifier*, 2019. L. Engstrom and others, *Adversarial robustness as a prior for learned
# representations*, 2019.

# %% [markdown]
# ## 6. Any neuron
#
# **The idea.** A class is the last layer's channel, and your step takes whatever gives a row of
# scores. So hand it the channels of an inner layer: `Neurons(network, layer)` is a network that
# ends there, and its scores are each channel's mean over the whole picture; with `centre=True`
# it is the one neuron in the middle. It asks *before* the ReLU: where a neuron is off, nothing
# behind its ReLU has a slope, and the climb would never begin.
#
# **Look** (about 20 seconds). Three layers of the robust network, six channels each. A channel
# fills the whole picture with what excites it; one neuron fills its receptive field, which grows
# from layer to layer. Expect stripes and grain in conv3_1, rings and rows of beads in conv4_1. In
# conv5_1 there are things nearly: rings like eyes (3), an eye with its lids (5, one neuron),
# green ribs on a red foot (8), a white face with black dots (21). Nobody asked for any of them.

# %% tags=["look"]
CHANNELS = [3, 5, 8, 13, 17, 21][:steps(6, 2)]
wide = [layer for layer in artist.layer_names
        if getattr(find_layer(artist, layer), "out_channels", 0) > max(CHANNELS)]  # convolutions
LAYERS = [wide[len(wide) * part // 8] for part in (3, 5, 7)][:steps(3, 2)]

with needs(*EXERCISES):
    asked = watch({(f"{layer}, {'one neuron' if centre else 'channel'}", c):
                   climb(Neurons(artist, layer, centre=centre), c, count=steps(30, 3))
                   for layer in LAYERS for centre in (False, True) for c in CHANNELS},
                  steps(30, 3))
    first = f"{LAYERS[0]}, channel"
    display(table(asked, lambda row, c, picture: f"channel {c}" * (row == first), height=1.2))

# %% [markdown]
# **How this was found.** J. Yosinski and others 2015, as above; C. Olah, A. Mordvintsev and L.
# Schubert, *Feature visualization*, 2017.

# %% [markdown]
# ## 7. One class, several faces
#
# **The idea.** An owl may be near or far, brown or white, upright or tilted. One climb gives one
# owl. So look at many, let the network say which are alike, and start near each of these groups,
# the *modes*. We draw 100 owls, take what a layer says to each (its channels' means, brought to
# length 1), and let *k-means* find three clusters. The course knows everything about a drawn owl,
# so we can also ask what a cluster's members have in common: the bars are the share of the variance
# of size, turn and colour that lies between the clusters, and the grey ones show
# clusters drawn by lot (about 20 seconds).

# %% tags=["look"]
KIND, CLUSTERS, LAYER = "owl", 3, "relu4_2"

if NETWORK == "specimens":
    flock = [specimens.draw(seed, KIND) for seed in progress(range(steps(100, 6)), "specimens")]
    features = pooled_features(artist, torch.cat([one.image for one in flock]).to(device), LAYER)
    found, nearest = modes(F.normalize(features), CLUSTERS, generator=seeded(0))
    by_lot = found[torch.randperm(len(found), generator=seeded(0))]
    poses = [one.facts["pose"] for one in flock]
    facts = {"size": [[pose["size"]] for pose in poses],
             "turn": [[math.cos(pose["angle"]), math.sin(pose["angle"])] for pose in poses],
             "mirrored": [[float(pose["flip"])] for pose in poses],
             "colour": [one.facts["color"] for one in flock]}
    display(plots.bars({who: {fact: explained(torch.tensor(values), clusters)
                              for fact, values in facts.items()}
                        for who, clusters in (("by lot", by_lot), ("clusters", found))},
                       baselines=["by lot"]))
    with needs(*EXERCISES):
        middles = {c: flock[int(nearest[c])].image.to(device) for c in range(CLUSTERS)}
        near = {c: blur(picture, 4) for c, picture in middles.items()}
        faces = watch({c: climb(artist, flock[0].label, picture - mean)
                       for c, picture in near.items()}, STEPS)
        sizes = [torch.tensor(facts["size"])[found == c].mean() for c in range(CLUSTERS)]
        members = [[flock[i].image for i in (found == c).nonzero().flatten().tolist()[:3]]
                   for c in faces]
        display(plots.show([[near[c], faces[c], *members[c]] for c in faces],
                           ["start", "climbed", "some of these"],
                           labels=[f"{int((found == c).sum())} owls, size {sizes[c]:.2f}"
                                   for c in faces]))
else:
    print("This part draws a hundred specimens of one kind, which only our networks know.")

# %% tags=["figures"]
shares = {fact: explained(torch.tensor(values), found) for fact, values in facts.items()}
lots = {fact: explained(torch.tensor(values), by_lot) for fact, values in facts.items()}

[f"the clusters explain {shares['size']:.2f} of the variance of the size",
 f"of the colour {shares['colour']:.2f}, where a draw by lot gives {lots['colour']:.2f}"]

# %% [markdown]
# The network tells owls by how near they are: the clusters explain 0.76 of the variance of the
# size, a little of the turn, and of the colour 0.06, where a draw by lot gives 0.02. That one owl
# is a darker brown than another hardly counts. Beside each climb stand a few of its cluster.
#
# And the climbs? They stay where they began, but not as large as they began: into the large owl,
# too, a small face is drawn. A mode is where a climb starts; the score has a favourite size, and
# goes there.
#
# **How this was found.** A. Nguyen, J. Yosinski and J. Clune, *Multifaceted feature
# visualization: uncovering the different types of features learned by each neuron in deep neural
# networks*, 2016.

# %% [markdown]
# ## 8. The same step in other coordinates
#
# **The idea.** A step of length 4 is spread over 49 152 pixel values, and fine grain is the
# cheapest way to spend it. Describe the picture by its *frequencies* instead, with the slow waves
# made large, and by colours that vary as in natural pictures, bright and dark most of all. Then
# the same step, taken in these coordinates, moves shapes first. Your function need not change: it
# climbs whatever tensor it is given. `in_frequencies` turns coordinates $x$ into a picture:
#
# $$ I = \operatorname{sigmoid}\Big( C \cdot \mathcal F^{-1} \big(
# \mathcal F(x) \,/\, \text{frequency} \big) \Big) $$
#
# where $\mathcal F$ is the Fourier transform and $C$ a $3 \times 3$ matrix: the root of
# the covariance of the colours of pictures (about 20 seconds).
#
# Expect soft pictures that fill the frame. With the frequencies alone two of three go astray: the
# ordinary network calls them *die* and *donut*. With the colours as well it names all three, and
# they have what no picture above has: large shapes, light and shade, and the colours of things.

# %% tags=["look"]
COLORS = color_root(images.examples(artist, steps(96, 6), device=device)[0])  # (3, 3)
FOURIER = [CLASSES[i] for i in (0, 7, 13)][:steps(3, 2)]  # ladybug, turtle, pineapple

with needs(*EXERCISES):
    waves = {"frequencies": in_frequencies(), "and colours": in_frequencies(COLORS)}
    drawn = {("pixels", k): climb(artist, k) for k in FOURIER}
    drawn |= {(how, k): climb(artist, k, NOISE[:1], to_picture=to_picture, learning_rate=2, sigma=0)
              for how, to_picture in waves.items() for k in FOURIER}
    drawn = watch(drawn, STEPS)
    display(table(drawn, lambda how, k, picture: f"{name(k)}\n{says(critic, picture)}",
                  height=1.6))

# %% tags=["figures"]
in_waves = {how: [named(drawn[how, k], model)[0] for k in FOURIER] for how in waves}
in_truth = [model.class_names[k] for k in FOURIER]
astray = [said for said, right in zip(in_waves["frequencies"], in_truth) if said != right]

[f"alone {spelled(len(astray))} of {spelled(len(FOURIER))} go astray: the ordinary network calls "
 f"them {' and '.join(f'*{said}*' for said in astray)}.",
 claim("With the colours as well it names all three", in_waves["and colours"] == in_truth)]

# %% [markdown]
# **How this was found.** C. Olah, A. Mordvintsev and L. Schubert, *Feature visualization*, 2017,
# and its code, [lucid](https://github.com/tensorflow/lucid), where the coordinates of
# `optvis/param` come from.

# %% [markdown]
# ## 9. Through a generator: only what looks natural
#
# **The idea.** Most pictures look like nothing at all, and a climb among all pictures may end in
# any of them. Your helpers forbid some. Turn it round, and allow only pictures that look natural.
# A *generator* $G$ is a network that turns a code, here 90 numbers, into a picture. Ours has
# learned to draw the 24 kinds, in the middle of a blurred ground, and can draw little else. So
# leave the pixels alone, and move the code:
#
# $$ g = \frac{\partial}{\partial z} \Big( S_t(G(z)) - \lambda \lVert z \rVert_2^2 \Big), \qquad
# z \leftarrow z + \eta \, \frac{g}{\lVert g \rVert_2} $$
#
# It is your step, as it stands: it never asked what it moved. And the penalty gains a meaning. The
# generator learned from codes whose first 66 numbers were standard normal, and of such a code
# $-\lVert z \rVert^2 / 2$ is, but for a constant, the logarithm of how likely it is.
#
# **What it can draw** (about 2 seconds). For each kind one code by chance: 66 numbers say how, 24
# say which kind. The robust network helped to train the generator, and names 240 of 240 such
# samples as they were meant. The ordinary network had no part in it, and names 230. Not everything
# has been learned: the sunflower has a rim instead of petals, and the clock no hands.

# %% tags=["look"]
painter = load_generator(device=device)
kinds = torch.arange(len(painter.class_names))            # 24
samples = codes(painter, kinds.repeat(2), generator=seeded(0))  # (48, 90)
with torch.no_grad():
    sampled = torch.cat([painter(part) for part in samples.split(12)])  # (48, 3, 128, 128)
plots.show(in_rows([*sampled[:24]], 8), in_rows(painter.class_names, 8), height=1.2)

# %% tags=["figures"]
many = kinds.repeat(10)
with torch.no_grad():
    tried = [painter(part) for part in codes(painter, many, generator=seeded(1)).split(24)]
    meant = {who: sum((network(part).argmax(dim=1).cpu() == kinds).sum().item() for part in tried)
             for who, network in networks.items()}

[f"names {meant['robust']} of {len(many)} such samples",
 f"had no part in it, and names {meant['ordinary']}."]

# %% [markdown]
# **Look** (about 40 seconds). Now the networks choose. Each begins at the one of 48 samples that it
# likes best as a ladybug, a snail and so on, and climbs from there. The third row is a network with
# *random* weights; the last asks for channels of an inner layer of the robust network.
#
# Expect things that you can name, from the ordinary network as well. Channel 3, which drew rings
# like eyes in section 6, finds them on a butterfly's wings, and channel 21, a white face with black
# dots, on a die. And mind the third row. It is as natural as the others: a network that has learned
# nothing asks for zebra balls, for a fish where it should be a starfish, and for a pineapple.

# %% tags=["look"]
BOTH = [k for k, word in enumerate(model.class_names) if word in (
    "ladybug", "snail", "starfish", "mushroom", "strawberry", "umbrella")][:steps(6, 2)]
inner = f"{LAYERS[-1]}, channel"
asking = networks | {"random weights": untrained(NETWORK, generator=seeded(0), device=device),
                     inner: Neurons(artist, LAYERS[-1])}
to_picture = of_code(painter)

def favourite(network, k):
    """The code (1, 3, 1, 30) of the sample with the highest score k; so the step takes it."""
    with torch.no_grad():
        scores = torch.cat([network(part)[:, k] for part in sampled.split(12)])  # (48,)
    best = scores.argmax()
    return samples[best:best + 1].view(1, 3, 1, -1)

with needs("class_visualization_update_step"):
    natural = watch({(who, k): visualize(
        class_visualization_update_step, network, k, start=favourite(network, k),
        steps=steps(30, 3), learning_rate=0.25, l2_reg=0.02, to_picture=to_picture,
        generator=seeded(0))
        for who, network in asking.items() for k in (CHANNELS if who == inner else BOTH)},
        steps(30, 3))
    display(table(natural, lambda who, k, picture: f"channel {k}" if who == inner else name(k)))

# %% [markdown]
# **Think.** Are these the network's pictures, or the generator's?
#
# <details><summary>One answer</summary>
#
# Both, and you cannot tell which part is whose. That the ladybug has a head is the generator's
# doing: it has never drawn one without. A network that only wanted red with black dots would have
# got the same ladybug. The third row shows how far that goes: a network that has learned nothing
# gets pictures as natural as the others, and they look as if it had meant something. The pictures
# of section 5 are harder to look at, but all that is in them is the network's. What was said of
# maps holds here: a natural picture is not an explanation.
# </details>
#
# **How this was found.** A. Nguyen, A. Dosovitskiy, J. Yosinski, T. Brox and J. Clune,
# *Synthesizing the preferred inputs for neurons in neural networks via deep generator networks*,
# 2016. What ours was trained by: D. Kingma and M. Welling, *Auto-encoding variational Bayes*,
# 2014; A. Dosovitskiy and T. Brox, *Generating images with perceptual similarity metrics based on
# deep networks*, 2016; A. Sauer, K. Chitta, J. Müller and A. Geiger, *Projected GANs converge
# faster*, 2021.

# %% [markdown]
# ## 10. Play: every number on a slider
#
# Your functions, live: press *play* and move the sliders; what they say acts at the next step. Let
# a picture grow as a bee, and then change the class to snail. Turn up the penalty until only what
# matters most is left. (Where no kernel runs, as on a web page, only the panel's picture is left.)

# %% tags=["look"]
widgets.class_visualization_panel(
    networks, {"noise": (GREY + NOISE[:1] + mean).clamp(0, 1), "mid-grey": GREY + mean,
               "black": torch.zeros_like(NOISE[:1]), "a picture": known},
    class_visualization_update_step=class_visualization_update_step, jitter=jitter, blur=blur,
    clip_small_pixels=clip_small_pixels, clip_small_gradients=clip_small_gradients,
    begin=steps(30, 2))

# %% [markdown]
# That is the end. You have asked a network what it would like to see, and somebody else whether
# that is what it says. When you see such a picture somewhere, ask two things: by which recipe was
# it made, and who, without its title, would know what it is?
#
# Before you hand in: the points of the checks that passed in this session.

# %% tags=["look"]
check.progress()
