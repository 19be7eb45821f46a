"""The check of `deepdream_step`: what is tried, and what is said about known mistakes."""

import re
from contextlib import contextmanager

import torch
from torch import nn

from ..distance import relative_l2
from ..exercise import Case, Exercise, Trap
from ..fixtures import picture, tiny_weights
from ..inputs import Network
from ..judge import reordered
from .reading import move_of, slips


def dreamed(function, img, model, layer, learning_rate, ox, oy, again=None):
    """The picture, and that of a second call for another layer; the ReLUs write in place, as those
    of many trained networks do."""
    with in_place(model):
        before = img.detach().clone()
        result = function(img, model, layer, learning_rate, ox, oy)
        outputs = {"picture": result, "has a graph": getattr(result, "requires_grad", False)}
        if again:
            img = img if torch.equal(img, before) else before
            outputs["second picture"] = function(img, model, again, learning_rate, ox, oy)
    return outputs


@contextmanager
def in_place(model):
    """In the block the ReLUs write in place, and afterwards as they did before."""
    were = {part: part.inplace for part in model.modules() if isinstance(part, nn.ReLU)}
    for part in were:
        part.inplace = True
    try:
        yield
    finally:
        for part, inplace in were.items():
            part.inplace = inplace


def small(height, width, seed, layer, learning_rate, ox=0, oy=0, sharpness=1, spread=0.5,
          guarded=False, **again):
    """A picture around grey, and a network of five classes; sharpness makes its gradient longer."""
    def inputs(numbers):
        weights = tiny_weights(numbers, seed, classes=5)
        last = "conv1" if layer == "pool" else layer
        weights |= {name: sharpness * w for name, w in weights.items() if name.startswith(last)}
        img = 0.5 + spread * (picture(numbers, 1, height, width, seed) - 0.5)
        return {"img": img, "model": Network("tiny", weights, guarded), "layer": layer,
                "learning_rate": learning_rate, "ox": ox, "oy": oy, **again}
    return inputs


def specimen(numbers):
    """A corner of a noise picture, and the trained network."""
    return {"img": picture(numbers, 1, 48, 64, 7), "model": Network("specimens"),
            "layer": "relu3_1", "learning_rate": 0.0625, "ox": -5, "oy": 9}


def guarded(inputs):
    return {**inputs, "model": inputs["model"]._replace(guarded=True)}


def blind(numbers):
    """The network sees the same in every picture: the gradient is 0."""
    given = small(5, 6, 95, "conv2", 1 / 16)(numbers)
    weights = dict(given["model"].weights)
    weights["conv1.weight"] = torch.zeros_like(weights["conv1.weight"])
    return {**given, "model": Network("tiny", weights)}


def recognise(observed, inputs):
    """Whether a picture came back at all, then what the pictures show."""
    outcomes = {name: observed.outcomes[name] for name in TINY}
    if any(outcome.problem for outcome in outcomes.values()) or reordered(DREAM, observed.facts):
        return ()
    ends = [(end, inputs[name]["img"]) for name, outcome in outcomes.items()
            for key, end in outcome.outputs.items() if key != "has a graph"]
    if all(getattr(end, "kind", None) == "NoneType" for end, _ in ends):
        return ("nothing returned",)
    if not all(torch.is_tensor(end) and end.is_floating_point() and end.shape == img.shape
               for end, img in ends):
        return ()
    moves = {name: move_of(inputs[name], outcome.outputs["picture"])
             for name, outcome in outcomes.items()}
    second = move_of(inputs[TWICE], outcomes[TWICE].outputs["second picture"],
                     inputs[TWICE]["again"])
    return slips([moves[name] for name in STILL], [moves[name] for name in JITTERED],
                 [moves[CLIPPED]], (moves[TWICE], second))


def conventions(observed, inputs):
    """Is the graph still there? The next step would grow it. Is 0 divided by 0?"""
    outputs = [outcome.outputs for outcome in observed.outcomes.values()]
    found = {"has a graph": ()} if any(out.get("has a graph") is True for out in outputs) else {}
    unseen = observed.outcomes[BLIND].outputs.get("picture") if BLIND in observed.outcomes else None
    lost = torch.is_tensor(unseen) and unseen.is_floating_point() and unseen.isnan().all()
    return found | ({"0 over 0": (BLIND,)} if lost else {})


FAINT = 2.5e-4  # where the gradient is small: a constant of 1e-6 in the divisor is right there
STILL = ("a convolution, no jitter", "a layer further down, no jitter", "a layer without rows")
RIGHT, TWICE = "a jitter to the right and up", "a jitter to the left and down, two layers"
JITTERED, CLIPPED = (RIGHT, TWICE), "a step across the border"
TINY, BLIND = (*STILL, *JITTERED, CLIPPED), "a layer that sees nothing"
DREAM = Exercise(
    name="deepdream_step", notebook="08_deepdream",
    parameters=("img", "model", "layer", "learning_rate", "ox", "oy"),
    recognise=recognise, conventions=conventions,
    cases=(
        Case(STILL[0], small(6, 4, 119, "conv2", 1 / 32, sharpness=1 / 8), dreamed),
        Case(STILL[1], small(4, 7, 303, "pool", 1 / 64, sharpness=3 / 2), dreamed),
        Case(STILL[2], small(5, 8, 292, "head", 3 / 64, sharpness=9 / 128), dreamed,
             tolerance=FAINT),
        Case(RIGHT, small(7, 5, 236, "conv2", 1 / 32, 1, -2, sharpness=3 / 16), dreamed),
        Case(TWICE, small(6, 9, 334, "conv2", 1 / 64, -2, 1, sharpness=1 / 8, again="pool"),
             dreamed),
        Case(CLIPPED, small(5, 7, 117, "conv2", 1 / 4, 3, 1, sharpness=1 / 4, spread=1), dreamed),
        Case(BLIND, blind, dreamed),
        Case("a specimen network", specimen, dreamed, tolerance=1e-2, distance=relative_l2,
             tiny=False),
    ),
    traps=(
        Trap("another dtype than img's", RIGHT, dtype=torch.float64),
        Trap("train mode while it runs", STILL[0], guarded,
             unless=("model switched to train mode",)),
    ),
    mistakes={
        "parameters in another order":
            "The parameters stand in another order than in the notebook: "
            "deepdream_step(img, model, layer, learning_rate, ox, oy).",
        "nothing returned":
            "Nothing comes back. Make a new picture and end with `return`; img stays as it is.",
        "descended":
            "The step goes downhill: what the layer sees becomes weaker. The gradient points to "
            "where it grows, so add the step.",
        "activations added up":
            "The sum, or the mean, of the activations was climbed: its gradient at the layer is "
            "the same number everywhere. Climb half the sum of their squares, "
            "(a ** 2).sum() / 2: then the gradient at the layer is a itself, and what is strong "
            "grows most.",
        "absolute values added up":
            "The sum of the absolute activations was climbed, so weak and strong ones grow alike. "
            "Climb half the sum of their squares, (a ** 2).sum() / 2.",
        "largest activation alone":
            "The largest activation alone was climbed. Climb half the sum of all their squares, "
            "(a ** 2).sum() / 2.",
        "one channel alone":
            "One channel alone was climbed. The layer's activations are (1, C, h, w), or (1, K): "
            "square all of them and add them up, (a ** 2).sum() / 2.",
        "activations measured from their mean":
            "The squares are those of the distances from the mean, as in a variance. Square the "
            "activations themselves, (a ** 2).sum() / 2.",
        "powers of the activations":
            "The activations were raised to another power than the second, or turned into "
            "probabilities. Climb half the sum of their squares, (a ** 2).sum() / 2.",
        "layer before":
            "This is the layer before the one that was asked for. "
            "activations(model, img, layer)[layer] takes it by its name.",
        "layer after":
            "This is the layer after the one that was asked for. "
            "activations(model, img, layer)[layer] takes it by its name.",
        "layer written over":
            "These are the layer's values after the ReLU that follows: it works in place, and "
            "wrote into what your hook had kept. Keep output.clone(), or take "
            "activations(model, img, layer)[layer].",
        "another layer":
            "Whatever layer is asked for, the same one is climbed. Take the one that `layer` "
            "names, activations(model, img, layer)[layer].",
        "not divided":
            "The gradient is not divided by its mean absolute value, so a step is as long as the "
            "network likes, and differs a hundredfold from layer to layer. Divide by "
            "g.abs().mean().",
        "divided by the L2 norm":
            "The gradient is divided by its L2 norm, which grows with the picture. Divide by its "
            "mean absolute value, g.abs().mean(): then a pixel moves by learning_rate on "
            "average.",
        "divided by the standard deviation":
            "The gradient is divided by its standard deviation, or by the root of its mean "
            "square. Many published programs do so, and the pictures are much alike; here it is "
            "g.abs().mean().",
        "divided by the largest":
            "The gradient is divided by its largest value, so one pixel decides how far all the "
            "others move. Divide by g.abs().mean().",
        "divided by the mean with its signs":
            "The gradient is divided by its mean, in which plus and minus cancel. Take the "
            "absolute values first: g.abs().mean().",
        "divided by the sum":
            "The gradient is divided by a sum, which grows with the picture. Divide by the mean "
            "absolute value, g.abs().mean().",
        "divided by the mean of squares":
            "The gradient is divided by its squares. Divide by the mean absolute value, "
            "g.abs().mean().",
        "large constant in the divisor":
            "The constant in the divisor is too large: where the gradient is small, it decides "
            "how long the step is. It only keeps from dividing by 0: "
            "g.abs().mean() + 1e-12.",
        "sign step":
            "Every value moves by the same amount: the gradient was divided by its own absolute "
            "value, or its sign was taken. Divide all of it by one number, g.abs().mean().",
        "mean over a part of the gradient":
            "The mean is taken over some axes only, so colours, rows or pixels are each scaled by "
            "a number of their own. Take one mean of the whole gradient, g.abs().mean().",
        "learning rate unused":
            "The step has the same length whatever learning_rate is. Multiply by learning_rate "
            "after the division; before it, the division takes it away again.",
        "another learning rate":
            "The step is right but for its length: it should be learning_rate once, "
            "learning_rate * g / g.abs().mean().",
        "jitter left out":
            "ox and oy make no difference. Roll the picture first, img.roll((oy, ox), (2, 3)), "
            "take the step there, and roll it back.",
        "jitter not undone":
            "The picture comes back where the jitter put it, so it would wander from step to "
            "step. Roll it back at the end, by (-oy, -ox).",
        "jitter undone the wrong way":
            "The jitter is not taken back but done again. Roll back by the negative numbers, "
            "(-oy, -ox).",
        "jitter undone in part":
            "The picture does not come back to its place in both directions. Roll back what was "
            "rolled: by (-oy, -ox) over the same axes, (2, 3).",
        "ox and oy exchanged":
            "Rows and columns are exchanged: ox counts columns, the last axis, and oy rows, the "
            "one before: img.roll((oy, ox), dims=(2, 3)).",
        "jitter the other way":
            "The picture is rolled to the other side first. Roll it by (oy, ox), to the right and "
            "down, and back by (-oy, -ox).",
        "one direction turned round":
            "One of the two directions goes the wrong way. Roll by (oy, ox), to the right and "
            "down, and back by (-oy, -ox).",
        "one direction left out":
            "The picture is rolled in one direction only. Roll rows and columns, "
            "img.roll((oy, ox), dims=(2, 3)), and both back.",
        "step not rolled back":
            "The step was taken where the picture was rolled to, and added to the picture that "
            "was not. Add it to the rolled one, then roll that back.",
        "zeros enter":
            "Zeros enter where the picture left room, and with many steps its border turns black. "
            "What leaves on one side comes in on the other: torch.roll does that.",
        "rolled as one row":
            "The whole tensor was rolled as one long row, so pixels pass from row to row and "
            "colour to colour. Name the axes: img.roll((oy, ox), dims=(2, 3)).",
        "not clipped":
            "The new picture leaves [0, 1]. Clip it after the step: clamp(0, 1). Clipped before, "
            "the step may lead out again.",
        "clipped to another range":
            "The picture is clipped to another range. A picture of this course is in [0, 1]: "
            "clamp(0, 1).",
        "clipped on one side":
            "The picture is clipped on one side only. Black is 0 and white is 1: clamp(0, 1).",
        "rescaled instead of clipped":
            "The picture is rescaled, so every step changes its contrast. Cut what is below 0 or "
            "above 1: clamp(0, 1).",
        "gradient piles up":
            "The second call still contains the first one's gradient: backward() adds to what is "
            "in img.grad. Work on a copy, img.detach().clone(), or use torch.autograd.grad.",
        "something kept between calls":
            "The second call on a picture does something else than the first: something was kept. "
            "Each call takes one gradient and forgets it.",
        "layer without rows and columns":
            "It fails where a layer gives (1, K), as the last ones do. (a ** 2).sum() / 2 needs no "
            "axis by name.",
        "another dtype than img's":
            "With a float64 picture the result should be float64: make no float32 tensors of your "
            "own.",
        "train mode while it runs":
            "The network ran in train mode, where dropout and batch norm change what layers "
            "compute. Leave its mode alone.",
    },
    notes={
        "has a graph":
            "what comes back still remembers how it was computed, so each step of a loop would "
            "need more memory. Return it with .detach().",
        "0 over 0":
            "where the gradient is 0 your step gives NaN, 0 / 0. A layer may see nothing in a "
            "picture; with g.abs().mean() + 1e-12 below, the picture stays as it is.",
    },
    errors={
        "layer without rows and columns": re.compile(
            r"Dimension out of range|not enough values to unpack|too many indices"),
        "another dtype than img's": re.compile(
            r"same dtype|[Dd]ouble.*[Ff]loat|[Ff]loat.*[Dd]ouble"),
    },
    row={
        "signature": "deepdream_step(img, model, layer, learning_rate, ox, oy)",
        "shapes": "img (1, 3, H, W) in [0, 1], layer a name, learning_rate a number, ox and oy "
                  "whole numbers → (1, 3, H, W)",
        "gives": "a new picture in [0, 1] without a graph, like img in dtype and device; img and "
                 "the network stay as they were",
        "formula": "J = img rolled ox columns to the right and oy rows down; g = ∂(½ Σ a(J)²)/∂J, "
                   "a what the layer computes; J + learning_rate · g / mean\\|g\\|, rolled back and "
                   "clipped to [0, 1]; where g is 0 the picture stays",
        "defaults": "none",
        "units": "learning_rate is how far a value moves on average; ox and oy in pixels",
    })
