"""The check of `GuidedReLU`: what is tried, and what is said about known mistakes."""

import torch

from ...methods.saliency import backprop
from ..distance import relative_l2
from ..engine import Case, Exercise
from ..fixtures import numbers, specimens, tiny_images, tiny_net


def both_ways(function, x, gradient):
    x = x.requires_grad_()
    y = function.apply(x)
    if not torch.is_tensor(y):
        return {"forward result": y}
    saved = getattr(y.grad_fn, "saved_tensors", ())  # gone after the backward pass
    back, = torch.autograd.grad(y, x, gradient)
    return {"forward result": y.detach(), "backward result": back, "saved": saved}


def features(*shape, seed):
    """Values and gradients of both signs, none of them near 0, in every combination."""
    def build(device, dtype):
        x, gradient = 2 * numbers(2, *shape, seed=seed) - 1 + 1 / 512
        return {"x": x.to(device, dtype), "gradient": gradient.to(device, dtype)}
    return build


def through_network(function, image, target, model):
    return {"backward result": backprop(model, image, target, relu=function)}


def network_for(height, width, seed, target):
    return lambda device, dtype: {"image": tiny_images(1, height, width, device, dtype, seed),
                                  "target": target, "model": tiny_net(device, dtype)}


def specimen_for_relu(device, dtype):
    inputs = specimens([100], device, dtype)
    return {"image": inputs["X"], "target": int(inputs["y"]), "model": inputs["model"]}


# What PyTorch or Python raises where a class has no `apply` of a Function, or no backward.
NO_RULE = (NotImplementedError, AttributeError, TypeError)


def relu_without_rule(function, outcomes):
    """Three mistakes whose values alone do not tell them from others."""
    if not isinstance(function, type):
        return "the class itself not passed"
    errors = [outcome.error for outcome in outcomes.values() if outcome.error]
    if not all(isinstance(error, NO_RULE) for error in errors):
        return None  # something in the student's own lines, which says more
    if not (issubclass(function, torch.autograd.Function)
            and function.backward is not torch.autograd.Function.backward):
        return "plain ReLU"
    outputs = outcomes["feature maps"].outputs
    y, back = outputs.get("forward result"), outputs.get("backward result")
    if back is not None and back[y == 0].any() and any(torch.equal(y, x) for x in outputs["saved"]):
        return "sign of the output instead of the input"
    return None


GUIDED = Exercise(
    name="GuidedReLU", notebook="03_saliency",
    cases=[
        Case("feature maps", features(3, 4, 5, 7, seed=91), both_ways),
        Case("a vector in float64", features(40, seed=92), both_ways, torch.float64),
        Case("a whole network", network_for(9, 8, 92, 2), through_network),
        Case("a specimen", specimen_for_relu, through_network,
             tolerance=1e-2, distance=relative_l2, fingerprints=False),
    ],
    mistakes={
        "only the gradient clamped":
            "Only the gradient is clamped: that is the deconvnet's rule. Also ask where the input "
            "was positive on the way forward, x > 0.",
        "only the forward mask":
            "Only the forward mask is used: that is the gradient of any ReLU. Also drop negative "
            "gradients, for example with gradient.clamp(min=0).",
        "sign of the output instead of the input":
            "You saved the ReLU's output and ask where it is at least 0: that is everywhere. Save "
            "the input, and ask where x > 0.",
        "gradient doubled":
            "The gradient comes out twice as large. Pass it on once, unchanged where both signs "
            "are positive.",
        "the class itself not passed":
            "Pass the class itself, check.GuidedReLU(GuidedReLU), and not its apply, one of its "
            "instances, or a function. The check calls apply and looks at both ways.",
        "plain ReLU":
            "This is a ReLU like any other, with no rule of its own for the way back. Derive the "
            "class from torch.autograd.Function and write its backward.",
        "absolute gradient":
            "Negative gradients come through as positive ones. They should become 0: "
            "gradient.clamp(min=0), not abs().",
        "negative gradients kept":
            "The negative gradients pass and the positive ones do not. It is the other way round.",
        "mask upside down":
            "The gradient passes where the input was negative. It should pass where x > 0.",
        "size of the gradient lost":
            "The gradient became a mask of zeros and ones. Keep its size: multiply the gradient "
            "by the mask.",
        "gradient times the input":
            "The gradient is multiplied by the input itself. Multiply it by the mask x > 0, which "
            "is 0 or 1.",
        "no ReLU forward":
            "Forward passes everything on. It should be an ordinary ReLU, x.clamp(min=0); only "
            "backward is unusual.",
    },
    recognise=relu_without_rule,
    row={
        "signature": "class GuidedReLU(torch.autograd.Function)",
        "shapes": "any shape, the same forward and backward",
        "gives": "new tensors, like the input in dtype and device; the input stays as it was",
        "formula": "forward max(x, 0); backward g · [g > 0] · [x > 0]",
        "defaults": "none",
        "units": "those of x and of g",
    })
