"""The check of `receptive_field`: what is tried, and what is said of mistakes."""

from numbers import Real

import torch

from ...require import is_whole, number_in
from ..exercise import Case, Exercise
from .reading import slips_of

NUMBERS = ("size", "stride", "start")
HABITS = {"no whole numbers": "whole numbers", "list changed": "layers as they were"}


def seen(function, layers, like):
    """The three numbers, each by itself, and whether they are whole; as tensors like `like`."""
    given = [tuple(layer) for layer in layers]
    result = function(given)
    several = isinstance(result, (tuple, list)) or torch.is_tensor(result) and result.ndim
    numbers = [number_of(x) for x in result] if several else []
    there = len(numbers) == 3 and None not in numbers
    truths = {"three numbers": there,
              "layers as they were": given == [tuple(layer) for layer in layers],
              "whole numbers": there and all(isinstance(x, int) for x in numbers)}
    found = {name: like.new_tensor(float(x)) for name, x in zip(NUMBERS, numbers)} if there else {}
    return found | {name: like.new_tensor(x, dtype=torch.bool) for name, x in truths.items()}


def number_of(value):
    """An int or a float, of whatever kind the number was; None of what is none."""
    value = number_in(value)
    if is_whole(value):
        return int(value)
    return float(value) if isinstance(value, Real) and not isinstance(value, bool) else None


def row_of(*layers, seed):
    """Each layer's (kernel, stride, padding), drawn between the bounds (low, high) of each."""
    def inputs(numbers):
        drawn = numbers(len(layers), 3, seed=seed) if layers else []
        return {"like": torch.zeros((), dtype=torch.float64),
                "layers": [tuple(low + int(x * (high - low + 1))
                                 for x, (low, high) in zip(row.tolist(), bounds))
                           for row, bounds in zip(drawn, layers)]}
    return inputs


def recognise(observed, inputs):
    """What was returned at all, and the rule by which it was counted."""
    outcomes = {name: observed.outcomes[name] for name in inputs if name in observed.outcomes}
    if any(outcome.problem for outcome in outcomes.values()):
        return ()
    found = {name: outcome.outputs for name, outcome in outcomes.items()
             if outcome.outputs["three numbers"]}
    if outcomes.keys() - found.keys() - {EMPTY}:
        return ("not three numbers",)
    nothing = ("nothing for no layer",) if len(found) < len(outcomes) else ()
    slips = slips_of([(inputs[name]["layers"], tuple(outputs[number].item() for number in NUMBERS))
                      for name, outputs in found.items()])
    habits = [name for name, output in HABITS.items()
              if not all(outputs[output] for outputs in found.values())]
    return (*nothing, *(slips or (habits if slips == () else ())))


BARE, EDGED = ((3, 7), (1, 1), (0, 0)), ((1, 1), (1, 2), (1, 3))
CONV, WIDE, POOL = ((3, 7), (1, 1), (0, 3)), ((4, 7), (2, 3), (1, 3)), ((2, 3), (2, 2), (0, 1))
POINT, SPARSE = ((1, 1), (1, 1), (0, 0)), ((1, 1), (2, 3), (0, 0))
EMPTY = "no layer at all"
FIELD = Exercise(
    name="receptive_field", notebook="01_filters_and_activations", parameters=("layers",),
    recognise=recognise,
    cases=(
        Case("one convolution", row_of(CONV, seed=851), seen),
        Case("three convolutions", row_of(CONV, CONV, CONV, seed=852), seen),
        Case("convolutions and pools", row_of(CONV, POOL, CONV, CONV, POOL, CONV, seed=853), seen),
        Case("a first layer with a stride", row_of(WIDE, POOL, CONV, CONV, seed=854), seen),
        Case("kernels of 1, and strides longer than kernels",
             row_of(POINT, CONV, SPARSE, CONV, POINT, POOL, CONV, seed=855), seen),
        Case("kernels of 1 with padding", row_of(EDGED, CONV, CONV, EDGED, BARE, seed=857), seen),
        Case("eleven layers", row_of(CONV, POOL, CONV, CONV, POINT, BARE, CONV, EDGED, CONV, CONV,
                                     CONV, seed=858), seen),
        Case(EMPTY, row_of(seed=856), seen),
    ),
    mistakes={
        "not three numbers":
            "Return three numbers, (size, stride, start), in this order: return size, stride, "
            "start.",
        "nothing for no layer":
            "For an empty list nothing comes back, and should (1, 1, 0). Perhaps return stands "
            "inside the loop: put it after the loop.",
        "another order of the three":
            "The three numbers stand in another order. Return size, stride, start.",
        "numbers of a layer exchanged":
            "The three numbers of a layer are unpacked in another order. They are (kernel, "
            "stride, padding).",
        "stride not multiplied":
            "The stride is not the product of all strides. Each layer multiplies it: from one "
            "unit to the next it is stride · s pixels.",
        "stride updated too early":
            "The stride is multiplied before it is used. A layer's kernel and padding count in "
            "steps of the layer before: multiply the stride last.",
        "kernels without the stride":
            "A layer's kernel counts as so many pixels, and should count in steps of the layer "
            "before: size += (k - 1) * stride.",
        "kernel instead of kernel minus 1":
            "A whole kernel is added each time. The first of its k values lies within what is "
            "seen already: size += (k - 1) * stride.",
        "kernel times the layer's own stride":
            "A kernel counts in steps of the layer before, and not of its own: size += (k - 1) * "
            "stride, with the stride of all layers before.",
        "kernels multiplied":
            "The size is a product of kernels. Each layer adds to it: size += (k - 1) * stride.",
        "last kernel only":
            "The size is that of the last layer's kernel. Each layer adds to it: size += (k - 1) "
            "* stride.",
        "layers counted from the last":
            "The layers are gone through from the last to the first. A stride counts for the "
            "layers after it: begin with the first.",
        "size and stride by the rule from the last layer":
            "(size - 1) times a stride, + k, is the rule for going from the last layer to the "
            "first. From the first to the last it is size += (k - 1) * stride.",
        "half kernels on both sides":
            "k // 2 is counted on both sides, which is k - 1 for odd kernels alone: size += "
            "(k - 1) * stride.",
        "padding in the size":
            "The padding is part of the size. It moves where the field begins, and makes it "
            "neither larger nor smaller.",
        "start always 0":
            "The start is always 0. Padding moves it: start -= p * stride, so that the first unit "
            "sees so much of the border.",
        "start has the opposite sign":
            "The start has the opposite sign. Padding lies before the picture, where rows are "
            "below 0: start -= p * stride.",
        "padding without the stride":
            "A layer's padding counts as so many pixels for the start, and should count in steps "
            "of the layer before: start -= p * stride.",
        "padding times the layer's own stride":
            "The padding counts in steps of its own layer for the start, and should count in "
            "those of the layer before: start -= p * stride.",
        "padding twice":
            "The padding is counted twice in the start. It lies on both sides, and the start is "
            "on one of them: start -= p * stride.",
        "last padding only":
            "The start knows one layer's padding only. Each layer adds its own: start -= p * "
            "stride.",
        "centre instead of the start":
            "This is the centre of the field, or half a kernel is part of the start. The start is "
            "its first pixel: start -= p * stride, whatever the kernel.",
        "size one too large":
            "The size is one too large. It begins with 1, a pixel, and each layer adds (k - 1) * "
            "stride.",
        "size one too small":
            "The size is one too small. It begins with 1, a pixel, and each layer adds (k - 1) * "
            "stride.",
        "first layer left out":
            "The first layer is left out.",
        "last layer left out":
            "The last layer is left out. The list ends with the layer that is asked for.",
        "one layer only":
            "One layer alone is counted. Go through all of them; perhaps return stands inside the "
            "loop, or each layer begins anew with (1, 1, 0).",
        "kernels of 1 left out":
            "Layers with a kernel of 1 are left out. They add nothing to the size, but their "
            "stride and padding count.",
        "no whole numbers":
            "The numbers are right, but floats: pixels are counted in whole numbers, so use // "
            "instead of /, and no float to begin with.",
        "list changed":
            "The list of layers is another afterwards: shorter or longer, in another order, or "
            "with other layers. Go through it with for, and change a copy of it alone.",
    },
    row={
        "signature": "receptive_field(layers)",
        "shapes": "layers a list of (kernel, stride, padding), from the first to the one asked for "
                  "→ (size, stride, start)",
        "gives": "three whole numbers: unit (row, col) sees the rows start + row · stride … + "
                 "size, the end excluded, and columns likewise; layers stays as it was",
        "formula": "from (1, 1, 0), for each layer: size += (k − 1) · stride; start −= p · stride; "
                   "stride *= s",
        "defaults": "none; an empty list gives (1, 1, 0)",
        "units": "pixels of the picture; a start below 0: padding is seen",
    })
