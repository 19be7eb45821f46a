"""How the exercises that give a number are called: what it is, and what flows back from it."""

import torch


def measured(function, x, *given):
    """The value, its gradient with respect to x, and where that is NaN or infinite.

    x is watched, so it goes in as it is. Nothing flowing back is a gradient of 0.
    """
    leaf = x.requires_grad_()
    value = function(leaf, *given)
    if not torch.is_tensor(value) or not value.is_floating_point():
        return {"value": value}
    slope = None
    if value.requires_grad:
        slope, = torch.autograd.grad(value.sum(), leaf, allow_unused=True)
    slope = torch.zeros_like(leaf) if slope is None else slope
    return {"value": value, "gradient": slope.nan_to_num(0, 0, 0),
            "place of a NaN": ~slope.isfinite()}


def finite_alone(function, x, *given):
    """Where the gradient is NaN or infinite, and nothing else."""
    outputs = measured(function, x, *given)
    return {name: outputs[name] for name in ("place of a NaN",) if name in outputs}


def in_the_dtype_of_the_value(function, *given):
    """The gradient alone, in the dtype that the value has."""
    outputs = measured(function, *given)
    return {"gradient": outputs["gradient"].to(outputs["value"].dtype)} if (
        "gradient" in outputs) else outputs


def number_alone(observed, inputs):
    """Was a plain number returned, from which nothing can flow back?"""
    values = [outcome.outputs.get("value") for outcome in observed.outcomes.values()]
    return ("no gradient",) if any(isinstance(value, (int, float)) for value in values) else ()


CONSTANT = "large constant in the divisor"
NO_GRADIENT = {
    "no gradient":
        "No gradient flows back to what you measure, so no step could ever follow it. Return the "
        "tensor that torch computes: no .item(), .detach(), .data, NumPy or no_grad on the way.",
}
ANOTHER_DTYPE = {
    "another dtype than the input's":
        "With float64 the value should be float64: make no float32 tensors of your own.",
}
