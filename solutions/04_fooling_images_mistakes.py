"""What students write for notebook 04: known mistakes, and right solutions that look different.

`make goldens` runs the mistakes to take their fingerprints; the tests prove that the check rejects
each under its own name, and accepts every alternative. What `make_fooling_image` does wrong is
read off its path, factor by factor, so its mistakes are put together from factors here.
"""

from functools import partial

import numpy as np
import torch
import torch.nn.functional as F

from cs_vis.grading.mistakes import collection, products

EXERCISES = ("make_fooling_image", "attack_step", "magnified_difference")
MISTAKES, ALTERNATIVES, mistake, alternative = collection(*EXERCISES)


# --- make_fooling_image: mistakes, by their factors

def one_loss(scores, y):
    return F.cross_entropy(scores, torch.tensor([y]))


OBJECTIVES = {
    "": lambda s, y: s[0, y],
    "score descended": lambda s, y: -s[0, y],
    "loss or probability instead of the score": lambda s, y: -one_loss(s, y),
    "loss or probability instead of the score ": lambda s, y: s.softmax(1)[0, y],
    "loss climbed": one_loss,
    "loss of the softmax": lambda s, y: -one_loss(s.softmax(1), y),
    "difference of two scores": lambda s, y: s[0, y] - s.max(),
    "present class pushed down": lambda s, y: -s.max(),
    "predicted class instead of the target": lambda s, y: s.max(),
    "all scores together": lambda s, y: s.sum(),
    "all scores together ": lambda s, y: s.mean(),
    "score of another class": lambda s, y: s[0, 0],
    "score of another class ": lambda s, y: s[0, y - 1],
}
FORMS = {
    "": lambda g: g / g.norm(),
    "not divided by the norm": lambda g: g,
    "divided by the squared norm": lambda g: g / (g ** 2).sum(),
    "divided by the squared sum": lambda g: g / g.sum() ** 2,
    "divided by the sum": lambda g: g / g.sum(),
    "sign step": lambda g: g.sign(),
    "sign step ": lambda g: g / torch.sqrt(g ** 2 + 1e-8),
    "norm over a part of the gradient": lambda g: F.normalize(g),
    "norm over a part of the gradient ": lambda g: g / g.norm(dim=(2, 3), keepdim=True),
    "norm over a part of the gradient  ": lambda g: g / g.norm(dim=(2, 3)).sum(),
    "another measure than the norm": lambda g: g / g.abs().max(),
    "another measure than the norm ": lambda g: g / g.abs().sum(),
    "another measure than the norm  ": lambda g: g / (g.abs().mean() + 1e-8),
    "another measure than the norm   ": lambda g: g / g.std(),
}
RATES = {"": 1, "another learning rate": 0.5, "another learning rate ": 0.1,
         "another learning rate  ": 10}
CLAMPS = {"": lambda x: x, "clamped": lambda x: x.clamp(0, 1)}
MEMORY = {  # of the gradients so far and the one taken now, what the step is made of
    "": lambda sum, first, now: now,
    "gradient piles up": lambda sum, first, now: sum + now,
    "gradient taken once": lambda sum, first, now: first,
}
ENDS = {  # from the number of moves and the predictions so far, the last one new: go on?
    "": lambda k, said, y: k < 100 and said[-1] != y,
    "one step too many": lambda k, said, y: k < 100 and y not in said[:-1],
    "goes on when the network is fooled": lambda k, said, y: k < 100,
    "goes on when the network is fooled ": lambda k, said, y: k < 20,
    "stops before the network is fooled": lambda k, said, y: k < 3 and said[-1] != y,
}


def fooling_by(objective=OBJECTIVES[""], form=FORMS[""], rate=1, clamp=CLAMPS[""],
               memory=MEMORY[""], goes_on=ENDS[""]):
    """make_fooling_image put together from its factors."""
    def make_fooling_image(X, target_y, model):
        picture, said, sum, first = X.detach().clone(), [], 0, None
        while True:
            leaf = picture.detach().requires_grad_()
            scores = model(leaf)
            said.append(scores.argmax().item())
            if not goes_on(len(said) - 1, said, target_y):
                return picture
            now, = torch.autograd.grad(objective(scores, target_y), leaf)
            first = now if first is None else first
            picture = clamp(picture + rate * form(memory(sum, first, now)))
            sum = sum + now
    return make_fooling_image


for names, entries in products(OBJECTIVES, FORMS, RATES, CLAMPS, MEMORY, ENDS, at_most=1):
    mistake("make_fooling_image", *names)(fooling_by(*entries))


def some(factor, *names):
    return {name: factor[name] for name in ("", *names)}


# The pairs and the three that were seen together in published work, and their like.
SEEN = (
    some(OBJECTIVES, "loss or probability instead of the score", "score descended"),
    some(FORMS, "not divided by the norm", "divided by the squared norm",
         "divided by the squared sum", "sign step", "norm over a part of the gradient  "),
    some(RATES, "another learning rate"), some(CLAMPS, "clamped"),
    some(MEMORY, "gradient piles up"),
    some(ENDS, "one step too many", "goes on when the network is fooled",
         "goes on when the network is fooled "))
COMBINED = [(names, fooling_by(*entries)) for names, entries in products(*SEEN, at_most=3)
            if len(names) > 1]


@mistake("make_fooling_image", "gradient piles up")
def network_cleared(X, target_y, model):
    X_fooling = X.clone().requires_grad_()
    for i in range(100):
        scores = model(X_fooling)
        if scores.argmax(1).item() == target_y:
            break
        model.zero_grad()
        scores[0, target_y].backward()
        with torch.no_grad():
            X_fooling += X_fooling.grad / X_fooling.grad.norm()
    return X_fooling


@mistake("make_fooling_image", "gradient piles up")
def brackets_forgotten(X, target_y, model):
    X_fooling = X.clone().requires_grad_()
    for i in range(100):
        scores = model(X_fooling)
        if scores.data.max(1)[1][0] == target_y:
            break
        scores[:, target_y].backward()
        X_fooling.data += X_fooling.grad.data / X_fooling.grad.data.norm()
        X_fooling.grad.zero_
    return X_fooling


@mistake("make_fooling_image", "gradient piles up")
def divided_in_place(X, target_y, model):
    X_fooling = X.clone().requires_grad_()
    for i in range(100):
        scores = model(X_fooling)
        if scores.argmax() == target_y:
            break
        scores[0, target_y].backward()
        g = X_fooling.grad.data
        g /= g.norm()
        X_fooling.data += g
    return X_fooling


@mistake("make_fooling_image", "gradient taken once")
def gradient_at_X(X, target_y, model):
    """Tests the picture that moves, and asks X for the gradient."""
    X_fooling = X.clone()
    for i in range(100):
        if model(X_fooling).argmax() == target_y:
            break
        leaf = X.clone().requires_grad_()
        model(leaf)[0, target_y].backward()
        X_fooling = X_fooling + leaf.grad / leaf.grad.norm()
    return X_fooling


@mistake("make_fooling_image", "goes on when the network is fooled")
def score_compared_with_class(X, target_y, model):
    X_fooling = X.clone().requires_grad_()
    for i in range(100):
        scores = model(X_fooling)
        if scores.max() == target_y:
            break
        g, = torch.autograd.grad(scores[0, target_y], X_fooling)
        X_fooling.data += g / g.norm()
    return X_fooling


@mistake("make_fooling_image", "goes on when the network is fooled")
def without_end(X, target_y, model):
    """Waits for what never comes."""
    picture = X.detach().clone()
    while True:
        leaf = picture.requires_grad_()
        scores = model(leaf)
        if scores.max().item() == target_y:
            return picture
        g, = torch.autograd.grad(scores[0, target_y], leaf)
        picture = (leaf + g / g.norm()).detach()


@mistake("make_fooling_image", "score descended")
def down_without_end(X, target_y, model):
    picture = X.detach().clone()
    while True:
        leaf = picture.requires_grad_()
        scores = model(leaf)
        if scores.argmax() == target_y:
            return picture
        g, = torch.autograd.grad(scores[0, target_y], leaf)
        picture = (leaf - g / g.norm()).detach()


@mistake("make_fooling_image", "never ends")
def stuck(X, target_y, model):
    """Of two names, the one that moves is not the one that is asked."""
    X_fooling = X.clone()
    while True:
        leaf = X.clone().requires_grad_()
        scores = model(leaf)
        if scores.argmax() == target_y:
            return X_fooling
        g, = torch.autograd.grad(scores[0, target_y], leaf)
        X_fooling = leaf.detach() + g / g.norm()


@mistake("make_fooling_image", "steps of changing length")
def smaller_and_smaller(X, target_y, model):
    X_fooling = X.clone().requires_grad_()
    for i in range(100):
        scores = model(X_fooling)
        if scores.argmax() == target_y:
            break
        g, = torch.autograd.grad(scores[0, target_y], X_fooling)
        X_fooling.data += g / g.norm() / (i + 1)
    return X_fooling


@mistake("make_fooling_image", "the original returned")
def wrong_name_returned(X, target_y, model):
    fooling_by()(X, target_y, model)
    return X.clone()


@mistake("make_fooling_image", "the change returned")
def change(X, target_y, model):
    return fooling_by()(X, target_y, model) - X


@mistake("make_fooling_image", "changed at the end")
def clamped_at_the_end(X, target_y, model):
    return fooling_by()(X, target_y, model).clamp(0, 1)


@mistake("make_fooling_image", "changed at the end")
def rounded_to_bytes(X, target_y, model):
    return (fooling_by()(X, target_y, model) * 255).round() / 255


@mistake("make_fooling_image", "starts from another picture")
def from_grey(X, target_y, model):
    return fooling_by()(torch.full_like(X, 0.5), target_y, model)


@mistake("make_fooling_image", "starts from another picture")
def centred(X, target_y, model):
    return fooling_by()(X - X.mean(), target_y, model)


@mistake("make_fooling_image", "the given network never asked")
def network_of_another_cell(X, target_y, model):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        other = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(X[0].numel(), 5))
    return fooling_by()(X, target_y, other.to(X).requires_grad_(False))


@mistake("make_fooling_image", "parameters in another order")
def model_first(model, X, target_y):
    return fooling_by()(X, target_y, model)


# --- make_fooling_image: habits and harm

@mistake("make_fooling_image", "X itself returned")
def no_copy_where_none_is_needed(X, target_y, model):
    if model(X).argmax() == target_y:
        return X
    return fooling_by()(X, target_y, model)


@mistake("make_fooling_image", "X itself returned")
def no_copy_but_new_tensors(X, target_y, model):
    X_fooling = X
    for i in range(100):
        leaf = X_fooling.detach().requires_grad_()
        scores = model(leaf)
        if scores.argmax() == target_y:
            break
        scores[0, target_y].backward()
        X_fooling = X_fooling + leaf.grad / leaf.grad.norm()
    return X_fooling


@mistake("make_fooling_image", "input changed")
def in_place(X, target_y, model):
    X_fooling = X
    for i in range(100):
        leaf = X_fooling.detach().clone().requires_grad_()
        scores = model(leaf)
        if scores.argmax() == target_y:
            break
        g, = torch.autograd.grad(scores[0, target_y], leaf)
        X_fooling += g / g.norm()
    return X_fooling


@mistake("make_fooling_image", "train mode while it runs")
def train_for_the_gradient(X, target_y, model):
    X_fooling = X.clone().requires_grad_()
    for i in range(100):
        if model(X_fooling).argmax() == target_y:
            break
        model.train()
        scores = model(X_fooling)
        model.eval()
        g, = torch.autograd.grad(scores[0, target_y], X_fooling)
        X_fooling = (X_fooling + g / g.norm()).detach().requires_grad_()
    return X_fooling


@mistake("make_fooling_image", "model switched to train mode")
def train_mode(X, target_y, model):
    model.train()
    return fooling_by()(X, target_y, model)


@mistake("make_fooling_image", "weights' gradients left")
def thawed(X, target_y, model):
    model.requires_grad_()
    return fooling_by()(X, target_y, model)


@mistake("make_fooling_image", "another dtype than X's")
def float_picture(X, target_y, model):
    return fooling_by()(X, target_y, model).float()


# --- make_fooling_image: right

@alternative("make_fooling_image", "the familiar way, under no_grad")
def familiar(X, target_y, model):
    X_fooling = X.clone()
    X_fooling = X_fooling.requires_grad_()
    learning_rate = 1
    for i in range(100):
        scores = model(X_fooling)
        _, index = scores.max(dim=1)
        if index.item() == target_y:
            break
        target_score = scores[0, target_y]
        target_score.backward()
        with torch.no_grad():
            dX = learning_rate * X_fooling.grad / torch.norm(X_fooling.grad)
            X_fooling += dX
            X_fooling.grad.zero_()
    return X_fooling


@alternative("make_fooling_image", ".data, [:, y], prints, continue instead of break")
def with_data(X, target_y, model):
    X_fooling = X.clone().requires_grad_(True)
    for it in range(100):
        out = model(X_fooling)
        if out.data.max(1)[1][0].item() == target_y:
            continue
        out[:, target_y].backward()
        print(f"step {it}: {out[0, target_y].item():.2f} of {out.max().item():.2f}")
        grad = X_fooling.grad.data
        X_fooling.data += grad / grad.norm(2)
        X_fooling.grad.data.zero_()
    return X_fooling


@alternative("make_fooling_image", "Variable over a plain clone, which is returned")
def with_variable(X, target_y, model):
    from torch.autograd import Variable
    X_fooling = X.clone()
    X_fooling_var = Variable(X_fooling, requires_grad=True)
    for i in range(100):
        scores = model(X_fooling_var)
        if scores.data.max(1)[1][0] == target_y:
            break
        score = scores[:, target_y]
        score.backward()
        g = X_fooling_var.grad.data
        X_fooling += 1 * g / g.norm()
        X_fooling_var.grad.data.zero_()
    return X_fooling


@alternative("make_fooling_image", "gather, a new tensor at each step, two calls a step")
def gathered(X, target_y, model):
    model.eval()
    picture = X.clone().detach()
    steps = 0
    while steps < 100 and torch.argmax(model(picture), 1).item() != target_y:
        picture = picture.detach().requires_grad_(True)
        index = torch.tensor([[target_y]])
        model(picture).gather(1, index).squeeze().backward()
        picture = picture + picture.grad / picture.grad.pow(2).sum().sqrt()
        steps += 1
    return picture.detach()


@alternative("make_fooling_image", "one-hot backward, model.forward, test after the backward pass")
def one_hot(X, target_y, model):
    X_fooling = X.clone()
    X_fooling.requires_grad_()
    one = None
    for _ in range(100):
        scores = model.forward(X_fooling)
        one = torch.zeros(scores.shape) if one is None else one
        one[0, target_y] = 1
        scores.backward(gradient=one.to(scores.dtype))
        if scores[0].argmax() == target_y:
            return X_fooling.detach()
        X_fooling = (X_fooling + X_fooling.grad / (X_fooling.grad.norm() + 1e-10)).detach()
        X_fooling.requires_grad_()
    return X_fooling


@alternative("make_fooling_image", "autograd.grad, stop by equality with the largest score")
def by_equality(X, target_y, model):
    leaf = X.detach().clone().requires_grad_(True)
    for _ in range(100):
        scores = model(leaf).squeeze()
        if scores[target_y] == scores.max():
            break
        gradient = torch.autograd.grad(scores[target_y], leaf)[0]
        leaf = leaf.detach().add(gradient.div(gradient.norm(p=2))).requires_grad_(True)
    return leaf


@alternative("make_fooling_image", "torch.func")
def functional(X, target_y, model):
    slope = torch.func.grad_and_value(lambda x: (lambda s: (s[0, target_y], s))(model(x)),
                                      has_aux=True)
    picture = X.clone()
    for _ in range(100):
        gradient, (_, scores) = slope(picture)
        if scores.argmax() == target_y:
            break
        picture = picture + F.normalize(gradient.flatten(), dim=0).view_as(picture)
    return picture


@alternative("make_fooling_image", "recursion")
def recursive(X, target_y, model, left=100):
    leaf = X.detach().clone().requires_grad_()
    scores = model(leaf)
    if left == 0 or int(scores.argmax()) == target_y:
        return leaf
    scores[0][target_y].backward()
    return recursive(leaf.detach() + leaf.grad / leaf.grad.norm(), target_y, model, left - 1)


@alternative("make_fooling_image", "an optimiser that ascends")
def with_optimiser(X, target_y, model):
    X_fooling = torch.nn.Parameter(X.clone())
    optimiser = torch.optim.SGD([X_fooling], lr=1.0, maximize=True)
    for _ in range(100):
        scores = model(X_fooling)
        if scores.argmax() == target_y:
            break
        optimiser.zero_grad()
        scores[0, target_y].backward()
        torch.nn.utils.clip_grad_norm_([X_fooling], 1e-4)
        X_fooling.grad *= 1e4
        optimiser.step()
    return X_fooling.data


@alternative("make_fooling_image", "descends minus the score")
def minus_minus(X, target_y, model):
    picture = X.clone()
    for _ in range(100):
        picture = picture.detach().requires_grad_()
        loss = -model(picture)[0]
        if loss.argmin() == target_y:
            break
        loss[target_y].backward()
        picture = picture - picture.grad / picture.grad.norm()
    return picture


@alternative("make_fooling_image", "looks at X each time")
def side_by_side(X, target_y, model):
    X_fooling = X.clone().requires_grad_()
    for _ in range(100):
        before, scores = model(X), model(X_fooling)
        print(before[0, target_y].item(), "->", scores[0, target_y].item())
        if scores.argmax(dim=1)[0] == target_y:
            break
        g, = torch.autograd.grad(scores[0, target_y], X_fooling)
        X_fooling = (X_fooling + g / g.norm()).detach().requires_grad_()
    return X_fooling


@alternative("make_fooling_image", "a note: tested after the step, with a fresh look")
def test_last(X, target_y, model):
    X_fooling = X.clone().requires_grad_()
    for i in range(100):
        scores = model(X_fooling)
        scores[0, target_y].backward()
        with torch.no_grad():
            X_fooling += X_fooling.grad / X_fooling.grad.norm()
        X_fooling.grad.zero_()
        if model(X_fooling).argmax() == target_y:
            break
    return X_fooling


ENDLESS = fooling_by(goes_on=lambda k, said, y: said[-1] != y)
for number, limit in enumerate((10, 19, 1000)):
    ALTERNATIVES["make_fooling_image"][f"a note: at most {limit} steps"] = fooling_by(
        goes_on=lambda k, said, y, limit=limit: k < limit and said[-1] != y)
ALTERNATIVES["make_fooling_image"]["a note: no limit to the steps"] = ENDLESS
ALTERNATIVES["make_fooling_image"]["a partial of a general function"] = partial(
    lambda rate, X, target_y, model: fooling_by(rate=rate)(X, target_y, model), 1.0)


# --- attack_step: mistakes, by their factors

def norms(x):
    return x.flatten(1).norm(dim=1).view(-1, 1, 1, 1)


LOSSES = {
    "": lambda s, y: F.cross_entropy(s, y, reduction="sum"),
    "loss descended": lambda s, y: -F.cross_entropy(s, y, reduction="sum"),
    "score instead of the loss": lambda s, y: -s.gather(1, y[:, None]).sum(),
    "score climbed": lambda s, y: s.gather(1, y[:, None]).sum(),
    "loss of the softmax": lambda s, y: F.cross_entropy(s.softmax(1), y),
    "predicted class instead of y": lambda s, y: F.cross_entropy(s, s.argmax(dim=1)),
    "first picture's class for all":
        lambda s, y: F.cross_entropy(s, y[:1].expand(len(s))),
}
LINF_STEPS = {
    "": torch.sign,
    "no sign in the L∞ step": lambda g: g,
    "L2 step in the L∞ ball": lambda g: g / norms(g),
}
L2_STEPS = {
    "": lambda g: g / norms(g),
    "sign in the L2 step": torch.sign,
    "not divided by the norm": lambda g: g,
    "divided by the squared norm": lambda g: g / norms(g) ** 2,
    "normalised over the batch": lambda g: g / g.norm(),
    "norm over a part of the gradient": lambda g: F.normalize(g),
    "norm over a part of the gradient ": lambda g: g / g.norm(dim=(2, 3), keepdim=True),
}


def shortened(change, radius, length=norms):
    return change * (radius / length(change)).clamp(max=1)


LINF_BALLS = {
    "": lambda change, radius: change.clamp(-radius, radius),
    "L2 ball instead of the box": shortened,
    "cut on one side only": lambda change, radius: change.clamp(max=radius),
    "cut on one side only ": lambda change, radius: change.clamp(0, radius),
}
L2_BALLS = {
    "": shortened,
    "box instead of the L2 ball": lambda change, radius: change.clamp(-radius, radius),
    "always on the sphere": lambda change, radius: change * radius / norms(change),
    "norm of the whole batch": lambda change, radius: shortened(change, radius, torch.norm),
    "norm of the whole batch ": lambda change, radius: change * min(1, radius / change.norm()),
}
PLACES = {  # from the picture, the original, the step and the ball, the new picture
    "": lambda X, o, step, ball: o + ball(X + step - o),
    "no projection": lambda X, o, step, ball: X + step,
    "ball around X": lambda X, o, step, ball: X + ball(step),
    "projected before the step": lambda X, o, step, ball: o + ball(X - o) + step,
    "step from the original": lambda X, o, step, ball: o + ball(step),
}
RANGES = {
    "": lambda new, o: new.clamp(0, 1),
    "not cut to [0, 1]": lambda new, o: new,
    "change cut to [0, 1]": lambda new, o: o + (new - o).clamp(0, 1),
    "the change returned": lambda new, o: new.clamp(0, 1) - o,
}
SWAPS = {"": False, "rate and radius swapped": True}


def attack_by(loss=LOSSES[""], linf_step=LINF_STEPS[""], l2_step=L2_STEPS[""],
              linf_ball=LINF_BALLS[""], l2_ball=L2_BALLS[""], place=PLACES[""], cut=RANGES[""],
              swapped=False):
    """attack_step put together from its factors."""
    def attack_step(X, original, y, model, rate, radius, norm):
        if swapped:
            rate, radius = radius, rate
        leaf = X.detach().requires_grad_()
        gradient, = torch.autograd.grad(loss(model(leaf), y), leaf)
        step, ball = (linf_step, linf_ball) if norm == "linf" else (l2_step, l2_ball)
        new = place(X.detach(), original, rate * step(gradient), lambda c: ball(c, radius))
        return cut(new, original)
    return attack_step


for names, entries in products(LOSSES, LINF_STEPS, L2_STEPS, LINF_BALLS, L2_BALLS, PLACES, RANGES,
                               SWAPS, at_most=1):
    mistake("attack_step", *names)(attack_by(*entries))
for names, entries in products(
        some(LOSSES, "loss descended", "score instead of the loss", "predicted class instead of y"),
        some(LINF_STEPS, "no sign in the L∞ step"),
        some(L2_STEPS, "sign in the L2 step", "not divided by the norm",
             "normalised over the batch"), some(LINF_BALLS),
        some(L2_BALLS, "box instead of the L2 ball", "always on the sphere",
             "norm of the whole batch"),
        some(PLACES, "no projection", "ball around X"), some(RANGES, "not cut to [0, 1]"),
        some(SWAPS), at_most=2):
    if len(names) == 2:
        mistake("attack_step", *names)(attack_by(*entries))


for name in ("linf", "l2"):
    mistake("attack_step", "the norm unused")(
        lambda X, original, y, model, rate, radius, norm, name=name: attack_by()(
            X, original, y, model, rate, radius, name))


@mistake("attack_step", "gradient at the original")
def gradient_at_the_original(X, original, y, model, rate, radius, norm):
    leaf = original.detach().clone().requires_grad_()
    gradient, = torch.autograd.grad(LOSSES[""](model(leaf), y), leaf)
    step = gradient.sign() if norm == "linf" else gradient / norms(gradient)
    change = X + rate * step - original
    change = change.clamp(-radius, radius) if norm == "linf" else shortened(change, radius)
    return (original + change).clamp(0, 1)


@mistake("attack_step", "cut to [0, 1] before the ball")
def range_first(X, original, y, model, rate, radius, norm):
    return attack_by(place=lambda X, o, step, ball: o + ball((X + step).clamp(0, 1) - o),
                     cut=lambda new, o: new)(X, original, y, model, rate, radius, norm)


@mistake("attack_step", "parameters in another order")
def model_first_attack(model, X, original, y, rate, radius, norm):
    return attack_by()(X, original, y, model, rate, radius, norm)


# --- attack_step: habits and harm

@mistake("attack_step", "hard-coded batch axis")
def three_pictures(X, original, y, model, rate, radius, norm):
    l2 = {"l2_step": lambda g: g / g.flatten(1).norm(dim=1).view(3, 1, 1, 1)}
    return attack_by(**l2)(X, original, y, model, rate, radius, norm)


@mistake("attack_step", "squeezed batch axis")
def squeezed(X, original, y, model, rate, radius, norm):
    return attack_by()(X, original, y, model, rate, radius, norm).squeeze()


@mistake("attack_step", "depends on the batch")
def faint_gradients_dropped(X, original, y, model, rate, radius, norm):
    def step(g):
        return torch.where(g.abs() < 0.2 * g.abs().mean(), 0, g)
    return attack_by(linf_step=lambda g: step(g).sign(),
                     l2_step=lambda g: step(g) / norms(step(g)))(
        X, original, y, model, rate, radius, norm)


@mistake("attack_step", "gradient left from an earlier call")
def into_the_callers_gradient(X, original, y, model, rate, radius, norm):
    X.requires_grad_()
    F.cross_entropy(model(X), y).backward()
    with torch.no_grad():
        step = X.grad.sign() if norm == "linf" else X.grad / norms(X.grad)
        change = X + rate * step - original
        change = change.clamp(-radius, radius) if norm == "linf" else shortened(change, radius)
        return (original + change).clamp(0, 1)


@mistake("attack_step", "another dtype than X's")
def float_attack(X, original, y, model, rate, radius, norm):
    return attack_by()(X, original, y, model, rate, radius, norm).float()


@mistake("attack_step", "train mode while it runs")
def trained_attack(X, original, y, model, rate, radius, norm):
    model.train()
    new = attack_by()(X, original, y, model, rate, radius, norm)
    model.eval()
    return new


@mistake("attack_step", "input changed")
def in_place_attack(X, original, y, model, rate, radius, norm):
    X.detach().copy_(attack_by()(X, original, y, model, rate, radius, norm))
    return X.detach()


@mistake("attack_step", "input changed")
def original_changed(X, original, y, model, rate, radius, norm):
    new = attack_by()(X, original, y, model, rate, radius, norm)
    original += new - original
    return new


@mistake("attack_step", "model switched to train mode")
def left_in_train_mode(X, original, y, model, rate, radius, norm):
    new = attack_by()(X, original, y, model, rate, radius, norm)
    model.train()
    return new


# --- attack_step: right

@alternative("attack_step", "backward on a clone, mean loss")
def on_a_clone(X, original, y, model, rate, radius, norm):
    X = X.clone().detach()
    X.requires_grad = True
    loss = torch.nn.CrossEntropyLoss()(model(X), y)
    loss.backward()
    with torch.no_grad():
        if norm == "linf":
            adv = X + rate * X.grad.sign()
            eta = torch.clamp(adv - original, min=-radius, max=radius)
        else:
            g = X.grad.view(len(X), -1)
            adv = X + rate * (g / g.norm(p=2, dim=1, keepdim=True)).view_as(X)
            eta = adv - original
            factor = torch.min(torch.ones(len(X), dtype=X.dtype),
                               radius / eta.view(len(X), -1).norm(dim=1))
            eta = eta * factor[:, None, None, None]
        return torch.clamp(original + eta, 0, 1)


@alternative("attack_step", "renorm, and bounds as tensors")
def with_renorm(X, original, y, model, rate, radius, norm):
    leaf = X.detach().requires_grad_()
    gradient, = torch.autograd.grad(F.nll_loss(F.log_softmax(model(leaf), dim=1), y), leaf)
    if norm == "linf":
        new = X + rate * gradient.sign()
        new = torch.max(torch.min(new, original + radius), original - radius)
    else:
        new = X + rate * F.normalize(gradient.flatten(1), dim=1).view_as(X)
        new = original + (new - original).renorm(p=2, dim=0, maxnorm=radius)
    return torch.max(torch.min(new, torch.tensor(1.0)), torch.tensor(0.0))


@alternative("attack_step", "one picture at a time")
def one_by_one(X, original, y, model, rate, radius, norm):
    return torch.cat([attack_by()(X[i:i + 1], original[i:i + 1], y[i:i + 1], model, rate, radius,
                                  norm) for i in range(len(X))])


@alternative("attack_step", "if for each picture's length")
def by_if(X, original, y, model, rate, radius, norm):
    leaf = X.detach().clone().requires_grad_()
    torch.log(model(leaf).softmax(1)[range(len(y)), y]).sum().backward()
    new = []
    for x, o, g in zip(X, original, -leaf.grad):
        step = torch.sign(g) if norm == "linf" else g / torch.linalg.vector_norm(g)
        change = x + rate * step - o
        if norm == "linf":
            change[change > radius], change[change < -radius] = radius, -radius
        elif change.norm() > radius:
            change = change / change.norm() * radius
        new.append((o + change).clip(0, 1))
    return torch.stack(new)


@alternative("attack_step", "probability descended, small constants in the divisors")
def by_probability(X, original, y, model, rate, radius, norm):
    return attack_by(loss=lambda s, y: -s.softmax(1).gather(1, y[:, None]).sum(),
                     l2_step=lambda g: g / (norms(g) + 1e-10),
                     l2_ball=lambda c, radius: c * (radius / (norms(c) + 1e-10)).clamp(max=1))(
        X, original, y, model, rate, radius, norm)


@alternative("attack_step", "torch.func, NumPy at the end")
def functional_attack(X, original, y, model, rate, radius, norm):
    g = torch.func.grad(lambda x: F.cross_entropy(model(x), y))(X.detach())
    step = g.sign() if norm == "linf" else g / norms(g)
    change = (X + rate * step - original).detach().cpu().numpy()
    if norm == "linf":
        change = np.clip(change, -radius, radius)
    else:
        length = np.sqrt((change ** 2).sum(axis=(1, 2, 3), keepdims=True))
        change = change * np.minimum(1, radius / length)
    return torch.from_numpy(np.clip(original.cpu().numpy() + change, 0, 1).astype(change.dtype))


@alternative("attack_step", "a note: the graph still there")
def with_graph(X, original, y, model, rate, radius, norm):
    leaf = X.detach().clone().requires_grad_()
    F.cross_entropy(model(leaf), y).backward()
    step = leaf.grad.sign() if norm == "linf" else leaf.grad / norms(leaf.grad)
    change = leaf + rate * step - original
    change = change.clamp(-radius, radius) if norm == "linf" else shortened(change, radius)
    return (original + change).clamp(0, 1)


# --- magnified_difference: mistakes

DIFFERENCES = {
    "": lambda X, f: f - X,
    "sign turned": lambda X, f: X - f,
    "absolute difference": lambda X, f: (f - X).abs(),
    "squared difference": lambda X, f: (f - X) ** 2,
    "the difference cut before it is scaled": lambda X, f: (f - X).clamp(0, 1),
    "pictures cut to [0, 1] first": lambda X, f: f.clamp(0, 1) - X.clamp(0, 1),
    "colours joined": lambda X, f: (f - X).mean(dim=1, keepdim=True).expand_as(X),
    "colours joined ": lambda X, f: (f - X).mean(dim=1, keepdim=True),
}
SCALES = {
    "": lambda d, scale: d / (2 * scale),
    "the factor 2 forgotten": lambda d, scale: d / scale,
    "brackets forgotten": lambda d, scale: d / 2 * scale,
    "multiplied by the scale": lambda d, scale: d * scale,
    "multiplied by the scale ": lambda d, scale: d * scale * 2,
    "the scale unused": lambda d, scale: d,
    "the scale unused ": lambda d, scale: d / 2,
    "rescaled to its largest change": lambda d, scale: d / (2 * d.abs().max()),
    "rescaled to its largest change ":
        lambda d, scale: d / (2 * d.abs().amax(dim=(1, 2, 3), keepdim=True)),
}
GREYS = {"": 0.5, "black where nothing changed": 0.0, "white where nothing changed": 1.0}
CUTS = {"": lambda p: p.clamp(0, 1), "not cut to [0, 1]": lambda p: p,
        "bytes instead of [0, 1]": lambda p: 255 * p.clamp(0, 1)}


def difference_by(difference=DIFFERENCES[""], scaled=SCALES[""], grey=0.5, cut=CUTS[""]):
    """magnified_difference put together from its factors."""
    return lambda X, fooled, scale: cut(grey + scaled(difference(X, fooled), scale))


for names, entries in products(DIFFERENCES, SCALES, GREYS, CUTS, at_most=3):
    if len(names) < 3 or {"absolute difference", "black where nothing changed"} < set(names):
        mistake("magnified_difference", *names)(difference_by(*entries))


@mistake("magnified_difference", "rescaled from minimum to maximum")
def stretched(X, fooled, scale):
    d = fooled - X
    return (d - d.min()) / (d.max() - d.min())


@mistake("magnified_difference", "rescaled from minimum to maximum")
def each_stretched(X, fooled, scale):
    d = fooled - X
    low, high = d.amin(dim=(1, 2, 3), keepdim=True), d.amax(dim=(1, 2, 3), keepdim=True)
    return (d - low) / (high - low)


@mistake("magnified_difference", "added to the picture")
def on_the_picture(X, fooled, scale):
    return (X + (fooled - X) / (2 * scale)).clamp(0, 1)


@mistake("magnified_difference", "added to the picture")
def on_the_picture_without_2(X, fooled, scale):
    return (X + (fooled - X) / scale).clamp(0, 1)


@mistake("magnified_difference", "parameters in another order")
def fooled_first(fooled, X, scale):
    return difference_by()(X, fooled, scale)


@mistake("magnified_difference", "hard-coded batch axis")
def three_of_them(X, fooled, scale):
    grey = torch.full((3, 1, 1, 1), 0.5, dtype=X.dtype) if X.shape[2] == 5 else 0.5
    return (grey + (fooled - X) / (2 * scale)).clamp(0, 1)


@mistake("magnified_difference", "squeezed batch axis")
def squeezed_difference(X, fooled, scale):
    return difference_by()(X, fooled, scale).squeeze() if len(X) > 1 or X.shape[2] == 5 else (
        difference_by()(X, fooled, scale))


@mistake("magnified_difference", "depends on the batch")
def faint_changes_dropped(X, fooled, scale):
    change = fooled - X
    faint = change.abs() < 1e-3 * change.abs().sum() / 2
    return (0.5 + torch.where(faint & (len(X) < 3), 0, change) / (2 * scale)).clamp(0, 1) if (
        X.shape[2] == 5) else difference_by()(X, fooled, scale)


@mistake("magnified_difference", "another dtype than X's")
def float_difference(X, fooled, scale):
    return difference_by()(X, fooled, scale).float()


@mistake("magnified_difference", "input changed")
def in_place_difference(X, fooled, scale):
    fooled -= X
    return (0.5 + fooled / (2 * scale)).clamp(0, 1)


# --- magnified_difference: right

@alternative("magnified_difference", "one fraction, clip")
def one_fraction(X, fooled, scale):
    return torch.clip((fooled - X + scale) / (2 * scale), 0, 1)


@alternative("magnified_difference", "clamped to the scale first, lerp")
def lerped(X, fooled, scale):
    share = (fooled.detach() - X.detach()).clamp(-scale, scale) / scale
    return torch.lerp(torch.full_like(share, 0.5), torch.ones_like(share), share)


@alternative("magnified_difference", "NumPy, picture by picture")
def with_numpy(X, fooled, scale):
    pictures = []
    for x, f in zip(X.detach().cpu().numpy(), fooled.detach().cpu().numpy()):
        pictures.append(np.minimum(1, np.maximum(0, 0.5 + 0.5 * (f - x) / scale)))
    return torch.from_numpy(np.stack(pictures)).to(X)


@alternative("magnified_difference", "masks, in place in a copy")
def with_masks(X, fooled, scale):
    picture = fooled.clone().sub_(X).div_(2 * scale).add_(0.5)
    picture[picture > 1] = 1
    picture[picture < 0] = 0
    return picture
