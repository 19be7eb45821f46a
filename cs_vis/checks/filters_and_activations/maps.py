"""The check of `activation_maps`: what is tried, and what is said about known mistakes."""

import re

import torch

from ..distance import relative_l2
from ..exercise import Case, Exercise, Trap
from ..fixtures import chain_weights, picture, tiny_weights
from ..harm import harms_between, state_of
from ..inputs import Network


def mapped(function, model, image, layer):
    """The maps, and whether something was left behind on the network."""
    before = state_of({"model": model, "image": image})
    result = function(model, image, layer)
    after = state_of({"model": model, "image": image})
    return {"result": result, "left behind": bool(harms_between(before, after))}


def after_another(function, model, image, layer):
    """A second call on the same network, after one with another picture."""
    function(model, image.flip(2, 3), layer)
    return mapped(function, model, image, layer)


def recognise(observed, inputs):
    """The same maps, whatever network and layer is asked for: those of the first call."""
    found = [observed.outcomes[name].outputs.get("result") for name in inputs
             if name in observed.outcomes]
    same = len(found) > 1 and all(torch.is_tensor(x) for x in found) and all(
        torch.equal(x, found[0]) for x in found)
    return ("something kept between calls",) if same and found[0].numel() > 1 else ()


def tiny(height, width, seed, layer):
    return lambda numbers: {"model": Network("tiny", tiny_weights(numbers, seed)),
                            "image": picture(numbers, 1, height, width, seed), "layer": layer}


def chain(height, width, seed, layer, plan, widths=(5, 7, 6)):
    """A network of layers in a row, some of which write in place."""
    return lambda numbers: {
        "model": Network("chain", chain_weights(numbers, seed, plan, widths), plan=plan),
        "image": picture(numbers, 1, height, width, seed), "layer": layer}


def specimen(numbers):
    return {"model": Network("specimens"), "image": picture(numbers, 1, 48, 64, 8),
            "layer": "conv2_2"}


def lent(inputs):
    return {**inputs, "model": inputs["model"]._replace(lent=True)}


def guarded(inputs):
    return {**inputs, "model": inputs["model"]._replace(guarded=True)}


FIRST = "a convolution"
OVERWRITTEN = ("a layer that a later one writes over", "such a layer, deeper down")
PLAN = (("conv", 3, 1, 1), ("relu_", 1, 1, 0), ("average", 2, 2, 0), ("conv", 3, 1, 0),
        ("relu_", 1, 1, 0))
SHORT = (("conv", 3, 1, 0), ("relu_", 1, 1, 0))
DEEPER = (("conv", 3, 1, 1), ("relu", 1, 1, 0), ("conv", 2, 2, 0), ("average", 2, 1, 0),
          ("relu_", 1, 1, 0), ("conv", 3, 1, 1))
MAPS = Exercise(
    name="activation_maps", notebook="01_filters_and_activations",
    parameters=("model", "image", "layer"), recognise=recognise,
    cases=(
        Case(FIRST, tiny(6, 8, 831, "conv2"), mapped),
        Case("a pool", tiny(7, 4, 833, "pool"), mapped),
        Case("a layer with a dot in its name", chain(8, 6, 835, "features.2", PLAN), mapped),
        Case(OVERWRITTEN[0], chain(7, 9, 837, "features.0", PLAN), mapped),
        Case(OVERWRITTEN[1], chain(9, 6, 839, "features.3", DEEPER, (4, 6, 3)), mapped),
        Case("a layer with one channel", chain(6, 5, 841, "features.0", SHORT, (1,)), mapped),
        Case("maps of one value each", chain(3, 3, 843, "features.0", SHORT), mapped),
        Case("a network in training, with a hook of somebody else's",
             lambda numbers: lent(tiny(8, 7, 845, "conv1")(numbers)), mapped),
        Case("a specimen network", specimen, mapped, tolerance=1e-3, distance=relative_l2,
             tiny=False),
    ),
    traps=(
        Trap("something kept between calls", FIRST, call=after_another, unless=("hooks left",)),
        Trap("another dtype than the network's", FIRST, dtype=torch.float64),
        Trap("train mode while it runs", FIRST, guarded, unless=("model switched to train mode",)),
    ),
    errors={"backward pass": re.compile("does not require grad")},
    mistakes={
        "backward pass":
            "There is a backward pass, and maps need no gradient: leave backward() away.",
        "parameters in another order":
            "The parameters stand in another order than in the notebook: "
            "activation_maps(model, image, layer).",
        "written over by a later layer":
            "Where a ReLU works in place, as in most ImageNet networks, it has written over your "
            "maps before you return them: what was below 0 is 0. Keep a copy in the hook, "
            "output.clone().",
        "what goes into the layer":
            "These are the maps that go into the layer, and should be those that come out of it: "
            "a forward hook is called with (module, inputs, output), and you want the last.",
        "layer after":
            "These are the maps of the layer after the one asked for. Put the hook on the module "
            "of that name, find_layer(model, layer).",
        "same layer for all":
            "The same layer is read, whatever is asked for. Take the one of that name, "
            "find_layer(model, layer).",
        "scores of the network":
            "What the network returns at its end comes back. The maps of a layer inside are what "
            "the hook is given: keep its third argument.",
        "batch axis left":
            "The axis of images is still there: (1, C, h, w). There is one image: take [0].",
        "axes of length 1 lost":
            "Where a layer has one channel, or its maps one value, these axes are gone too: "
            "squeeze() takes every axis of length 1. Take [0], or squeeze(0).",
        "one map only":
            "Only one map comes back. Return those of all channels, (C, h, w): of (1, C, h, w), "
            "[0] is the first image.",
        "mean over the channels":
            "The maps are averaged to one, or the largest or the sum of them is taken. Return "
            "those of all channels, (C, h, w).",
        "one number for each channel":
            "Each map is reduced to one number. Return the maps themselves, (C, h, w).",
        "channels last":
            "The channels have become the last axis. Leave them in front, (C, h, w).",
        "rows and columns exchanged":
            "Rows and columns are exchanged. Leave the axes as they are, (C, h, w).",
        "rectified":
            "What is below 0 was cut off. Return what the layer gives, as it is.",
        "absolute values":
            "The signs are lost. Return what the layer gives, as it is.",
        "each map scaled by itself":
            "Each map is stretched to [0, 1]. Return what the layer gives, as it is; maps can be "
            "scaled where they are shown.",
        "all maps scaled together":
            "The maps are stretched to [0, 1]. Return what the layer gives, as it is; maps can be "
            "scaled where they are shown.",
        "enlarged to the picture":
            "The maps are as large as the picture. Return them as they are; they can be enlarged "
            "where they are shown.",
        "something kept between calls":
            "A second call on the same network gives something else than the first: what the "
            "first has kept is still there. Make the list or dict for the hook inside your "
            "function, anew for each call.",
        "train mode while it runs":
            "The network ran in train mode, where dropout and batch norm change what layers "
            "compute. Leave its mode alone.",
    },
    notes={
        "another dtype than the network's":
            "with a float64 network the maps are not float64, and should be: it helps to return "
            "what the hook is given.",
    },
    row={
        "signature": "activation_maps(model, image, layer)",
        "shapes": "image (1, 3, H, W), layer a name → (C, h, w)",
        "gives": "what the layer computes, like the network in dtype and device, also where a "
                 "later layer writes over it; no hook stays, and the network is as it was",
        "formula": "the output of the layer of that name in model(image), for the one image",
        "defaults": "none",
        "units": "those of the layer",
    })
