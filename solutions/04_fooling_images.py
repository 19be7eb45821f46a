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
# # How little does it take?
#
# A network looks at a ladybug and says *ladybug*. Change the picture so little that you would not
# notice, and it says *umbrella*. How little? And what does that tell about the network?
#
# You will write three functions:
#
# | you write | you return | in a formula | points |
# | --- | --- | --- | --- |
# | `make_fooling_image(X, target_y, model)` | a new picture; `X` stays as it was | again and again $X \leftarrow X + g / \lVert g \rVert_2$, until the network says the target | 8 |
# | `magnified_difference(X, fooled, scale)` | new pictures of what was changed | $0.5 + (\text{fooled} - X) / (2 \cdot \text{scale})$, cut to [0, 1] | 4 |
# | `attack_step(X, original, y, model, rate, radius, norm)` | new pictures, one step on | up the loss, then back into a ball around the original, then back into [0, 1] | 8 |
#
# Then you measure. What does it take to fool an ordinary network, and what a network that was
# trained to resist? Does a picture that fools the one fool the other? And if you let a network
# learn from the very pictures that fool it, does it get better?
#
# Run the cells in order. Everything runs on a laptop without a network connection; the whole
# notebook computes for about five minutes. `check.progress()` lists your points so far.

# %% nbgrader={"grade_id": "setup_imports", "locked": true} tags=["setup"]
from contextlib import suppress

import torch
import torch.nn.functional as F
from IPython.display import display

from cs_vis import check, images, load_model, pick_device, plots, specimens, widgets
from cs_vis.methods.attacks import attack, fine_tune, fool, random_change, share_right
from cs_vis.models import untrained
from cs_vis.notebook import chosen_network, needs, progress, steps

device = pick_device()
NETWORK = chosen_network("specimens")  # or "squeezenet1_1", "vgg16", ...: any of torchvision's
model = load_model(NETWORK, device=device)
networks = {NETWORK: model}
if NETWORK == "specimens":  # trained the ordinary way, and against small perturbations
    networks = {"ordinary": model, "robust": load_model("specimens-robust", device=device)}

X, y = images.examples(model, 6, device=device)  # (6, 3, H, W), RGB in [0, 1], and (6,)
targets = y.roll(1)  # each picture is to be taken for what the one before it shows

def answer(network, image):
    """What the network says to one picture, in words."""
    with torch.no_grad():
        p = network(image).softmax(dim=1)[0]  # (K,)
    return f"{network.class_names[p.argmax()]}, {p.max():.0%}"

# %% [markdown]
# ## 1. Fooling images: follow the gradient of another class
#
# **The idea.** A saliency map asks which pixels the score of a class reacts to. Now use the
# answer. Pick a class that the picture does *not* show, the target. The gradient of its score
# says, for every pixel and colour, which way to go for the score to rise fastest. Go one small
# step that way, ask the network again, and repeat until it gives in.
#
# **The equation.** $S_t(X)$ is the raw score of the target $t$ (before the softmax). One step is
#
# $$ g = \frac{\partial S_t(X)}{\partial X}, \qquad
# X \leftarrow X + \eta \, \frac{g}{\lVert g \rVert_2}, \qquad
# \lVert g \rVert_2 = \sqrt{\textstyle\sum g^2} $$
#
# with the learning rate $\eta = 1$. The norm goes over all values of the picture, so each step is
# exactly 1 long, however steep the score is.
#
# **The shapes.**
#
# | name | shape | what |
# | --- | --- | --- |
# | `X` | `(1, 3, H, W)` | one picture, RGB in [0, 1] |
# | `target_y` | int | the class that the network is to say |
# | result | `(1, 3, H, W)` | a **new** tensor, in the dtype and on the device of `X`; not clamped |
#
# **When to stop.** Before each step, ask: does the network say `target_y` already? Then stop. So a
# picture that it takes for the target anyway comes back unchanged (but as a new tensor). After 100
# steps stop in any case. `X` and the network stay as they were.
#
# **A hint.** `torch.autograd.grad(scores[0, target_y], picture)` gives a tuple with the gradient;
# `picture` must be a leaf that requires grad, which `picture.detach().requires_grad_()` is.
#
# **Your turn** (about nine lines).

# %% nbgrader={"grade_id": "fooling_solution", "solution": true} tags=["solution"]
def make_fooling_image(X, target_y, model):
    """Change X step by step until the network takes it for class target_y.

    X (1, 3, H, W), target_y int -> (1, 3, H, W), a new tensor
    """
    learning_rate = 1
    ### BEGIN SOLUTION
    fooling = X.detach().clone()
    for _ in range(100):
        fooling = fooling.detach().requires_grad_()
        scores = model(fooling)  # (1, K)
        if scores.argmax() == target_y:
            break
        g, = torch.autograd.grad(scores[0, target_y], fooling)  # (1, 3, H, W)
        fooling = fooling + learning_rate * g / g.norm()
    return fooling.detach()
    ### END SOLUTION

# %% [markdown]
# **Check.** This runs your function on tiny networks. If it recognises a slip, it names it. The
# cells after it say what they are worth and look empty: there the grader tries your function on
# other inputs. The other exercises have the same.

# %% nbgrader={"grade_id": "fooling_check", "grade": true, "locked": true, "points": 2} tags=["check"]
check.make_fooling_image(make_fooling_image)

# %% nbgrader={"grade_id": "fooling_hidden_reached", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: two pictures; the network says the target in the end, and little was changed.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import fooling_images as hidden
hidden.reached(make_fooling_image)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "fooling_hidden_steps", "grade": true, "locked": true, "points": 2} tags=["check"]
# Two points: the first three steps, one by one, wherever it stops.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import fooling_images as hidden
hidden.steps(make_fooling_image)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "fooling_hidden_stop", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: it stops where the network is first fooled, also where that is so at the start.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import fooling_images as hidden
hidden.stop(make_fooling_image)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "fooling_hidden_whole", "grade": true, "locked": true, "points": 2} tags=["check"]
# Two points: two pictures, all values of the result.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import fooling_images as hidden
hidden.whole(make_fooling_image)
### END HIDDEN TESTS

# %% [markdown]
# **Look** (about a second). Above, six pictures, and what the network says to them. Below, the same
# six after your function has led each to what its neighbour on the left shows, and how many steps
# that took.
#
# Expect pictures that look the same, and other words. The ladybug is a *starfish* now, and the
# network is 94 % sure of it. Two to five steps are enough for five of the six; the starfish on the
# right needs ten, and there you can see something: a dark crumb below the ball.

# %% tags=["look"]
with needs("make_fooling_image"):
    led = [fool(make_fooling_image, one, int(k), model) for one, k in zip(X.split(1), targets)]
    display(plots.show(
        [list(X), [found.image for found in led]],
        [[answer(model, one).replace(", ", "\n") for one in X.split(1)],
         [f"{answer(model, found.image)}\nsteps: {found.steps}".replace(", ", "\n")
          for found in led]], labels=["picture", "led away"]))

# %% tags=["figures"]
from cs_vis.grading.prose import article, claim, fraction, percent, spelled

*first_five, last = [found.steps for found in led]
with torch.no_grad():
    sure = model(led[0].image).softmax(dim=1)[0]
led_to = model.class_names[sure.argmax()]

[f"The ladybug is {article(led_to)} now, and the network is {percent(sure.max())} sure of it.",
 f"{spelled(min(first_five)).capitalize()} to {spelled(max(first_five))} steps are enough for "
 f"five of the six; the starfish on the right needs {spelled(last)}"]

# %% [markdown]
# **Think.** How can a change that nobody sees move a score so far?
#
# <details><summary>One answer</summary>
#
# Count the values: a picture has $3 \cdot 128 \cdot 128 = 49\,152$ of them. Move each by next to
# nothing, but all in the direction that the score likes, and the tiny effects add up. An eye does
# not add them up like that; a sum of products does. There need be nothing strange about the
# network: in so many dimensions everything is close to the border of some other class.
# </details>
#
# **How this was found.** C. Szegedy, W. Zaremba, I. Sutskever, J. Bruna, D. Erhan, I. Goodfellow
# and R. Fergus, *Intriguing properties of neural networks*, 2014. The sum of small effects: I.
# Goodfellow, J. Shlens and C. Szegedy, *Explaining and harnessing adversarial examples*, 2015.

# %% [markdown]
# ## 2. What was changed?
#
# **The idea.** Subtract. But the difference of two pictures is a tiny number of either sign, and
# has no colours of its own: show it on a scale, and say which. Mid-grey means *not changed*,
# lighter means *made lighter*, darker means *made darker*, and both directions are magnified
# alike.
#
# **The equation.** With $s$ for the scale, in brightness,
#
# $$ D = 0.5 + \frac{\text{fooled} - X}{2 s}, \quad \text{cut to } [0, 1] $$
#
# so a change of $+s$ is 1, a change of $-s$ is 0, and each colour is drawn for itself.
#
# **The shapes.** `X` and `fooled` `(N, 3, H, W)`; values of `fooled` may lie outside [0, 1], and
# count as they are. `scale` is a number above 0. The result is a new tensor `(N, 3, H, W)`, like
# `X` in dtype and device.
#
# **Your turn** (one line).

# %% nbgrader={"grade_id": "difference_solution", "solution": true} tags=["solution"]
def magnified_difference(X, fooled, scale):
    """What was changed, as a picture: mid-grey is 0, ±scale is white and black.

    X, fooled (N, 3, H, W) -> (N, 3, H, W) in [0, 1]
    """
    ### BEGIN SOLUTION
    return (0.5 + (fooled - X) / (2 * scale)).clamp(0, 1)
    ### END SOLUTION

# %% nbgrader={"grade_id": "difference_check", "grade": true, "locked": true, "points": 2} tags=["check"]
check.magnified_difference(magnified_difference)

# %% nbgrader={"grade_id": "difference_hidden_inner", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: changes below the scale, lighter and darker, every value.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import fooling_images as hidden
hidden.inner(magnified_difference)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "difference_hidden_cut", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: changes beyond the scale.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import fooling_images as hidden
hidden.cut(magnified_difference)
### END HIDDEN TESTS

# %% [markdown]
# **Look** (about 5 seconds). The same six pictures, led to the same targets on both networks: what
# comes out, and what was changed. One scale for all, ±0.05 in brightness.
#
# What fools the ordinary network is fine noise. It gathers where the picture has something to say,
# at the ladybug's spots and the butterfly's eyes, but it shows nothing of the target. What fools
# the robust network is three times as long, and you can *read* it: the bee, on its way to
# *ladybug*, gets an orange back with black spots, and around the eyes on the butterfly's wings, on
# its way to *snail*, rings grow like those of a shell. To change the mind of a network that small
# noise cannot move, you have to paint.

# %% tags=["look"]
SCALE = 0.05

with needs("make_fooling_image", "magnified_difference"):
    rows = {"picture": list(X)}
    how_long = {}  # of each network: the lengths of its six changes
    for name, network in networks.items():
        led_on = [fool(make_fooling_image, one, int(k), network)
                  for one, k in progress([*zip(X.split(1), targets)], name)]
        changed = torch.cat([found.image for found in led_on])  # (6, 3, H, W)
        rows[f"fools {name}"] = list(changed)
        rows["the change, " + name] = [plots.picture(d)._replace(note=f"±{SCALE}") for d in
                                       magnified_difference(X, changed, SCALE)]
        how_long[name] = [found.l2 for found in led_on]
    display(plots.show([*rows.values()], [f"to {model.class_names[k]}" for k in targets],
                       labels=[*rows], height=1.3))

# %% tags=["figures"]
mean_length = {name: sum(found) / len(found) for name, found in how_long.items()}

[f"the robust network is {spelled(mean_length['robust'] / mean_length['ordinary'])} times as long",
 f"One scale for all, ±{SCALE} in brightness."]

# %% [markdown]
# ## 3. The bill
#
# Six pictures are an anecdote. Here are 100, each with a target drawn at random, on each network.
# A change has two sizes that people ask for:
#
# $$ \text{L2: } \sqrt{\textstyle\sum (X' - X)^2} \qquad\qquad
# \text{L}\infty\text{: } \max |X' - X| $$
#
# its length, and the largest of its values. The curves count how many of the pictures fool the
# network after so many steps, and with a change no larger than that (about a minute; interrupt the
# cell, and it goes on with what it has).

# %% tags=["look"]
many, many_y = images.examples(model, steps(100, 4), device=device)  # (M, 3, H, W), (M,)
K = len(model.class_names)
other = torch.randint(1, K, (len(many),), generator=torch.Generator().manual_seed(0)).to(device)
many_targets = (many_y + other) % K  # any class but the picture's own

MEASURES = {"steps": "steps", "length of the change (L2)": "l2", "largest change (L∞)": "linf"}

def shares(values, count):
    """How many of `count` had been fooled by each of these values: a curve that only rises."""
    return sorted(values), [(n + 1) / count for n in range(len(values))]

def saved(image):
    """What a picture file keeps of it: 256 grades from 0 to 1."""
    return (image.clamp(0, 1) * 255).round() / 255

def fools(image, k, network):
    with torch.no_grad():
        return bool(network(image).argmax() == k)

def drawn(bill):
    """The curves of a bill: name of a network -> what fool() found, picture by picture."""
    lines = {name: [found for found in paid if found.reached] for name, paid in bill.items()}
    return plots.curves(
        {words: {name: shares([max(getattr(found, what), 0.01) for found in reached],
                              len(bill[name])) for name, reached in lines.items() if reached}
         for words, what in MEASURES.items()}, up="share fooled", log=True,
        caption="; ".join(f"{name}: {len(paid)} pictures" for name, paid in bill.items()))

with needs("make_fooling_image"):
    bill, newest = {name: [] for name in networks}, plots.live()
    with suppress(KeyboardInterrupt):  # the cell goes on with what it has
        for name, network in networks.items():
            for one, k in progress([*zip(many.split(1), many_targets.tolist())], name):
                bill[name].append(fool(make_fooling_image, one, k, network))
                if len(bill[name]) % 10 == 0:
                    newest(drawn(bill))
    newest(drawn(bill))
    kept = {name: {"fooled": [found.reached for found in paid],
                   "cut to [0, 1]": [fools(found.image.clamp(0, 1), k, networks[name])
                                     for found, k in zip(paid, many_targets)],
                   "saved in 256 grades": [fools(saved(found.image), k, networks[name])
                                           for found, k in zip(paid, many_targets)]}
            for name, paid in bill.items() if paid}
    display(plots.bars({name: {what: sum(found) / len(found) for what, found in row.items()}
                        for name, row in kept.items()}))

# %% [markdown]
# Half of the pictures fool the ordinary network within 4 steps, by a change that is 2.7 long and
# moves no value by more than 0.20. For the robust network it takes 13 steps, a length of 9.3, and a
# largest change of 0.70, and 6 of the 100 pictures hold out for all 100 steps. So robust does not
# mean safe. It means that the price is about three times as high.
#
# And now read the bars. Nothing kept your pictures in [0, 1], and a picture file, or a screen,
# cannot hold what lies outside. Cut to [0, 1], 91 % still fool the ordinary network, but only 43 %
# the robust one: more than half of those need colours that do not exist. (Rounding to 256 grades
# costs nothing more.)
#
# **Think.** Which of the three is the right price: steps, L2 or L∞?
#
# <details><summary>One answer</summary>
#
# None of them is what you care about, which is whether a *person* would say the same of both
# pictures. Steps tell more about the method than about the picture. L2 forgives one pixel that
# changes much, and L∞ forgives a change everywhere. They are popular because they are easy to
# compute and to keep: both are balls, and one can come back into a ball. That is the next section.
# </details>

# %% tags=["figures"]
def middle(name, what):
    """The median over all pictures; those that hold out count as more than any."""
    found = sorted(getattr(one, what) for one in bill[name] if one.reached)
    return found[len(bill[name]) // 2 - 1]

held_out = {name: sum(not one.reached for one in paid) for name, paid in bill.items()}
file_share = {name: {what: sum(found) / len(found) for what, found in row.items()}
              for name, row in kept.items()}
times = [middle("robust", what) / middle("ordinary", what) for what in ("steps", "l2", "linf")]

[f"within {middle('ordinary', 'steps')} steps, by a change that is "
 f"{middle('ordinary', 'l2'):.1f} long and moves no value by more than "
 f"{middle('ordinary', 'linf'):.2f}.",
 f"it takes {middle('robust', 'steps')} steps, a length of {middle('robust', 'l2'):.1f}, and a "
 f"largest change of {middle('robust', 'linf'):.2f}, and {held_out['robust']} of the "
 f"{len(many)} pictures hold out",
 claim(f"the price is about {spelled(sum(times) / 3)} times as high",
       max(times) - min(times) < 0.5),
 f"Cut to [0, 1], {percent(file_share['ordinary']['cut to [0, 1]'])} still fool the ordinary "
 f"network, but only {percent(file_share['robust']['cut to [0, 1]'])} the robust one",
 claim("(Rounding to 256 grades costs nothing more.)", all(
     abs(row["cut to [0, 1]"] - row["saved in 256 grades"]) < 0.015
     for row in file_share.values()))]

# %% [markdown]
# ## 4. A fairer fight: attacks in a ball
#
# **The idea.** As evidence against a network your fooling images have two blemishes. They may
# leave [0, 1], which no picture can; and they go as far as they need, so the price is only known
# afterwards. Turn it around. Fix a budget, the **radius** of a ball around the original; step
# away from the true class by climbing the loss; and after every step come back into the ball and
# into [0, 1]. What the network still gets right it gets right within that budget, as far as this
# attack can tell.
#
# **The equation.** $L$ is the cross-entropy loss of image $X_n$ and its true class $y_n$, and
# $g_n = \partial L(X_n, y_n) / \partial X_n$. One step:
#
# | | `norm="linf"` | `norm="l2"` |
# | --- | --- | --- |
# | 1. climb | $X' = X + \text{rate} \cdot \operatorname{sign}(g)$ | $X' = X + \text{rate} \cdot g / \lVert g \rVert_2$ |
# | 2. back into the ball | cut each value of $X' - \text{original}$ to $[-\text{radius}, \text{radius}]$ | where $X' - \text{original}$ is longer than the radius, shorten it to the radius |
# | 3. back into the box | cut $X'$ to [0, 1] | cut $X'$ to [0, 1] |
#
# **The shapes.**
#
# | name | shape | what |
# | --- | --- | --- |
# | `X` | `(N, 3, H, W)` | where the attack has come to |
# | `original` | `(N, 3, H, W)` | where it started; the ball lies around it |
# | `y` | `(N,)` | the classes to get away from |
# | `rate`, `radius` | numbers above 0 | the length of a step, the size of the ball |
# | `norm` | `"linf"` or `"l2"` | which lengths are meant |
# | result | `(N, 3, H, W)` | a new tensor without a graph, like `X` in dtype and device |
#
# Each image belongs to itself alone: all lengths are taken image by image. All inputs stay as they
# were.
#
# **A hint.** `g.flatten(1).norm(dim=1).view(-1, 1, 1, 1)` are the lengths of all images, ready to
# divide by. A factor of `(radius / length).clamp(max=1)` shortens what is too long and leaves the
# rest. With `reduction="sum"`, `F.cross_entropy` gives every image its own gradient.
#
# **Your turn** (about twelve lines).

# %% nbgrader={"grade_id": "attack_solution", "solution": true} tags=["solution"]
def attack_step(X, original, y, model, rate, radius, norm):
    """One step away from the classes y that stays in the ball around the original.

    X, original (N, 3, H, W), y (N,), norm "linf" or "l2" -> (N, 3, H, W)
    """
    ### BEGIN SOLUTION
    X = X.detach().requires_grad_()
    loss = F.cross_entropy(model(X), y, reduction="sum")
    g, = torch.autograd.grad(loss, X)  # (N, 3, H, W)

    def lengths(images):
        return images.flatten(1).norm(dim=1).clamp(min=1e-20).view(-1, 1, 1, 1)

    if norm == "linf":
        change = (X.detach() + rate * g.sign() - original).clamp(-radius, radius)
    else:
        change = X.detach() + rate * g / lengths(g) - original
        change = change * (radius / lengths(change)).clamp(max=1)
    return (original + change).clamp(0, 1).detach()
    ### END SOLUTION

# %% nbgrader={"grade_id": "attack_check", "grade": true, "locked": true, "points": 2} tags=["check"]
check.attack_step(attack_step)

# %% nbgrader={"grade_id": "attack_hidden_in_box", "grade": true, "locked": true, "points": 2} tags=["check"]
# Two points: two steps in the L∞ ball, all values.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import fooling_images as hidden
hidden.in_box(attack_step)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "attack_hidden_in_ball", "grade": true, "locked": true, "points": 2} tags=["check"]
# Two points: two steps in the L2 ball, all values.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import fooling_images as hidden
hidden.in_ball(attack_step)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "attack_hidden_kept", "grade": true, "locked": true, "points": 2} tags=["check"]
# Two points: a step in each ball stays inside it and in [0, 1], and leads away from y.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import fooling_images as hidden
hidden.kept(attack_step)
### END HIDDEN TESTS

# %% [markdown]
# **Look** (about 4 seconds). Ten of your steps in the L∞ ball of radius 4/255, so no value moves by
# more than 4 grades of 255. `attack` is given; it takes your step ten times.
#
# Expect five wrong answers of the six from the ordinary network, and four of them surer than 95 %:
# away from the true class it is easy to arrive somewhere. Only the starfish is still one, barely.
# The robust network gets all six right. Both attacks have spent their budget to the full: nearly
# every value moved as far as it may. On the ordinary network that is grain, on the robust one it is
# broad strokes, along the bricks, the stripes and the wings.

# %% tags=["look"]
RADIUS = 4 / 255

with needs("attack_step", "magnified_difference"):
    rows = {"picture": list(X)}
    titles = [[answer(model, one).replace(", ", "\n") for one in X.split(1)]]
    for name, network in networks.items():
        attacked = attack(attack_step, X, y, network, radius=RADIUS, norm="linf",
                          steps=steps(10, 2))  # (6, 3, H, W)
        rows[f"attacked, {name}"] = list(attacked)
        rows[f"the change, {name}"] = [
            plots.picture(d)._replace(note=f"±{RADIUS:.3f}")
            for d in magnified_difference(X, attacked, RADIUS)]
        titles += [[answer(network, one).replace(", ", "\n") for one in attacked.split(1)], []]
    display(plots.show([*rows.values()], titles, labels=[*rows], height=1.3))

# %% tags=["figures"]
robbed, safe = (network(attack(attack_step, X, y, network, radius=RADIUS, norm="linf",
                               steps=10)).softmax(dim=1) for network in networks.values())
lost, sure_from = robbed.argmax(dim=1) != y, 0.95
moved = ((attacked - X).abs() > 0.9 * RADIUS).float().mean()

[f"Expect {spelled(lost.sum().item())} wrong answers of the six from the ordinary network, and "
 f"{spelled((robbed.amax(dim=1)[lost] > sure_from).sum().item())} of them surer than "
 f"{percent(sure_from)}:",
 claim("Only the starfish is still one, barely.",
       lost.tolist() == [True] * 5 + [False] and robbed[5].max() < 0.4),
 claim("The robust network gets all six right.", (safe.argmax(dim=1) == y).all()),
 claim("nearly every value moved as far as it may", moved > 0.75)]

# %% [markdown]
# **The curves** (about 40 seconds). How many pictures does each network still get right, at growing
# radii, in both balls?

# %% tags=["look"]
RADII = {"L∞ radius, in grades of 255": ("linf", [2, 4, 8], 1 / 255),
         "L2 radius": ("l2", [1, 2, 4], 1)}

with needs("attack_step"):
    some, some_y = many[:steps(48, 4)], many_y[:steps(48, 4)]
    held, taken = {words: {} for words in RADII}, steps(5, 1)
    for name, network in networks.items():
        for words, (norm, radii, unit) in progress(RADII.items(), name):
            radii = radii[:steps(3, 1)]
            held[words][name] = [0, *radii], share_right(
                attack_step, some, some_y, network, [r * unit for r in radii], norm=norm,
                steps=taken)
    display(plots.curves(held, up="still right",
                         caption=f"{len(some)} pictures; steps at each radius: {taken}"))

# %% [markdown]
# At an L∞ radius of 4 grades the ordinary network gets 25 % of the 48 pictures right, and the
# robust one 96 %; at an L2 radius of 2 it is 6 % against 92 %. At a radius of 4 in L2 the robust
# network falls, too: 65 % are left. One picture more or less is 2 %.
#
# **Think.** A network gets every picture right at some radius, against this attack. Is it safe
# there?
#
# <details><summary>One answer</summary>
#
# No. It has withstood *this* attack: these steps, this loss, this start. Another one may find a
# way, and defences that everybody believed in have fallen to a better attack. The curve is an upper
# bound of what is left, and more steps can only lower it.
# </details>
#
# **How this was found.** The sign of the gradient, once: I. Goodfellow, J. Shlens and C. Szegedy,
# *Explaining and harnessing adversarial examples*, 2015. In several steps: A. Kurakin, I.
# Goodfellow and S. Bengio, *Adversarial machine learning at scale*, 2017; A. Mądry, A. Makelov, L.
# Schmidt, D. Tsipras and A. Vladu, *Towards deep learning models resistant to adversarial
# attacks*, 2018. Defences that fell: A. Athalye, N. Carlini and D. Wagner, *Obfuscated gradients
# give a false sense of security*, 2018.

# %% tags=["figures"]
at = {(norm, name): dict(zip(*held[words][name])) for words, (norm, _, _) in RADII.items()
      for name in networks}  # (norm, network) -> radius -> the share that is still right

[f"the ordinary network gets {percent(at['linf', 'ordinary'][4])} of the {len(some)} pictures "
 f"right, and the robust one {percent(at['linf', 'robust'][4])}; at an L2 radius of 2 it is "
 f"{percent(at['l2', 'ordinary'][2])} against {percent(at['l2', 'robust'][2])}.",
 f"the robust network falls, too: {percent(at['l2', 'robust'][4])} are left. One picture more or "
 f"less is {percent(1 / len(some))}."]

# %% [markdown]
# ## 5. Does it carry over?
#
# **The idea.** You made a picture that fools one network. Show it to another that has never been
# asked for a gradient. Three things can happen: it says the target, too; it says something else
# that is wrong; or nothing happens. A bare count means little, for the change is a change, and some
# answers flip for anything. So beside it stands the **baseline**: random noise, exactly as long as
# the change of each picture (about half a minute).

# %% tags=["look"]
OTHER = None  # "squeezenet1_1" downloads 5 MB

shown_to = networks | {"random weights": untrained(
    NETWORK, generator=torch.Generator().manual_seed(0), device=device)}
if OTHER:
    shown_to |= {OTHER: load_model(OTHER, device=device)}

def says(network, pictures):
    """The class indices that the network says to the pictures (N, 3, H, W)."""
    with torch.no_grad():
        return torch.cat([network(part).argmax(dim=1) for part in pictures.split(16)])

with needs("make_fooling_image"):
    sent, sent_targets = many[:steps(40, 4)], many_targets[:steps(40, 4)]
    table = {}
    for maker, network in networks.items():
        made = torch.cat([fool(make_fooling_image, one, k, network).image for one, k in
                          progress([*zip(sent.split(1), sent_targets.tolist())], maker)])
        noisy = random_change(sent, (made - sent).flatten(1).norm(dim=1),
                              generator=torch.Generator().manual_seed(2))
        for reader, asked in shown_to.items():
            if asked is network:
                continue
            before, after = says(asked, sent), says(asked, made)
            row = {"another answer": after != before,
                   "another, for noise": says(asked, noisy) != before}
            if asked.class_names == network.class_names:
                row = {"says the target": after == sent_targets} | row
            table[f"{maker} → {reader}"] = {what: found.float().mean().item()
                                            for what, found in row.items()}
    display(plots.bars(table, caption=f"{len(sent)} pictures made on the one, shown to the other; "
                                      f"noise of the same length"))

# %% [markdown]
# It carries over in one direction only. What fools the ordinary network leaves the robust one cold:
# 0 % other answers. What fools the robust network fools the ordinary one, too: 70 % other answers,
# where noise of the same length makes 10 %, and in 55 % it is the very target. That fits what you
# saw in section 2: noise is private to the network that it was made on, while orange with black
# spots is evidence for *ladybug* to anybody.
#
# The network with random weights does not change its answer at all. That is not strength: it says
# the same to every picture, and so says a target by chance now and then.
#
# A network of ImageNet has no word for most of our things, but it has an answer, and you can set
# `OTHER` to see whether that changes. With `squeezenet1_0` it did for about a quarter of the
# pictures that fool the ordinary network, and noise of that length did nearly as much; and for
# three quarters of those that fool the robust one, where noise changed half. Without the noise
# beside it, the one would have looked like a result, and the other like a larger one than it is.
#
# **Think.** What does it mean for safety that such pictures carry over?
#
# <details><summary>One answer</summary>
#
# That secrecy is no protection. Who wants to fool your network need not have it: one that was
# trained on similar pictures may do. Here a tougher stand-in made the pictures that carried over,
# not a softer one.
# </details>
#
# **How this was found.** N. Papernot, P. McDaniel and I. Goodfellow, *Transferability in machine
# learning*, 2016. That such changes are real evidence, for networks: A. Ilyas, S. Santurkar, D.
# Tsipras, L. Engstrom, B. Tran and A. Mądry, *Adversarial examples are not bugs, they are
# features*, 2019.

# %% tags=["figures"]
there, back = table["ordinary → robust"], table["robust → ordinary"]

[f"leaves the robust one cold: {percent(there['another answer'])} other answers.",
 f"fools the ordinary one, too: {percent(back['another answer'])} other answers, where noise of "
 f"the same length makes {percent(back['another, for noise'])}, and in "
 f"{percent(back['says the target'])} it is the very target.",
 claim("The network with random weights does not change its answer at all.", not any(
     row["another answer"] for name, row in table.items() if name.endswith("random weights"))),
 claim("it says the same to every picture",
       len(says(shown_to["random weights"], many).unique()) == 1)]

# %% [markdown]
# ## 6. Can they be training data?
#
# **The idea.** Every picture that fools the network is one whose true class we know: a ladybug with
# a little noise is a ladybug. So teach it that. Take the ordinary network, show it fresh pictures,
# each attacked by *your* step just before (an attack on the network as it is by then, for
# yesterday's attacks it has learned already), and go on training.
#
# A **control** is taught as long, on the same pictures in the same order, but without attacks: what
# it gains, more training alone has done. (Here we need as many pictures as we like, so this
# section is about the course's own network, whatever `NETWORK` is.)
#
# First the lessons: pictures that no network has seen (about 15 seconds).

# %% tags=["look"]
lessons = [tuple(part.to(device) for part in specimens.batch(32, seed=1 + n)[:2])
           for n in progress(range(steps(40, 2)), "lessons")]  # of (32, 3, 128, 128) and (32,)

# %% [markdown]
# **Teaching** (about a minute and a half). For each batch: a random start within the ball, one
# long step of yours, L2, radius 2; then one step of the weights. `fine_tune` is given; it works on
# a copy. Interrupted, it keeps what was learned until then.

# %% tags=["look"]
learner = load_model("specimens", device=device)
BALL = 2.0  # the L2 radius
random_starts = torch.Generator().manual_seed(5)

def attacked_lesson(pictures, labels, network):
    """One long step from a random start, for each batch anew: Wong, Rice and Kolter 2020."""
    start = random_change(pictures, torch.full((len(pictures),), BALL / 2),
                          generator=random_starts).clamp(0, 1)
    return attack_step(start, pictures, labels, network, 1.25 * BALL, BALL, "l2")

def taught(attack, words, losses, show):
    """The learner after all lessons; `losses` and the picture grow meanwhile."""
    def watch(network, loss):
        losses.setdefault(words, []).append(loss)
        if len(losses[words]) % 4 == 0:
            show(plots.curves({"batches": {name: (range(1, 1 + len(found)), found)
                                           for name, found in losses.items()}},
                             up="loss", most=None))
    return fine_tune(learner, progress(lessons, words), len(lessons), attack, watch=watch)

def exam(network, pictures, labels):
    """What it gets right: as they are, attacked as in the lessons, and in another way."""
    clean, in_l2 = share_right(attack_step, pictures, labels, network, [BALL], norm="l2",
                               steps=steps(8, 1))
    _, in_linf = share_right(attack_step, pictures, labels, network, [4 / 255], norm="linf",
                             steps=steps(8, 1))
    return {"as they are": clean, "attacked, L2": in_l2, "attacked, L∞": in_linf}

with needs("attack_step", "make_fooling_image", "magnified_difference"):
    losses, show = {}, plots.live()
    students = {"before": learner,
                "control": taught(None, "as they are", losses, show),
                "taught attacks": taught(attacked_lesson, "attacked", losses, show)}
    exam_X, exam_y = images.examples(learner, steps(40, 4), device=device)
    marks = {name: exam(network, exam_X, exam_y) for name, network in students.items()}
    display(plots.bars(marks, baselines=["control"], caption=f"{len(exam_X)} pictures of the "
                       f"gallery; radius {BALL:g} in L2, 4/255 in L∞"))
    rows, price, six, six_y = {}, {}, exam_X[:6], exam_y[:6].roll(1)
    for name, network in students.items():
        led_again = [fool(make_fooling_image, one, int(k), network)
                     for one, k in zip(six.split(1), six_y)]
        rows[name] = [plots.picture(d)._replace(note=f"±{SCALE}, steps: {found.steps}")
                      for d, found in zip(magnified_difference(six, torch.cat(
                          [found.image for found in led_again]), SCALE), led_again)]
        price[name] = [found.l2 for found in led_again]
    display(plots.show([*rows.values()], [f"to {learner.class_names[k]}" for k in six_y],
                       labels=[*rows], height=1.3))

# %% [markdown]
# The lines above are the losses while they learn. Then the exam, with pictures that none of them was
# taught. More training alone has done nothing: attacked in the L2 ball the control gets 12 % right,
# three pictures more than before, and in the L∞ ball one. Taught attacks, the network gets 28 %
# right, and 68 % (before: 28 %) under an attack in the other ball, which it had never met. Of the
# pictures as they are, it gets 100 % right. With 40 pictures, one more or less is 2 %.
#
# The last figure is section 2's again: what fools each of the three. For the network that was
# taught attacks the change is 1.2 times as long as before. It lies on the thing itself now: the
# specks at the leaf beside the fish are fainter, and those at the ball above the snail are gone. But
# mind the row of the control: that is what more training alone has done.
#
# So yes, they can be training data, and the cure is real. It is also dear and partial. A batch
# takes nearly twice as long, for each picture is attacked before it teaches. After 40 batches
# three quarters of the pictures still fall at the very radius that was taught. Our robust network
# learned in this way for more than an hour, and holds 92 % there; and section 3 has shown that it,
# too, can be fooled by anybody who pays more.
#
# **Think.** Why must the attack be made anew for each batch? Would not a thousand fooling images,
# made once and for all, do as well?
#
# <details><summary>One answer</summary>
#
# They would teach the network to withstand *those*. A picture that was made for yesterday's weights
# is only noise for today's, as the last figure shows: each network is fooled by a change of its
# own. What has to be learned is that *no* change within the ball matters, and for that one always
# needs the worst change for the weights as they are now.
# </details>
#
# **How this was found.** I. Goodfellow, J. Shlens and C. Szegedy, *Explaining and harnessing
# adversarial examples*, 2015. A. Mądry and others, *Towards deep learning models resistant to
# adversarial attacks*, 2018. That one long step from a random start is enough: E. Wong, L. Rice and
# J. Z. Kolter, *Fast is better than free: revisiting adversarial training*, 2020. That robust
# networks have gradients that people can read: D. Tsipras, S. Santurkar, L. Engstrom, A. Turner and
# A. Mądry, *Robustness may be at odds with accuracy*, 2019.

# %% tags=["figures"]
old, alone, cured = (marks[name] for name in ("before", "control", "taught attacks"))
longer = sum(price["taught attacks"]) / sum(price["before"])

[claim("More training alone has done nothing:", max(
     alone[what] - old[what] for what in ("attacked, L2", "attacked, L∞")) < 0.11),
 f"in the L2 ball the control gets {percent(alone['attacked, L2'])} right,",
 f"the network gets {percent(cured['attacked, L2'])} right, and {percent(cured['attacked, L∞'])} "
 f"(before: {percent(old['attacked, L∞'])}) under an attack in the other ball",
 f"Of the pictures as they are, it gets {percent(cured['as they are'])} right. With "
 f"{len(exam_X)} pictures, one more or less is {percent(1 / len(exam_X))}.",
 f"the change is {longer:.1f} times as long as before.",
 f"{fraction(1 - cured['attacked, L2'])} of the pictures still fall at the very radius",
 f"and holds {percent(at['l2', 'robust'][2])} there"]

# %% [markdown]
# ## 7. Play
#
# Your steps behind one set of controls; each control acts at the next step. Lead a picture towards
# a class, one step at a time, and watch its probability rise; or, with `attack_step`, away from
# what the network says, in a ball whose radius you set. Change the target on the way, set the
# robust network against the ordinary one, bring a picture of your own. (Where no kernel runs, as
# on a web page, only the panel's first picture is left.)

# %% tags=["look"]
widgets.fooling_panel(networks, {name: X[n:n + 1] for n, name in enumerate(
    [model.class_names[k] for k in y])}, make_fooling_image=make_fooling_image,
    attack_step=attack_step, magnified_difference=magnified_difference)

# %% [markdown]
# That is the end. You know how little it takes to fool an ordinary network, what it costs to make
# it tougher, and what such numbers need beside them: noise of the same length for a change that
# carries over, as much training without attacks for a cure, and the doubt that a better attack
# might exist.
#
# Before you hand in: the points of the checks that passed in this session.

# %% tags=["look"]
check.progress()
