"""The graded cells of notebook 01, in the order of the notebook.

Networks, sizes and values differ from the visible check's: who recognises those wins nothing here.
"""

import torch

from cs_vis.checks.filters_and_activations import FIELD, FILTERS, MAPS, PATCHES
from cs_vis.checks.filters_and_activations.field import (BARE, CONV, EDGED, NUMBERS, POOL,
                                                          SPARSE, WIDE, row_of)
from cs_vis.checks.filters_and_activations.filters import (FLAT, NEAR_SMALL, SMALL, filters,
                                                            with_flat)
from cs_vis.checks.filters_and_activations.maps import chain as chain_of
from cs_vis.checks.filters_and_activations.maps import SHORT, guarded, lent
from cs_vis.checks.filters_and_activations.patches import CUTS, SPOTS, below_0, clear
from cs_vis.checks.fixtures import chain_weights, drawn, picture, tiny_weights
from cs_vis.checks.inputs import Leaf, Network, live
from cs_vis.grading.hidden import Cell, Visible, off_by, until
from cs_vis.methods.field import Box, crop, windows
from cs_vis.models import activations
from cs_vis.reference import filters_and_activations as reference

NEAR = 1e-5  # in float32, as notebooks are, of the length of what is right
NEAR_FILTERS = (1e-4, 1e-4, NEAR_SMALL)  # as near as in the check: 1e-6 in the divisor is right


def whole(generator, low, high):
    return int(torch.randint(low, high, (1,), generator=generator))


# --- filters_to_images

def three_banks(generator):
    """A Parameter, one with flat filters, and small weights."""
    noise = drawn(generator)
    return [{"weight": Leaf(filters(7, 3, 5, 3, seed=0)(noise)["weight"])},
            with_flat(filters(4, 3, 3, 2, seed=0)(noise)),
            filters(6, 3, 4, 4, seed=0, size=SMALL, shift=1.25)(noise)]


def judge_filters(trials):
    for place, trial in enumerate(trials):
        result, right = trial.outputs.get("result"), trial.right["result"].clone()
        if torch.is_tensor(result) and result.shape == right.shape and place == 1:
            for flat in FLAT:  # in which grey is nobody's mistake
                grey = result[flat].flatten()[0]
                right[flat] = grey if 0 <= grey <= 1 else 0
        if not off_by(result, right) < NEAR_FILTERS[place]:
            return "on fresh filters, the pictures differ from the definition's"
    return None


filters_check = Visible(FILTERS)
fresh_filters = Cell(FILTERS, reference.filters_to_images, FILTERS.cases[0].name,
                     "three fresh banks of filters, one with filters of one value, one a "
                     "Parameter", three_banks, judge_filters, torch.float32)


# --- activation_maps

IN_PLACE = (("conv", 3, 1, 1), ("relu_", 1, 1, 0), ("conv", 3, 2, 1), ("norm", 1, 1, 0),
            ("relu_", 1, 1, 0), ("pool", 2, 2, 0))


def overwritten(generator):
    return [chain_of(height, width, 0, layer, IN_PLACE, (6, 8))(drawn(generator))
            for height, width, layer in ((7, 10, "features.0"), (9, 8, "features.3"))] + [
        chain_of(5, 6, 0, "features.0", SHORT, (1,))(drawn(generator))]


def guarded_nets(generator):
    """With layers that behave otherwise in train mode; and one that is in training."""
    noise = drawn(generator)
    return [guarded(chain_of(8, 11, 0, layer, IN_PLACE, (5, 4))(noise))
            for layer in ("features.5", "features.2")] + [
        {"model": Network("tiny", tiny_weights(noise), guarded=True), "layer": "pool",
         "image": picture(noise, 1, 6, 9, 0)},
        lent(chain_of(9, 10, 0, "features.5", IN_PLACE, (4, 6))(noise)),
        guarded(chain_of(3, 3, 0, "features.1", SHORT, (4,))(noise))]


def judge_maps(words):
    def judge(trials):
        for trial in trials:
            if not off_by(trial.outputs.get("result"), trial.right["result"]) < NEAR:
                return f"{words}, the maps differ from what the layer gives"
            if trial.outputs["left behind"]:
                return f"{words}, the network is not as it was"
        return None
    return judge


maps_check = Visible(MAPS)
in_place = Cell(MAPS, reference.activation_maps, MAPS.cases[0].name,
                "three layers of fresh networks whose ReLUs write in place, in float32, one with "
                "one channel", overwritten,
                judge_maps("where a later layer writes in place"), torch.float32)
leaves_nothing = Cell(MAPS, reference.activation_maps, MAPS.cases[0].name,
                      "five layers of fresh networks, with batch norm and dropout or in "
                      "training, which must be as they were: the same hooks, mode and weights",
                      guarded_nets,
                      judge_maps("after the call"), torch.float32)


# --- receptive_field

BARE_POOL = ((2, 3), (2, 2), (0, 0))


def rows(*kinds):
    """Fresh layers of these kinds, until no number of theirs hides a slip."""
    def draw(generator):
        return [until(lambda: row_of(*kind, seed=0)(drawn(generator)), tells) for kind in kinds]
    return draw


def tells(given) -> bool:
    """Is there more than one kernel, and padding, if any, where strides count?"""
    kernels, strides, paddings = zip(*given["layers"])
    return len(set(kernels)) > 1 and (not sum(paddings) or sum(paddings) > 1 and paddings[-1] > 0)


def judge_field(words):
    def judge(trials):
        for given, right, outputs in trials:
            if not all(bool(outputs.get(name, torch.tensor(False)))
                       for name in ("three numbers", "whole numbers")):
                return f"{words}, it should return three whole numbers: size, stride, start"
            if not outputs["layers as they were"]:
                return f"{words}, the list of layers is changed"
            for name in NUMBERS:
                if outputs[name] != right[name]:
                    return (f"{words}, the {name} for {given['layers']} is "
                            f"{outputs[name]:g} and should be {right[name]:g}")
        return None
    return judge


field_check = Visible(FIELD)
plain_field = Cell(FIELD, reference.receptive_field, FIELD.cases[0].name,
                   "two fresh rows of convolutions and pools without padding",
                   rows((BARE, BARE, BARE_POOL, BARE), (BARE, SPARSE, BARE_POOL) + 3 * (BARE,)
                        + (BARE_POOL, BARE, BARE)),
                   judge_field("for convolutions and pools without padding"))
mixed_field = Cell(FIELD, reference.receptive_field, FIELD.cases[0].name,
                   "three fresh rows of convolutions and pools with padding",
                   rows((CONV, POOL, SPARSE, WIDE, POOL, CONV), (WIDE, POOL, CONV, POOL, CONV),
                        (CONV, EDGED, POOL, BARE, EDGED, CONV, POOL, EDGED, CONV, CONV)),
                   judge_field("for convolutions and pools with padding"))


# --- max_activating_patches

NET = (("conv", 6, 2, 1), ("relu_", 1, 1, 0), ("pool", 3, 3, 0), ("conv", 3, 1, 1))


def asked(generator, n, height, width, layer, k, change=dict):
    """A fresh network, with fresh pictures that have a clear order."""
    def draw():
        noise = drawn(generator)
        return change({
            "model": Network("chain", chain_weights(noise, 0, NET, (6, 7)), plan=NET),
            "images": picture(noise, n, height, width, 0), "layer": layer,
            "channel": whole(generator, 1, 5), "k": k})
    return until(draw, lambda given: clear(None, given))


def several(generator):
    return [asked(generator, 7, 31, 25, "features.3", 4),
            asked(generator, 4, 15, 22, "features.0", 4),
            asked(generator, 5, 28, 21, "features.3", 3, below_0),
            asked(generator, 3, 19, 24, "features.3", 1)]


def judge_places(trials):
    for trial in trials:
        places = trial.outputs.get(SPOTS)
        if not torch.is_tensor(places) or not torch.equal(places, trial.right[SPOTS]):
            return "on fresh pictures and networks, the places differ from the largest ones"
        if not trial.outputs["whole numbers"]:
            return "on fresh pictures and networks, the places are no whole numbers"
    return None


def judge_patches(trials):
    """At the places that came back, which the cell before has judged."""
    for given, right, outputs in trials:
        places, patches = outputs.get(SPOTS), outputs.get(CUTS)
        there = torch.is_tensor(places) and places.shape == right[SPOTS].shape
        if not there or not off_by(patches, cut(given, places, right[CUTS])) < NEAR:
            return ("on fresh pictures and networks, the patches differ from what the units can "
                    "see, white outside the picture")
    return None


def cut(given, places, right):
    """What the units at these places see; `right` patches where there are no such units."""
    model, images = live(given["model"], "cpu", torch.float64), given["images"]
    maps = activations(model, images, given["layer"])[given["layer"]]
    bounds = torch.tensor([len(maps), *maps.shape[2:]])
    if not ((places >= 0) & (places < bounds)).all():
        return right
    size, stride, start = reference.receptive_field(windows(model, given["layer"]))
    return torch.cat([
        crop(images[i:i + 1], Box(top, top + size, left, left + size))
        for i, row, col in places.long().tolist()
        for top, left in [(start + row * stride, start + col * stride)]])


patches_check = Visible(PATCHES, fits=clear)
found_places = Cell(PATCHES, reference.max_activating_patches, PATCHES.cases[0].name,
                    "image, row and column, on four fresh networks and sets of pictures", several,
                    judge_places, torch.float32)
cut_patches = Cell(PATCHES, reference.max_activating_patches, PATCHES.cases[0].name,
                   "the patches at the places that come back, also at the border, on four fresh "
                   "networks and sets of pictures", several, judge_patches, torch.float32)
