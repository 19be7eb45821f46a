"""The check of `GuidedReLU`: what is tried, and what is said about known mistakes."""

import re

import torch

from ...methods.saliency import backprop
from ..distance import relative_l2
from ..exercise import Case, Exercise, Trap
from ..fixtures import picture, tiny_weights
from ..inputs import Network
from ..observe import Odd
from .gallery import pictures


def both_ways(function, x, gradient):
    """Forward, then backward. x and gradient are watched, so they go in as they are."""
    leaf = x.requires_grad_()
    y = function.apply(leaf)
    if not torch.is_tensor(y):
        return {"forward result": y}
    saved = getattr(y.grad_fn, "saved_tensors", ())  # gone after the backward pass
    result = {"forward result": y.detach(),
              "the output was saved": any(torch.equal(y, s) for s in saved if s is not None)}
    back, = torch.autograd.grad(y, leaf, gradient, allow_unused=True)
    return {**result, "backward result": back}


def two_at_once(function, x, gradient):
    """Two forward passes before the first backward pass, as in any network with two ReLUs."""
    leaf, other = x.clone().requires_grad_(), (-x).flip(0).clone().requires_grad_()
    y, _ = function.apply(leaf), function.apply(other)
    back, = torch.autograd.grad(y, leaf, gradient)
    return {"backward result": back}


def features(*shape, seed):
    """Values and gradients from -4 to 4, of both signs and exactly 0, in every combination."""
    def inputs(numbers):
        x, gradient = ((8 * numbers(*shape, seed=seed + i) - 4).view(-1) for i in (0, 1))
        x[::5], gradient[::7] = 0.0, 0.0
        gradient[:70:35] = 1.5  # where x is 0, too, something arrives from above
        gradient[5::35] = -0.75
        return {"x": x.view(shape), "gradient": gradient.view(shape)}
    return inputs


def through_network(function, image, target, model):
    return {"backward result": backprop(model, image, target, relu=function)}


def network_for(height, width, seed, target):
    return lambda numbers: {"image": picture(numbers, 1, height, width, seed), "target": target,
                            "model": Network("tiny", tiny_weights(numbers))}


def specimen_for_relu(numbers):
    image, label = pictures([100])
    return {"image": image, "target": int(label), "model": Network("specimens")}


# What PyTorch or Python raises where a class has no `apply` of a Function, or no backward.
NO_RULE = ("NotImplementedError", "AttributeError", "TypeError")


def facts_of(function):
    """What kind of thing was passed, and whether it has a rule of its own."""
    is_class = isinstance(function, type)
    is_function = is_class and issubclass(function, torch.autograd.Function)
    return {"a class": is_class, "a Function": is_function,
            "own backward": is_function
            and function.backward is not torch.autograd.Function.backward,
            "looks like backward": [name for name in vars(function) if is_class
                                    and name != "backward" and name.startswith("back")]
            if is_class else []}


def relu_without_rule(observed, inputs):
    """Mistakes that the values alone do not tell from others."""
    facts, outcomes = observed.facts, observed.outcomes
    problems = [problem for case in ("feature maps", "a vector")
                if (problem := outcomes[case].problem)]
    if any(problem.kind not in NO_RULE for problem in problems):
        return ()  # something in the student's own lines, which says more
    if not facts["a class"]:
        return ("the class itself not passed",)
    if not facts["a Function"]:
        return ("plain ReLU",)
    if not facts["own backward"]:
        return ("backward misspelt",) if facts["looks like backward"] else ("plain ReLU",)
    outputs = outcomes["feature maps"].outputs
    back = outputs.get("backward result")
    y = outputs.get("forward result")
    if isinstance(back, Odd) and back.kind == "NoneType":
        return ("backward without return",)
    if (torch.is_tensor(back) and torch.is_tensor(y) and back.shape == y.shape
            and outputs.get("the output was saved") and back[y == 0].any()):
        return ("sign of the output instead of the input",)
    return ()


GUIDED = Exercise(
    name="GuidedReLU", notebook="03_saliency", parameters=(),
    facts=facts_of, recognise=relu_without_rule,
    cases=(
        Case("feature maps", features(2, 3, 2, 6, seed=91), both_ways),
        Case("a vector", features(71, seed=95), both_ways),
        Case("a whole network", network_for(9, 8, 92, 2), through_network, tiny=False),
        Case("a specimen", specimen_for_relu, through_network, tolerance=1e-2,
             distance=relative_l2, tiny=False),
    ),
    traps=(
        Trap("state outside ctx", "feature maps", call=two_at_once),
        Trap("another dtype than x's", "a vector", dtype=torch.float64),
    ),
    mistakes={
        "the class itself not passed":
            "Pass the class itself, check.GuidedReLU(GuidedReLU), and not its apply, one of its "
            "instances, or a function. The check calls apply and looks at both ways.",
        "plain ReLU":
            "This is a ReLU like any other, with no rule of its own for the way back. Derive the "
            "class from torch.autograd.Function and write its backward.",
        "backward misspelt":
            "PyTorch calls a method named backward, and there is none: look at its spelling.",
        "staticmethod forgotten":
            "forward and backward are called on the class, not on an object: write @staticmethod "
            "above each.",
        "backward without return":
            "backward returns nothing, so no gradient arrives below. End it in `return`.",
        "nothing saved":
            "backward finds nothing to ask: in forward, call ctx.save_for_backward(x).",
        "ctx.saved_tensors is a tuple":
            "ctx.saved_tensors is a tuple, also of one: x, = ctx.saved_tensors.",
        "several gradients returned":
            "backward returns one gradient for each argument of forward: here one, that of x.",
        "no ReLU forward":
            "Forward passes everything on. It should be an ordinary ReLU, x.clamp(min=0); only "
            "backward is unusual.",
        "forward cut at an upper bound":
            "Forward also cuts large values. It should be max(x, 0), without an upper bound.",
        "mask instead of the ReLU forward":
            "Forward returns ones and zeros. It should be max(x, 0).",
        "absolute value forward":
            "Forward returns the absolute value. It should be max(x, 0).",
        "leaky forward":
            "Forward lets a part of negative values through. It should be max(x, 0).",
        "only the gradient clamped":
            "Only the gradient is clamped: that is the deconvnet's rule. Also ask where the input "
            "was positive on the way forward, x > 0.",
        "only the forward mask":
            "Only the forward mask is used: that is the gradient of any ReLU. Also drop negative "
            "gradients, for example with gradient.clamp(min=0).",
        "neither mask":
            "The gradient passes unchanged. Keep it where it is positive and where x > 0.",
        "sign of the output instead of the input":
            "You saved the ReLU's output and ask where it is at least 0: that is everywhere. Save "
            "the input, and ask where x > 0.",
        "mask also where the input is 0":
            "The gradient also passes where the input is exactly 0. It should pass where x > 0.",
        "mask upside down":
            "The gradient passes where the input was negative. It should pass where x > 0.",
        "gradient cut at 1":
            "The gradient is cut at 1. Drop what is negative, gradient.clamp(min=0), and leave "
            "what is positive as it is.",
        "absolute gradient":
            "Negative gradients come through as positive ones. They should become 0: "
            "gradient.clamp(min=0), not abs().",
        "negative gradients kept":
            "The negative gradients pass and the positive ones do not. It is the other way round.",
        "either instead of both":
            "The gradient passes where one of the two is positive. Both have to be: use `&`.",
        "size of the gradient lost":
            "The gradient became a mask of zeros and ones. Keep its size: multiply the gradient "
            "by the mask.",
        "the input passed back":
            "The input comes back in place of the gradient. Multiply the gradient by the mask "
            "x > 0.",
        "gradient times the input":
            "The gradient is multiplied by the input itself. Multiply it by the mask x > 0, which "
            "is 0 or 1.",
        "gradient doubled":
            "The gradient comes out twice as large. Pass it on once, unchanged where both signs "
            "are positive.",
        "gradient's sign turned":
            "The gradient comes out with the opposite sign.",
        "state outside ctx":
            "What forward keeps is overwritten by the next ReLU's forward. Keep it in ctx "
            "(ctx.save_for_backward), which every call has for itself.",
        "another dtype than x's":
            "With a float64 input the results should be float64: make no float32 tensors of your "
            "own.",
    },
    errors={
        "staticmethod forgotten": re.compile(r"Legacy autograd function|missing 1 required "
                                             r"positional argument|non-static (forward|backward)"),
        "backward without return": re.compile(r"returned an incorrect number of gradients "
                                              r"\(expected 1, got 0\)|appears to not have been "
                                              r"used in the graph"),
        "several gradients returned": re.compile(r"incorrect number of gradients"),
        "nothing saved": re.compile(r"not enough values to unpack|tuple index out of range"),
        "ctx.saved_tensors is a tuple": re.compile(r"'tuple'|not supported between instances"),
    },
    row={
        "signature": "class GuidedReLU(torch.autograd.Function)",
        "shapes": "any shape, the same forward and backward",
        "gives": "new tensors, like the input in dtype and device; the input stays as it was",
        "formula": "forward max(x, 0); backward g · [g > 0] · [x > 0]",
        "defaults": "none",
        "units": "those of x and of g",
    })
