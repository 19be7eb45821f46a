"""The check of `max_activating_patches`: what is tried, and what is said of mistakes."""

import re

import torch

from ...models import activations
from ..distance import comparable
from ..exercise import Case, Exercise, Trap
from ..fixtures import chain_weights, picture, tiny_weights
from ..inputs import Network, live
from .cutting import Seen, slips_of_patches, slips_of_places

SPOTS, CUTS = "tensor of places", "tensor of patches"  # as messages call them
FAR_BELOW = 64
CLEAR = 1e-2  # by how much the largest values differ


def shown(function, model, images, layer, channel, k):
    """Places and patches by themselves, whether both are there, and places whole numbers."""
    result = function(model, images, layer, channel, k)
    there = isinstance(result, (tuple, list)) and len(result) == 2
    two = images.new_tensor(there, dtype=torch.bool)
    if not there:
        return {"two tensors": two}
    patches, places = result
    whole = images.new_tensor(not (torch.is_tensor(places) and places.is_floating_point()),
                              dtype=torch.bool)
    if torch.is_tensor(places):
        places = places.to(images.dtype)
    return {"two tensors": two, SPOTS: places, CUTS: patches, "whole numbers": whole}


def tiny(n, height, width, seed, layer, channel, k):
    return lambda numbers: {
        "model": Network("tiny", tiny_weights(numbers, seed)),
        "images": picture(numbers, n, height, width, seed), "layer": layer, "channel": channel,
        "k": k}


def chain(n, height, width, seed, layer, channel, k, plan):
    return lambda numbers: {
        "model": Network("chain", chain_weights(numbers, seed, plan), plan=plan),
        "images": picture(numbers, n, height, width, seed), "layer": layer, "channel": channel,
        "k": k}


def below_0(given):
    """The same, with a bias that leaves the layer no value above 0."""
    network, name = given["model"], f"{given['layer']}.bias"
    weights = network.weights | {name: network.weights[name] - FAR_BELOW}
    return {**given, "model": network._replace(weights=weights)}


def specimen(numbers):
    return {"model": Network("specimens"), "images": picture(numbers, 3, 48, 64, 9),
            "layer": "conv2_1", "channel": 7, "k": 2}


def clear(case, inputs) -> bool:
    """Are the largest values apart, of each map and of those maxima? Ties are asked of nobody."""
    given = live(inputs, "cpu", torch.float64)
    maps = activations(given["model"], given["images"], given["layer"])[given["layer"]]
    x = maps[:, given["channel"]].flatten(1).sort(dim=1, descending=True).values
    apart = [x[:, 0] - x[:, 1], x[:, 0].sort().values.diff()]
    return bool(torch.cat(apart).min() > CLEAR * (x - x.mean()).abs().max())


def guarded(inputs):
    return {**inputs, "model": inputs["model"]._replace(guarded=True)}


def recognise(observed, inputs):
    """What was returned at all, how places were found, and how patches were cut there."""
    outcomes = {name: observed.outcomes[name] for name in TINY if name in observed.outcomes}
    found = [outcome.outputs for outcome in outcomes.values()]
    if any(outcome.problem for outcome in outcomes.values()):
        return ()
    if not all(out.get("two tensors", torch.tensor(False)) for out in found):
        return ("not two tensors",)
    if not all(torch.is_tensor(out[name]) for out in found for name in (SPOTS, CUTS)):
        return ()
    if all(out[CUTS].ndim == 2 and out[SPOTS].ndim == 4 for out in found):
        return ("places before patches",)
    if ONE in outcomes and outcomes[ONE].outputs[CUTS].ndim == 3:
        return ("axis lost where k is 1",)
    if not all(out[CUTS].ndim == 4 and out[SPOTS].ndim == 2 for out in found):
        return ()
    if all(len(out[SPOTS]) == len(inputs[name]["images"]) for out, name in zip(found, outcomes)):
        return ("all images",)
    habits = () if all(out["whole numbers"] for out in found) else ("places are floats",)
    cases = [Seen(live(inputs[name], "cpu", torch.float64), comparable(outcome.outputs[SPOTS]),
                  comparable(outcome.outputs[CUTS])) for name, outcome in outcomes.items()]
    places = slips_of_places(cases)
    if places is None and all(len(case.found) == len(case.right) for case in cases) and any(
            not case.found[:, 1:].any() and case.right[:, 1:].any() for case in cases):
        places = ("values below 0 left out",)  # all alike there, so any order of images may be
    if all(case.patches.shape[1] == case.maps.shape[1] for case in cases):
        return (*(places or ()), *habits, "patches of the layer's maps")
    return (*(places or ()), *habits, *(slips_of_patches(cases) or ()))


WIDE = (("conv", 5, 2, 2), ("relu_", 1, 1, 0), ("pool", 2, 2, 0), ("conv", 3, 1, 1),
        ("relu", 1, 1, 0), ("conv", 3, 1, 0))
FIRST = "a convolution after a pool"
ONE = "a single patch"
TINY = (FIRST, "a first layer with a stride", "a layer further down", "all of the images",
        "a channel that is nowhere above 0", ONE)
PATCHES = Exercise(
    name="max_activating_patches", notebook="01_filters_and_activations",
    parameters=("model", "images", "layer", "channel", "k"), recognise=recognise,
    cases=(
        Case(FIRST, tiny(5, 12, 18, 965, "conv2", 3, 3), shown),
        Case(TINY[1], chain(4, 17, 13, 876, "features.0", 2, 2, WIDE), shown),
        Case(TINY[2], chain(5, 22, 26, 902, "features.3", 4, 2, WIDE), shown),
        Case(TINY[3], tiny(3, 10, 8, 870, "conv1", 1, 3), shown),
        Case(TINY[4], lambda numbers: below_0(chain(5, 17, 20, 880, "features.3", 1, 3, WIDE)(
            numbers)), shown),
        Case(ONE, tiny(3, 9, 12, 885, "conv2", 2, 1), shown),
        Case("a specimen network", specimen, shown, tiny=False),
    ),
    traps=(
        Trap("another dtype than the images'", FIRST, dtype=torch.float64),
        Trap("train mode while it runs", FIRST, guarded, unless=("model switched to train mode",)),
    ),
    mistakes={
        "parameters in another order":
            "The parameters stand in another order than in the notebook: "
            "max_activating_patches(model, images, layer, channel, k).",
        "not two tensors":
            "Return two tensors: return patches, places.",
        "places before patches":
            "Patches and places are returned in the other order: return patches, places.",
        "layer not picked":
            "activations returns a dict, layer name -> maps. Ask it for the one that you want: "
            "activations(model, images, layer)[layer].",
        "another layer":
            "The places are those of another layer. Take the maps of the one that is asked for, "
            "activations(model, images, layer)[layer].",
        "another channel":
            "The places are those of another channel. Take maps[:, channel], axis 1 of "
            "(N, C, h, w).",
        "all channels together":
            "The places are those where all channels together are large. Take one channel, "
            "maps[:, channel].",
        "values below 0 left out":
            "Values below 0 are cut off, or images without a larger one are left out. A channel's "
            "largest value may be negative: take the values as they are, and begin a search with "
            "-inf, not with 0.",
        "absolute values":
            "The largest absolute value is looked for. A strongly negative value is no strong "
            "activation: take the values as they are.",
        "smallest instead of largest":
            "The smallest value of each map is looked for. Take the largest.",
        "mean of the map instead of its maximum":
            "The images are ranked by the sum or the mean of their map. Rank them by its largest "
            "value, which is the one whose patch is shown.",
        "several of one image":
            "One image gives several patches. First take the largest position of each image, then "
            "the k images where that is largest.",
        "not sorted":
            "The right images, but not in the right order: the strongest should come first.",
        "weakest first":
            "The order is turned round: the strongest should come first.",
        "positions of other images":
            "The images are right, and beside them stand the positions of others. Of the best "
            "images take their own: where[best], not where[:k].",
        "all images":
            "All images come back. Take the k with the largest maxima.",
        "axis lost where k is 1":
            "With k = 1 an axis is lost: patches should be (1, 3, size, size) and places (1, 3). "
            "Leave squeeze() away.",
        "weakest images":
            "The images with the smallest maxima are taken. Take those with the largest.",
        "first images":
            "The first k images are taken, as they come. Take those with the largest maxima.",
        "last images":
            "The last k images are taken, as they come. Take those with the largest maxima.",
        "row and column exchanged":
            "Row and column are exchanged in places. Position i of a map flattened has row "
            "i // w and column i % w, w the map's width.",
        "wrong width":
            "The position in the map was found with its height. Position i of a map flattened has "
            "row i // w and column i % w, w the map's width.",
        "place in the picture instead of the map":
            "places holds rows and columns of the picture. They should be those of the layer's "
            "map, row and col of a unit.",
        "rank instead of the image":
            "The first column of places counts 0, 1, 2 … It should be the number of the image "
            "among all that were given.",
        "columns of places in another order":
            "The columns of places stand in another order: they are image, row, col.",
        "places are floats":
            "places are floats, but count what is whole, and are used as indices: places.long() "
            "makes them so.",
        "another receptive field":
            "The patches are cut by another receptive field. Your receptive_field is part of this: "
            "look whether it passes its check, and hand it windows(model, layer). A Box ends at "
            "top + size, which is excluded.",
        "start left out":
            "The patches begin at row * stride, and should at start + row * stride: padding moves "
            "what a unit sees. If that is what you wrote, look whether your receptive_field passes "
            "its check.",
        "place as the patch's centre":
            "row * stride is taken as the middle of the patch. It begins at start + row * stride; "
            "if that is what you wrote, look whether your receptive_field passes its check.",
        "half a field off":
            "The patches lie half a receptive field off. start + row * stride is where a patch "
            "begins, and not its middle.",
        "place scaled to the picture":
            "The place is scaled from the map to the picture, which is right only nearly. What "
            "the unit sees begins at start + row * stride.",
        "stride left out":
            "The row and column of the map are taken as those of the picture. From one unit to "
            "the next it is stride pixels: start + row * stride.",
        "start times the stride":
            "start is multiplied by the stride. It is a number of pixels already: start + row * "
            "stride, without brackets around start + row.",
        "start has the opposite sign":
            "The start has the opposite sign. A patch begins at start + row * stride. If that is "
            "what you wrote, look whether your receptive_field passes its check.",
        "row and column of the patch exchanged":
            "The patches are cut with row and column exchanged. Box takes top and bottom first, "
            "which come of the row: Box(top, bottom, left, right).",
        "patches of other images":
            "The patches are cut from other images than places says: take images[i:i + 1], i the "
            "first number of the place.",
        "patches of the layer's maps":
            "The patches are cut from the layer's maps. Cut them from the pictures, images.",
        "black outside the picture":
            "What lies outside the picture is black. It should be white, 1, as crop makes it.",
        "another colour outside the picture":
            "What lies outside the picture is neither black nor white. It should be white, 1, as "
            "crop makes it.",
        "picture continued outside":
            "Outside, the picture is repeated or mirrored, which shows what is not there. It "
            "should be white, 1, as crop makes it.",
        "moved into the picture":
            "Patches at the border are moved into the picture, so they show what the unit does "
            "not see. Leave them where they are, white outside the picture, as crop makes it.",
        "cut off and enlarged":
            "Patches at the border are cut off, and enlarged to the size of the others. Leave "
            "them as large as the field, white outside the picture, as crop makes it.",
        "patches of several sizes":
            "The patches have several sizes, so they do not fit into one tensor. Let crop fill up "
            "those at the border: it makes white what lies outside the picture. Its box is "
            "Box(top, bottom, left, right).",
        "train mode while it runs":
            "The network ran in train mode, where dropout and batch norm change what layers "
            "compute. Leave its mode alone.",
    },
    errors={
        "values below 0 left out": re.compile("expected a non-empty list|expects a non-empty"),
        "layer not picked": re.compile(r"'dict'|dict object|unhashable|KeyError"),
        "patches of several sizes": re.compile(
            r"stack expects each tensor to be equal size|Sizes of tensors must match|"
            r"must match the existing size"),
    },
    notes={
        "another dtype than the images'":
            "with float64 images the patches are not float64, and should be like images: it helps "
            "to make no float32 tensors of your own.",
    },
    row={
        "signature": "max_activating_patches(model, images, layer, channel, k)",
        "shapes": "images (N, 3, H, W), k up to N → patches (k, 3, size, size), places (k, 3)",
        "gives": "what the channel sees where it is largest, like images in dtype and device, and "
                 "the places as whole numbers, image, row and col; images and network stay as "
                 "they were",
        "formula": "of each image the position with the largest value; the k images where that is "
                   "largest, strongest first; rows start + row · stride … + size of the image, "
                   "columns likewise, 1 outside it",
        "defaults": "none; ties are asked of nobody",
        "units": "patches in [0, 1], size pixels wide, the receptive field's",
    })
