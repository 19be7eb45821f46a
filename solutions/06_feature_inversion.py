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
# # What does a layer still know of the picture?
#
# A network turns a picture into numbers, layer by layer, and at the end into scores for its
# classes. What has it kept on the way, and what has it thrown away? Go back: take the numbers of
# one layer alone, and look for a picture that has them. What comes out right was in the numbers.
# What comes out wrong was not, or was not asked for.
#
# You will write what this search goes down, and its step:
#
# | you write | it gives | in a formula | points |
# | --- | --- | --- | --- |
# | `feature_distance(features, target)` | a number | $\lVert \phi - \phi_0 \rVert_2^2 \, / \, \lVert \phi_0 \rVert_2^2$ | 4 |
# | `total_variation(img, beta)` | a number | $\sum \big( (x_{i,j+1} - x_{ij})^2 + (x_{i+1,j} - x_{ij})^2 \big)^{\beta / 2}$ | 6 |
# | `alpha_norm(img, alpha)` | a number | $\sum \lvert x \rvert^\alpha$ | 2 |
# | `inversion_step(img, model, layer, target, prior, learning_rate)` | a new picture | $I - \eta \, g / \lVert g \rVert_2$, where $g = \nabla_I E(I)$ | 8 |
#
# Early layers will give the picture back. Later ones keep the layout, and lose colour and texture.
# From the last, different starts give different pictures. And two networks with the same
# layers, trained in different ways, keep very different things.
#
# Run the cells in order. Everything runs on a laptop without a network connection; the whole
# notebook computes for about four minutes. A long cell shows its picture while it grows; interrupt
# it (■), and it keeps the best so far. `check.progress()` lists your points.

# %% nbgrader={"grade_id": "setup_imports", "locked": true} tags=["setup"]
import torch
import torch.nn.functional as F
from IPython.display import display

from cs_vis import activations, check, images, load_model, pick_device, plots, widgets
from cs_vis.methods.feature_inversion import invert
from cs_vis.methods.naming import named
from cs_vis.models import find_layer
from cs_vis.notebook import chosen_network, needs, steps, watch

device = pick_device()
NETWORK = chosen_network("specimens")  # or "squeezenet1_1", "vgg16", ...: any of torchvision's
model = load_model(NETWORK, device=device)
networks = {NETWORK: model}
if NETWORK == "specimens":  # trained the ordinary way, and against small perturbations
    networks = {"ordinary": model, "robust": load_model("specimens-robust", device=device)}
clearest = [*networks][-1]  # the network that gives the clearer pictures: the robust one

PICTURES, LABELS = images.examples(model, 25, device=device)  # (25, 3, SIDE, SIDE), or fewer
known, another = PICTURES[:1], PICTURES[-1:]                  # of specimens: two of one kind
SIDE = known.shape[3]                                         # pixels: 128, or 224

RELUS = [layer for layer in model.layer_names if isinstance(find_layer(model, layer),
                                                            torch.nn.ReLU)]
DEPTHS = [*RELUS[::-(-len(RELUS) // 9)],  # nine at most, and what comes after the last
          *(layer for layer in ("average",) if layer in model.layer_names), model.layer_names[-1]]
EARLY, MIDDLE, LATE = (DEPTHS[len(DEPTHS) * part // 10] for part in (4, 6, 8))

chance = torch.Generator().manual_seed(0)
NOISE = (0.5 + 0.1 * torch.randn(5, 1, SIDE, SIDE, generator=chance)  # five starts: grey noise
         ).expand(-1, 3, -1, -1).clamp(0, 1).to(device)

@torch.no_grad()
def code(network, layer, picture):
    """What the layer says to the picture: (1, C, h, w), or (1, K)."""
    return activations(network, picture, layer)[layer]

def pixel_error(picture, right):
    """The root of the mean squared difference of the values, which lie in [0, 1]."""
    return (picture - right).square().mean().sqrt().item()

def short(layer):
    """The name as a title has room for: "features.7" for "features.7.expand3x3_activation"."""
    return ".".join(layer.split(".")[:2])

def in_rows(things, wide=6):
    return [things[i:i + wide] for i in range(0, len(things), wide)]

# %% [markdown]
# ## 1. How far apart are two codes?
#
# **The idea.** Call what a layer computes of a picture its *code*, $\phi$. To look for a picture
# with the code $\phi_0$ we need a number that says how far another code is from it. The squared
# length of the difference is one. But the layers' codes differ in length by far, and in how many
# numbers they have. So divide by the squared length of $\phi_0$: then 0 is the same code, and 1 is
# as far as a code of zeros, in every layer and every network.
#
# **The equation.** Both sums go over all values:
#
# $$ d(\phi, \phi_0) = \frac{\lVert \phi - \phi_0 \rVert_2^2}{\lVert \phi_0 \rVert_2^2} =
# \frac{\sum (\phi - \phi_0)^2}{\sum \phi_0^2} $$
#
# **The shapes.**
#
# | name | shape | what |
# | --- | --- | --- |
# | `features` | `(1, C, h, w)` or `(1, K)` | the code $\phi$; gradients must flow back to it |
# | `target` | the same | the code $\phi_0$; a constant |
# | result | `()` | a tensor with one number |
#
# **A hint.** No `.item()` and no `.detach()` on the way from `features` to the result: the step
# below asks for its gradient.
#
# **Your turn** (one line).

# %% nbgrader={"grade_id": "distance_solution", "solution": true} tags=["solution"]
def feature_distance(features, target):
    """The squared distance of two codes of one shape, divided by the target's squared length."""
    ### BEGIN SOLUTION
    return (features - target).square().sum() / target.square().sum()
    ### END SOLUTION

# %% [markdown]
# **Check.** This runs your function on tiny inputs with known answers. If it recognises a slip,
# it names it. The cells after it look empty: there the grader tries your function on other inputs.

# %% nbgrader={"grade_id": "distance_check", "grade": true, "locked": true, "points": 2} tags=["check"]
check.feature_distance(feature_distance)

# %% nbgrader={"grade_id": "distance_hidden_distance", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: the distance of fresh codes, of both shapes.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import feature_inversion as hidden
hidden.fresh_distance(feature_distance)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "distance_hidden_slope", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: its gradient with respect to the features.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import feature_inversion as hidden
hidden.distance_slope(feature_distance)
### END HIDDEN TESTS

# %% [markdown]
# **Look.** A picture, and six others. Above each: how far its code is from the picture's, in an
# early, a middle and a late layer of the ordinary network.
#
# A shift by four pixels costs 0.42 in relu3_2, and 0.02 in relu5_2, which looks at places in far
# coarser steps. With colour it is the other way round. Exchange red and blue, and relu5_2 is as far
# from the ladybug as another ladybug is. And 1 is not the most that there is: in relu4_2 a code of
# zeros is nearer than that other ladybug's.

# %% tags=["look"]
with needs("feature_distance"):
    others = {"the same": known, "4 pixels aside": known.roll(4, dims=3),
              "mirrored": known.flip(3), "blurred": F.avg_pool2d(known, 5, 1, 2),
              "red, blue swapped": known.flip(1), "another one": another, "noise": NOISE[:1]}
    far = {(title, layer): feature_distance(code(model, layer, picture),
                                            code(model, layer, known)).item()
           for title, picture in others.items() for layer in (EARLY, MIDDLE, LATE)}
    display(plots.show([*others.values()],
                       [f"{title}\n" + "\n".join(f"{short(layer)} {far[title, layer]:.2f}"
                                                  for layer in (EARLY, MIDDLE, LATE))
                        for title in others], height=1.25))

# %% tags=["figures"]
from cs_vis.grading.prose import claim

[f"costs {far['4 pixels aside', EARLY]:.2f} in {EARLY}, and {far['4 pixels aside', LATE]:.2f} in "
 f"{LATE}, which",
 claim("relu5_2 is as far from the ladybug as another ladybug is",
       abs(far["red, blue swapped", LATE] - far["another one", LATE]) < 0.03),
 claim("in relu4_2 a code of zeros is nearer than that other ladybug's",
       far["another one", MIDDLE] > 1)]

# %% [markdown]
# ## 2. What a picture is like: total variation and the α-norm
#
# **The idea.** Many pictures have nearly the same code, and most of them look like noise, for fine
# grain is what the network reacts to least. So ask for more: among the pictures with this
# code, give us a plain one. Two measures of *plain*. The *total variation* adds up how much
# neighbours differ: noise has a lot of it. The *α-norm* adds up how far values are from 0; with a
# large α it hardly minds small values, and large ones very much.
#
# **The equations.** Each pixel $(i, j)$ of each colour has a term: its difference to the right
# neighbour and to the one below, squared, added, and taken to the power $\beta / 2$:
#
# $$ V_\beta(x) = \sum_{c,i,j} \Big( (x_{i,j+1} - x_{ij})^2 + (x_{i+1,j} - x_{ij})^2
# \Big)^{\beta / 2}, \qquad R_\alpha(x) = \sum_{c,i,j} \lvert x_{ij} \rvert^\alpha $$
#
# Beyond the border a neighbour counts as equal: in the last column the first difference is 0,
# and in the last row the second. So a picture of $H \times W$ pixels has $3HW$ terms, and none is
# lost.
#
# **The shapes.**
#
# | name | shape | what |
# | --- | --- | --- |
# | `img` | `(1, 3, H, W)` | a picture, of any values; for `alpha_norm` around 0 |
# | `beta` | number | $\beta$, above 0 |
# | `alpha` | number | $\alpha$, at least 1 |
# | result | `()` | a tensor with one number: no mean, and no root of the sum |
#
# **A trap.** For $\beta$ below 2 the power has an infinite slope at 0, and $\infty \cdot 0$ is
# `nan`: where two neighbours are equal, and in a flat picture all are, the gradient would be no
# number. It must be finite, and 0 there. Keep such terms out of the power, or keep them
# from being exactly 0 by a very small number, 1e-8 at most. So it is with `alpha_norm`: where a
# value is 0 the gradient is 0, which `abs` gives, and the root of a square does not.
#
# **A hint.** `img.diff(dim=3)` has one column less than `img`, and `F.pad(x, (0, 1))` adds a
# column of zeros on the right; `F.pad(x, (0, 0, 0, 1))` adds a row of them below.
#
# **Your turn** (about four lines, and one).

# %% nbgrader={"grade_id": "variation_solution", "solution": true} tags=["solution"]
def total_variation(img, beta):
    """The sum over pixels and colours of the length of the difference to both neighbours, to
    the power beta: (1, 3, H, W), a number -> ()"""
    ### BEGIN SOLUTION
    right = F.pad(img.diff(dim=3), (0, 1))       # (1, 3, H, W): 0 in the last column
    down = F.pad(img.diff(dim=2), (0, 0, 0, 1))  # (1, 3, H, W): 0 in the last row
    squared = right ** 2 + down ** 2
    flat = squared == 0  # these add 0, and no slope
    return squared.masked_fill(flat, 1).pow(beta / 2).masked_fill(flat, 0).sum()
    ### END SOLUTION

# %% nbgrader={"grade_id": "variation_check", "grade": true, "locked": true, "points": 3} tags=["check"]
check.total_variation(total_variation)

# %% nbgrader={"grade_id": "variation_hidden_values", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: fresh pictures, by beta 1, 1.5, 2 and 3.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import feature_inversion as hidden
hidden.variation_values(total_variation)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "variation_hidden_slope", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: the gradient, where neighbours differ.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import feature_inversion as hidden
hidden.variation_slope(total_variation)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "variation_hidden_flat", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: pictures with flat patches, and beta below 2, down to 0.5. The gradient is finite.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import feature_inversion as hidden
hidden.variation_flat(total_variation)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "alpha_solution", "solution": true} tags=["solution"]
def alpha_norm(img, alpha):
    """The sum of |x| to the power alpha over all values: (1, 3, H, W), a number -> ()"""
    ### BEGIN SOLUTION
    return img.abs().pow(alpha).sum()
    ### END SOLUTION

# %% nbgrader={"grade_id": "alpha_check", "grade": true, "locked": true, "points": 1} tags=["check"]
check.alpha_norm(alpha_norm)

# %% nbgrader={"grade_id": "alpha_hidden_alpha", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: fresh pictures with some zeros, and alpha 1, 1.5, 5 and 6.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import feature_inversion as hidden
hidden.fresh_alpha(alpha_norm)
### END HIDDEN TESTS

# %% [markdown]
# **Look.** First the picture with noise, blurred, and with twice the contrast. Beneath each its
# total variation for β = 1 and β = 2, and the α-norm of what is left when mid-grey is taken away,
# for α = 2 and α = 6; all as multiples of the picture's own. Noise costs more than twice as much
# variation, and the blur saves half of it for β = 1, and most of it for β = 2. Contrast is what the
# α-norm counts: twice of it is 64 times as much for α = 6.

# %% tags=["look"]
with needs("total_variation", "alpha_norm"):
    grain = 0.1 * torch.randn(known.shape, generator=torch.Generator().manual_seed(1))
    altered = {"the picture": known, "with noise": known + grain.to(device),
               "blurred": F.avg_pool2d(known, 5, 1, 2), "twice the contrast": 2 * known - 0.5}
    plain = {title: [total_variation(picture, 1), total_variation(picture, 2),
                     alpha_norm(picture - 0.5, 2), alpha_norm(picture - 0.5, 6)]
             for title, picture in altered.items()}
    times = {title: [(one / own).item() for one, own in zip(values, plain["the picture"])]
             for title, values in plain.items()}
    display(plots.show([picture.clamp(0, 1) for picture in altered.values()],
                       ["{}\nβ 1: {:.2f}   β 2: {:.2f}\nα 2: {:.2f}   α 6: {:.2f}".format(
                           title, *times[title]) for title in altered], height=1.7))

# %% tags=["figures"]
noisy, soft = times["with noise"], times["blurred"]

[claim("Noise costs more than twice as much variation", min(noisy[:2]) > 2),
 claim("the blur saves half of it for β = 1, and most of it for β = 2",
       abs(soft[0] - 0.5) < 0.05 and soft[1] < 0.25),
 f"twice of it is {times['twice the contrast'][3]:.0f} times as much for α = 6"]

# %% [markdown]
# And what β does. Two strips go from black to white, one at an edge, the other by a ramp. For
# β = 1 both cost the same: what counts is how far it is from black to white. For β = 2 a ramp
# of 32 pixels costs a 32nd of the edge, for small differences are cheap when they are squared.
# So a penalty with β = 2 dissolves edges, and one with β = 1 lets them stand.

# %% tags=["look"]
with needs("total_variation"):
    edge = (torch.arange(96) >= 48).float().expand(1, 3, 24, -1)
    ramp = ((torch.arange(96) - 32) / 32).clamp(0, 1).expand(1, 3, 24, -1)
    framed = [F.pad(strip, (1, 1, 1, 1), value=0.5) for strip in (edge, ramp)]
    display(plots.show(framed, [
        "{}\nβ 1: {:g}   β 2: {:g}".format(title, *(total_variation(strip, beta).item()
                                                        for beta in (1, 2)))
        for title, strip in (("an edge", edge), ("a ramp", ramp))], height=0.6))

# %% [markdown]
# **How this was found.** L. Rudin, S. Osher and E. Fatemi, *Nonlinear total variation based noise
# removal algorithms*, 1992. Both measures for this purpose, with β and α: A. Mahendran and A.
# Vedaldi, *Understanding deep image representations by inverting them*, 2015, section 3.

# %% [markdown]
# ## 3. One step back to the picture
#
# **The idea.** Start from noise, ask for its code, and change every pixel a little in the direction
# that brings the code nearer to the target. The prior, any function from a picture to a number,
# pulls as well. As in the notebook on class pictures every step has the same length, and only the
# direction is the gradient's.
#
# **The equations.** $E$ is what goes down, $P$ the prior, $\phi(I)$ the code of $I$ and $\phi_0$
# the target:
#
# $$ E(I) = \frac{\lVert \phi(I) - \phi_0 \rVert_2^2}{\lVert \phi_0 \rVert_2^2} + P(I), \qquad
# g = \frac{\partial E}{\partial I}, \qquad I \leftarrow I - \eta \, \frac{g}{\lVert g \rVert_2} $$
#
# **The shapes.**
#
# | name | shape | what |
# | --- | --- | --- |
# | `img` | `(1, 3, H, W)` | a picture; it stays as it was |
# | `model`, `layer` | network, text | `activations(model, img, layer)[layer]` is the code |
# | `target` | like the code | of another picture, made once and for all; a constant |
# | `prior` | function | `prior(img)` is a number, a tensor with a gradient |
# | `learning_rate` | number | $\eta$ |
# | result | `(1, 3, H, W)` | a new tensor, not clamped, and without a graph |
#
# The prior belongs under the gradient and is divided by the norm with it. The network stays as it
# was. Where the gradient is 0 there is no direction, and the picture's values come back: a small
# number in the divisor takes care of that.
#
# **A hint.** `img.detach().clone().requires_grad_()` is a leaf whose gradient
# `torch.autograd.grad(energy, leaf)` gives.
#
# **Your turn** (about five lines; call your `feature_distance`).

# %% nbgrader={"grade_id": "step_solution", "solution": true} tags=["solution"]
def inversion_step(img, model, layer, target, prior, learning_rate):
    """A new picture, one step down the distance of img's code from target, plus prior(img).

    img (1, 3, H, W), target like the layer's code, prior a function -> (1, 3, H, W)
    """
    ### BEGIN SOLUTION
    leaf = img.detach().clone().requires_grad_()
    features = activations(model, leaf, layer)[layer]  # (1, C, h, w), or (1, K)
    energy = feature_distance(features, target) + prior(leaf)
    gradient, = torch.autograd.grad(energy, leaf)  # (1, 3, H, W)
    return img.detach() - learning_rate * gradient / gradient.norm().clamp(min=1e-12)
    ### END SOLUTION

# %% nbgrader={"grade_id": "step_check", "grade": true, "locked": true, "points": 3} tags=["check"]
check.inversion_step(inversion_step)

# %% nbgrader={"grade_id": "step_hidden_plain", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: one step without a prior, on fresh networks and pictures.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import feature_inversion as hidden
hidden.plain_step(inversion_step)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "step_hidden_prior", "grade": true, "locked": true, "points": 2} tags=["check"]
# Two points: one step with a prior that pulls about as hard as the distance.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import feature_inversion as hidden
hidden.prior_step(inversion_step)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "step_hidden_three", "grade": true, "locked": true, "points": 2} tags=["check"]
# Two points: three steps in a row, with a prior. The target is the same for all of them.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import feature_inversion as hidden
hidden.three_steps(inversion_step)
### END HIDDEN TESTS

# %% [markdown]
# **Look** (about 20 seconds). Nothing but your step, again and again, first without a prior, then
# with a little of the total variation (β = 1) and of the α-norm (α = 6). `invert` is given: it
# hands your step the picture, keeps it in [0, 1], and lets the rate fall evenly to 0. The start is
# grey noise, so whatever colour you see comes from the code. Above each picture: the distance of
# its code from the target, and its pixel error, the root of the mean squared difference.
#
# Expect grain. Of the ordinary network's relu5_2 there is nothing to be seen, although the
# distance has come down to 0.204: four fifths of the code, and no beetle. The robust network's has
# spots, and some colour. The prior takes away the grain, and much of the code with it: in the
# robust network's relu5_2 the distance is 0.303 where it was 0.087 without.

# %% tags=["look"]
STEPS = steps(80, 3)

def prior(variation=3e-5, beta=1, norm=1e-3, alpha=6):
    """A function from a picture to a number: so much of its variation, so much of its norm."""
    def of(picture):
        return variation * total_variation(picture, beta) + norm * alpha_norm(picture - 0.5, alpha)
    return of

def back(network, layer, picture, *, start=NOISE[:1], prior=prior(), **settings):
    """The frames of a search for the picture that the layer's code came from."""
    return invert(inversion_step, network, layer, code(network, layer, picture), prior,
                  start=start, steps=STEPS, **settings)

def errors(network, layer, picture, right):
    """How far a picture is from the right one: by the layer's code, and by its pixels."""
    return (feature_distance(code(network, layer, picture), code(network, layer, right)).item(),
            pixel_error(picture, right))

def titled(who, layer, picture, right=known):
    """The layer's name, and beneath it both errors."""
    return "{}\n{:.3f}   {:.2f}".format(short(layer), *errors(networks[who], layer, picture, right))

def by_words(found):
    """Pictures by (words, network, layer): a row for each of the words."""
    rows = {}
    for (words, who, layer), picture in found.items():
        rows.setdefault(words, {})[f"{who}\n{titled(who, layer, picture)}"] = picture
    return plots.show([[*row.values()] for row in rows.values()],
                      [[*row] for row in rows.values()], labels=[*rows], height=1.4)

EXERCISES = ("feature_distance", "total_variation", "alpha_norm", "inversion_step")
BARE = {"smooth": 0, "momentum": 0, "learning_rate": 4}  # your step, and nothing more

with needs(*EXERCISES):
    grown = watch({(words, who, layer): back(networks[who], layer, known, prior=pull, **BARE)
                   for words, pull in (("no prior", prior(0, norm=0)), ("prior", prior()))
                   for who in networks for layer in (EARLY, LATE)}, STEPS)
    display(by_words(grown))

# %% tags=["figures"]
unseen, bare, held = (errors(networks[who], LATE, grown[words, who, LATE], known)[0] for words, who
                      in (("no prior", "ordinary"), ("no prior", "robust"), ("prior", "robust")))

[f"has come down to {unseen:.3f}: {claim('four fifths', 0.75 < 1 - unseen < 0.85)} of the code",
 f"the distance is {held:.3f} where it was {bare:.3f} without."]

# %% [markdown]
# **Think.** A friend's distance is 0 at every layer, from the first step on. What has gone
# wrong?
#
# <details><summary>One answer</summary>
#
# Either the search began at the picture itself, or the target is not a constant: computed anew from
# the current picture at every step, it is always met. A search proves something only if it begins
# far away. Make the target once, from the picture, under `torch.no_grad()`, and print the distance
# of the start.
# </details>
#
# **How this was found.** A. Mahendran and A. Vedaldi 2015, as above. An early relative, by a
# network that learns to go back: A. Dosovitskiy and T. Brox, *Inverting visual representations
# with convolutional networks*, 2016.

# %% [markdown]
# ## 4. The same step, smoother moves
#
# **The idea.** A gradient is full of fine grain, whatever it is the gradient of: each pixel is
# told what would help if all others stayed. So smooth the *move*, not the picture: bring it to its
# waves, make the slow ones larger and the fast ones smaller, and go as far as before. It is still
# downhill, for no wave changes its sign. The prior needs no change, and neither does your
# function.
#
# `invert` does this to what your step has moved, by `smooth`: each wave is divided by its frequency
# to the power $2 \cdot$ `smooth`. In the notebook on class pictures coordinates $x$ were moved,
# and the picture was made of them; the same step there, seen from here, is this move. And it keeps
# a share of the last move, `momentum`, so that what all gradients agree on adds up, and what
# changes from step to step does not.
#
# **Look** (about 20 seconds). With the prior as above: first smoother moves, then momentum as well
# and twice the rate. The numbers are distance and pixel error again.
#
# Now there are areas where there was grain: bricks, a beetle, spots. And the code is met far
# better: of the robust network's relu5_2 all but 0.014, where the bare step left 0.303.
# The colours are another matter. What was orange is blue in relu3_2, and that picture
# has most of the code all the same.

# %% tags=["look"]
with needs(*EXERCISES):
    smoother = watch({(words, who, layer): back(networks[who], layer, known, **settings)
                      for words, settings in (("smooth", BARE | {"smooth": 0.5}),
                                              ("with momentum", {}))
                      for who in networks for layer in (EARLY, LATE)}, STEPS)
    display(by_words(smoother))

# %% tags=["figures"]
met, blue = (errors(networks["robust"], layer, smoother["with momentum", "robust", layer], known)[0]
             for layer in (LATE, EARLY))

[f"relu5_2 all but {met:.3f}, where the bare step left {held:.3f}.",
 claim("has most of the code all the same", blue < 0.2)]

# %% [markdown]
# **How this was found.** Momentum: Mahendran and Vedaldi 2015. Frequencies: C. Olah, A. Mordvintsev
# and L. Schubert, *Feature visualization*, 2017, there for class pictures.

# %% [markdown]
# ## 5. Every depth
#
# **Look** (about half a minute). One picture from the code of every layer behind a ReLU, from
# the average over all positions, and from the class scores. Each search begins at the same noise.
# Above each picture stand, as before, its distance in that layer and its pixel error; that of the
# noise is 0.29.
#
# The first layers give the picture back. From relu2_2 on colours go astray, while every brick and
# every spot is where it was. With each pooling more of the layout goes: the lines of the wall
# bend, then the wall is gone and the spots move. Of the ordinary network's relu5_2 nobody would
# guess what it was. The robust network's beetle keeps its spots to the end, and has red wings
# again from relu4_2 on. Behind the average no place is left in the code, and the ordinary
# network's beetle sits, small, in a corner.

# %% tags=["look"]
with needs(*EXERCISES):
    depths = watch({(who, layer): back(networks[who], layer, known) for layer in
                    DEPTHS[::steps(1, 3)] for who in networks}, STEPS)
    tiles = {who: [(known, "the picture\n ")] for who in networks}
    for (who, layer), picture in depths.items():
        tiles[who].append((picture, titled(who, layer, picture)))
    rows, beside = [], []
    for part in range(2):
        for who in networks:
            rows += in_rows(tiles[who])[part:part + 1]
            beside += [who] * len(in_rows(tiles[who])[part:part + 1])
    display(plots.show([[picture for picture, _ in row] for row in rows],
                       [[title for _, title in row] for row in rows], labels=beside, height=1.35))

# %% tags=["figures"]
[f"that of the noise is {pixel_error(NOISE[:1], known):.2f}."]

# %% [markdown]
# **Think.** In relu3_2 the robust network's picture has the larger pixel error, and yet you would
# name it sooner. What does this error count, and what does it not?
#
# <details><summary>One answer</summary>
#
# It counts every pixel by itself. Blue wings in place of orange ones are a large area, wrong in
# all its pixels, though each edge and each spot is in its place. Grain that is right on average is
# wrong by little, and hides everything. So the error says how near the pixels are, and not what of
# the picture is left. For that, somebody has to look.
# </details>
#
# **How this was found.** Such rows of all depths: Mahendran and Vedaldi 2015, and, with more
# priors, *Visualizing deep convolutional neural networks using natural pre-images*, 2016.

# %% [markdown]
# ## 6. Who keeps more?
#
# **The idea.** One picture proves nothing, and the pixel error hardly tells the two apart: a beetle
# that is a little aside, or red for orange, is as wrong as none. So let somebody judge who had no
# part in it: the *other* network. Does it still recognise the thing? And how far is the picture
# that came back from the right one by *its* late code?
#
# Is the other network a fair judge, and are both as strict? With noise of 0.2 on the eight
# pictures the ordinary network names 1 of them, and the robust one 7. So the robust one is the
# milder judge, and it judges the ordinary network's pictures.
#
# **Look** (about a minute and a half). Eight pictures from three layers of each network. You see
# those from relu5_2, above each what the other network calls it.

# %% tags=["look"]
JUDGED = [*range(len(PICTURES))][:24:3][:steps(8, 2)]
LAYERS = [EARLY, LATE, DEPTHS[-1]]
JUDGE = dict(zip(networks, [*networks.values()][::-1]))  # each by the other, where there are two
rights = {i: PICTURES[i:i + 1] for i in JUDGED}
kept = {}  # (network, layer) -> what the judge finds, one value for each picture

def judged(who, layer, found):
    """For each picture: is it named as the right one, how much of the judge's late code it has
    (1 all of it, 0 none), and its pixel error."""
    judge = JUDGE[who]
    pairs = [(found[who, layer, i], i) for i in JUDGED if (who, layer, i) in found]
    return {"named": [float(named(picture, judge)[0] == judge.class_names[LABELS[i]])
                      for picture, i in pairs],
            "code": [max(0.0, 1 - feature_distance(code(judge, LATE, picture),
                                                   code(judge, LATE, rights[i])).item())
                     for picture, i in pairs],
            "pixels": [pixel_error(picture, rights[i]) for picture, i in pairs]}

with needs(*EXERCISES):
    returned = watch({(who, layer, i): back(networks[who], layer, rights[i])
                      for who in networks for layer in LAYERS for i in JUDGED}, STEPS)
    shown = {who: {i: returned[who, LATE, i] for i in JUDGED if (who, LATE, i) in returned}
             for who in networks}
    display(plots.show([[*rights.values()], *([*row.values()] for row in shown.values() if row)],
                       [[model.class_names[LABELS[i]][:16] for i in JUDGED],
                        *([named(picture, JUDGE[who])[0][:16] for picture in row.values()]
                          for who, row in shown.items() if row)],
                       labels=["the picture", *(who for who, row in shown.items() if row)],
                       height=1.1))
    kept.update({key: judged(*key, returned) for key in dict.fromkeys(
        (who, layer) for who, layer, _ in returned)})

# %% [markdown]
# All of it in numbers: the share that the other network names rightly, the median share of its
# late code that has come back (one minus the distance, 0 where that is above 1), and
# the median pixel error. Grey is the noise that every search began with.

# %% tags=["look"]
def median(values):
    return torch.tensor(values).median().item()

with needs("feature_distance"):
    nothing = judged([*networks][0], None, {([*networks][0], None, i): NOISE[:1] for i in JUDGED})
    for what, words, middle in (
            ("named", "named rightly by the other network", lambda v: sum(v) / len(v)),
            ("code", f"share of the other network's {short(LATE)} that came back", median),
            ("pixels", "pixel error", median)):
        table = {"noise": {short(layer): middle(nothing[what]) for layer in LAYERS}}
        for (who, layer), found in kept.items():
            table.setdefault(who, {})[short(layer)] = middle(found[what])
        display(plots.bars(table, baselines=["noise"], caption=words))

# %% tags=["figures"]
from cs_vis.grading.prose import spelled

LEVEL = 0.2
grainy = torch.cat([*rights.values()])
grainy = (grainy + LEVEL * torch.randn(grainy.shape, generator=torch.Generator().manual_seed(2))
          ).clamp(0, 1)
words_for = {who: named(grainy, one) for who, one in networks.items()}
counts = {who: sum(word == model.class_names[LABELS[i]] for word, i in zip(words, JUDGED))
          for who, words in words_for.items()}
rightly = {key: round(sum(found["named"])) for key, found in kept.items()}
share = {key: median(found["code"]) for key, found in kept.items()}
off = {key: median(found["pixels"]) for key, found in kept.items()}
gap = max(abs(off["ordinary", layer] - off["robust", layer]) for layer in (LATE, DEPTHS[-1]))

[f"With noise of {LEVEL} on the eight pictures the ordinary network names {counts['ordinary']} of "
 f"them, and the robust one {counts['robust']}.",
 f"From relu5_2 it is {spelled(rightly['robust', LATE])} of eight against "
 f"{spelled(rightly['ordinary', LATE])}, from the scores {spelled(rightly['robust', 'fc'])} "
 f"against {spelled(rightly['ordinary', 'fc'])}.",
 f"Of the judge's code {share['robust', LATE]:.2f} come back from the robust network's relu5_2, "
 f"and {share['ordinary', LATE]:.2f} from the ordinary one's.",
 f"they differ by {gap:.2f} at most from relu5_2 on"]

# %% [markdown]
# The robust network's codes keep far more of what the other network goes by, and the deeper the
# layer, the more it shows. From relu5_2 it is eight of eight against four, from the scores eight
# against two. Of the judge's code 0.65 come back from the robust network's relu5_2, and 0.18 from
# the ordinary one's. The pixel errors say nothing of this: they differ by 0.02 at most from
# relu5_2 on, and neither is much better than noise.
#
# The ordinary network's late code is no poorer for its own purpose: the pictures that came back
# have it, nearly, and by it they are what they were. But many other pictures have it too, and the
# search finds one of those first. The robust network was trained to give such pictures, a little
# beside the right one, no other answer.
#
# **How this was found.** Inverting robust networks: L. Engstrom, A. Ilyas, S. Santurkar, D.
# Tsipras, B. Tran and A. Mądry, *Adversarial robustness as a prior for learned representations*,
# 2019.

# %% [markdown]
# ## 7. Five starts, one code
#
# **The idea.** If a code held the whole picture, every search would end at it, wherever it began.
# So begin five times, from different noise. What the five have in common is in the code; where they
# differ, the code does not say.
#
# **Look** (about half a minute). A layer of the robust network in each row, and five starts; above
# the figure, how far the five are from the target and from each other, by code and by pixels.
#
# In relu3_2 all bricks and all spots are in the same places, five times. But most of the beetles
# are blue, and one is orange. In relu5_2 there is a reddish body with black spots and some light
# dots around, each time another. From the scores comes a beetle, or a piece of one, that may be
# anywhere.

# %% tags=["look"]
def apart(found, distance):
    """The median distance of any two of these pictures, nan where there are no two."""
    pairs = [distance(one, other) for i, one in enumerate(found) for other in found[:i]]
    return median(pairs) if pairs else float("nan")

agreed = {}  # layer -> medians: from the target and from each other, by code and by pixels

with needs(*EXERCISES):
    network = networks[clearest]
    several = watch({(layer, i): back(network, layer, known, start=NOISE[i:i + 1])
                     for layer in (EARLY, LATE, DEPTHS[-1])
                     for i in range(steps(5, 2))}, STEPS)
    rows = {}
    for (layer, _), picture in several.items():
        rows.setdefault(layer, []).append(picture)
    for layer, found in rows.items():
        def by_code(one, other):
            return errors(network, layer, one, other)[0]
        pairs = apart(found, by_code), apart(found, pixel_error)
        aims = [median([measure(picture, known) for picture in found])
                for measure in (by_code, pixel_error)]
        agreed[layer] = {"code": (aims[0], pairs[0]), "pixels": (aims[1], pairs[1])}
        print(f"{short(layer):>10}   code: {aims[0]:.3f} from the target, {pairs[0]:.3f} from each "
              f"other   pixels: {aims[1]:.2f} and {pairs[1]:.2f}")
    display(plots.show([*rows.values()], labels=[short(layer) for layer in rows], height=1.5))

# %% tags=["figures"]
late_code, late_pixels = agreed[LATE]["code"], agreed[LATE]["pixels"]

[f"their codes are {late_code[1]:.3f} apart, and their pixels {late_pixels[1]:.2f}"]

# %% [markdown]
# **Think.** A student finds five different pictures, and looks for the bug. Is there one?
#
# <details><summary>One answer</summary>
#
# Compare what the search was asked for. In relu5_2 their codes are 0.018 apart, and their pixels
# 0.16, which is about half of what noise is from the picture. By the layer the five are the same
# picture. That is no bug, it is the result: the layer takes all of these for one and the same. A
# bug would be codes that stay far from the target.
# </details>
#
# **How this was found.** Several pictures with one code: Mahendran and Vedaldi 2015.

# %% [markdown]
# ## 8. Photographs
#
# **Look** (about half a minute). The networks were trained on drawings, and have never seen a
# photograph. Early layers do not mind: whoever has edges and colours can tell of a face as well as
# of a beetle. In relu3_2 the astronaut, the cat and the cup are there, with the robust network in
# nearly their colours. Its relu4_2 still has the cat's eyes, and the cup on its saucer.
# In relu5_2, which is about the 24 kinds of thing, neither has much to say of them.

# %% tags=["look"]
PHOTOS = {name: images.photo(name, size=(SIDE, SIDE)).to(device)
          for name in ("astronaut", "chelsea", "coffee")[:steps(3, 1)]}

with needs(*EXERCISES):
    taken = watch({(who, layer, photo): back(networks[who], layer, PHOTOS[photo])
                   for photo in PHOTOS for who in networks for layer in (EARLY, MIDDLE, LATE)},
                  STEPS)
    rows = {}
    for (who, layer, photo), picture in taken.items():
        row = rows.setdefault(photo, {"the picture": PHOTOS[photo]})
        row[f"{who}\n{titled(who, layer, picture, PHOTOS[photo])}"] = picture
    display(plots.show([[*row.values()] for row in rows.values()],
                       [[*row] for row in rows.values()], labels=[*rows], height=1.2))

# %% [markdown]
# ## 9. How strong a prior?
#
# **Look** (about 20 seconds). The robust network's relu4_2. The weight of the total variation grows
# from left to right, β from top to bottom; no α-norm.
#
# Too little, and grain is everywhere. A little more, and the grain melts into areas: into flat
# ones with sharp borders for β = 1, into soft ones for β = 2. Too much, and for the two smaller β
# the picture is grey, with a distance of 1.04: the prior has won before the code could pull. There
# is no right weight for all layers and pictures, though the distance is divided by the target:
# take the largest with which the distance still comes down.

# %% tags=["look"]
WEIGHTS = (1e-5, 5e-5, 2e-4, 1e-3)[:steps(4, 2)]
BETAS = (1, 1.5, 2)

with needs(*EXERCISES):
    tried = watch({(beta, weight): back(networks[clearest], MIDDLE, known,
                                        prior=prior(weight, beta, norm=0))
                   for beta in BETAS for weight in WEIGHTS}, STEPS)
    rows = {}
    for (beta, weight), picture in tried.items():
        off_by = errors(networks[clearest], MIDDLE, picture, known)
        title = "{:.0e}\n{:.3f}   {:.2f}".format(weight, *off_by)
        rows.setdefault(f"β = {beta}", {})[title] = picture
    display(plots.show([[*row.values()] for row in rows.values()],
                       [[*row] for row in rows.values()], labels=[*rows], height=1.4))

# %% tags=["figures"]
lost = errors(networks["robust"], MIDDLE, tried[1, 1e-3], known)[0]

[f"with a distance of {lost:.2f}: the prior has won"]

# %% [markdown]
# **Think.** The distance is above 1 where the picture is grey. How can that be, and why does the
# search not get away from there?
#
# <details><summary>One answer</summary>
#
# A code of zeros would be at 1; grey has a code of its own, a little further off. To get away the
# picture would have to become rougher first, which the prior forbids, and few neurons of the deep
# layers react to grey at all: behind a ReLU that is off there is no slope. That is why the search
# begins with noise, and not with plain grey.
# </details>

# %% [markdown]
# ## 10. Play: every number on a slider
#
# Your functions, live: press *play* and move the sliders; what they say acts at the next step. Let
# a picture come back from the scores, and then ask an earlier layer. Start from another picture,
# and see how much of it stays. Turn up the variation until all is grey, and down again: does the
# picture come back? (Where no kernel runs, as on a web page, only the panel's picture is left.)

# %% tags=["look"]
widgets.feature_inversion_panel(
    networks, DEPTHS, {"the picture": known, **PHOTOS},
    {"noise": NOISE[:1], "other noise": NOISE[1:2], "another picture": another},
    inversion_step=inversion_step, total_variation=total_variation, alpha_norm=alpha_norm,
    begin=steps(30, 2))

# %% [markdown]
# That is the end. You have asked two networks what they remember of a picture, layer by layer, and
# have let a third party judge the answers. When somebody shows you such a picture, ask what came
# out of the code, and what out of the prior and the start.
#
# Before you hand in: the points of the checks that passed in this session.

# %% tags=["look"]
check.progress()
