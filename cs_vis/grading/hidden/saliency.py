"""The graded cells of notebook 03, in the order of the notebook.

Networks, sizes and values differ from the visible check's: who recognises those wins nothing here.
"""

import torch

from cs_vis.checks.distance import share_that_differs
from cs_vis.checks.fixtures import drawn, tiny_weights
from cs_vis.checks.inputs import Network, live
from cs_vis.checks.saliency import GUIDED, OCCLUSION, SALIENCY, SEGMENT
from cs_vis.checks.saliency.guided import features
from cs_vis.checks.saliency.scenes import SCENES, beads, below_zero, mosaic, partly_zero
from cs_vis.checks.saliency.segment import FIRST
from cs_vis.grading.hidden import Cell, Visible, off_by
from cs_vis.methods.scores import iou
from cs_vis.reference import saliency as reference


def network(generator, classes=6, guarded=False):
    return Network("tiny", tiny_weights(drawn(generator), widths=(7, 9), classes=classes), guarded)


def picture(generator, n, height, width):
    return drawn(generator)(n, 3, height, width, seed=0)


def scores(inputs, images):
    """The raw scores of the drawn network, for labels that are known to be wrong or right."""
    return live(inputs, "cpu", torch.float64)(images)


# --- compute_saliency_maps

def three_images(generator):
    model, X = network(generator, guarded=True), picture(generator, 3, 9, 14)
    said = scores(model, X)
    y = said.argmax(dim=1)
    y[1] = said[1].argmin()  # a class that the second image does not show
    return [{"X": X, "y": y, "model": model}]


def judge_batch(trials):
    (_, right, outputs), = trials
    error = off_by(outputs["result"], right["result"])
    if error == float("inf"):
        return "for three images the result is not (3, H, W)"
    return None if error < 1e-4 else ("on three fresh images the values differ from the "
                                      "definition's")


def one_image(generator):
    return [{"X": picture(generator, 1, 8, 15), "y": torch.tensor([4]),
             "model": network(generator)}]


def judge_single(trials):
    (_, right, outputs), = trials
    got = outputs["result"]
    if not torch.is_tensor(got) or got.shape != right["result"].shape:
        return "for one image, wider than high, the result is not (1, H, W)"
    if not ((got >= 0).all() and got.max() > 0):
        return "absolute values are at least 0, and not all are 0"
    return None


def six_images(generator):
    model, X = network(generator), picture(generator, 6, 16, 20)
    return [{"X": X, "y": scores(model, X).argmin(dim=1), "model": model}]


def judge_place(trials):
    (_, right, outputs), = trials
    got = outputs["result"]
    if not torch.is_tensor(got) or got.shape != right["result"].shape:
        return "for six images the result is not (6, H, W)"
    ranks = [maps.double().flatten(1).argsort(dim=1).argsort(dim=1).double()
             for maps in (got, right["result"])]
    agreement = [torch.corrcoef(torch.stack(pair))[0, 1] for pair in zip(*ranks)]
    # Another join of the colours keeps the order nearly (0.9), another score does not (0.75).
    if not sum(agreement) / len(agreement) > 0.84:
        return "on six fresh images the bright places differ from the definition's"
    return None


FIVE = SALIENCY.cases[0].name
saliency_check = Visible(SALIENCY)
batch = Cell(SALIENCY, reference.compute_saliency_maps, FIVE,
             "three images at once, one asked about a class that it does not show; all values",
             three_images, judge_batch)
single = Cell(SALIENCY, reference.compute_saliency_maps, FIVE,
              "one image, wider than high: the shape, and no negative value",
              one_image, judge_single)
place = Cell(SALIENCY, reference.compute_saliency_maps, FIVE,
             "six images: the order of the pixels by brightness", six_images, judge_place)


# --- occlusion_map

def windows(height, width, patch, stride, fill=None):
    def draw(generator):
        model, image = network(generator, guarded=True), picture(generator, 1, height, width)
        given = {} if fill is None else {"fill": drawn(generator)(3, seed=0)}
        return [{"image": image, "y": int(scores(model, image).argmin()), "model": model,
                 "patch": patch, "stride": stride, **given}]
    return draw


def border_and_defaults(generator):
    image = picture(generator, 1, 36, 53)
    return [*windows(12, 17, patch=5, stride=3, fill="drawn")(generator),
            {"image": image, "y": 2, "model": network(generator)}]


def judge_windows(trials):
    for given, right, outputs in trials:
        got, expected = outputs["result"], right["result"]
        height, width = given["image"].shape[2:]
        if not torch.is_tensor(got) or got.shape != expected.shape:
            return f"the map of an image of {height}×{width} has a wrong shape"
        # Windows that hide little hardly differ, so we compare how they differ.
        if not off_by(got, expected) * expected.norm() < 1e-4 * (expected - expected.mean()).norm():
            return (f"on a fresh image of {height}×{width} the probabilities differ from the "
                    f"definition's")
    return None


def with_and_without_fill(generator):
    model, image = network(generator), picture(generator, 1, 14, 18)
    common = {"image": image, "y": 3, "model": model, "patch": 7, "stride": 5}
    return [common, {**common, "fill": model.weights["mean_color"]},
            {**common, "fill": torch.tensor([1.0, 0.0, 0.75], dtype=torch.float64)}]


def judge_fill(trials):
    """Whatever the map is: how does it depend on fill?"""
    default, same, other = (trial.outputs["result"] for trial in trials)
    if not all(map(torch.is_tensor, (default, same, other))) or not (
            default.shape == same.shape == other.shape):
        return "with another fill the map is of another shape"
    if not (default - same).norm() < 0.01 * (default - other).norm():
        return "without fill the patch has not the colour model.mean_color"
    wanted = [trial.right["result"] for trial in trials]
    if default.shape == wanted[0].shape and off_by(default, wanted[0]) < 1e-6 and not (
            off_by(other, wanted[2]) < 1e-6):
        return "the patch has not the colour that fill says"
    return None


SMALL = OCCLUSION.cases[0].name
occlusion_check = Visible(OCCLUSION)
steps = Cell(OCCLUSION, reference.occlusion_map, SMALL,
             "an image whose sides the steps divide evenly",
             windows(13, 9, patch=5, stride=4), judge_windows)
border = Cell(OCCLUSION, reference.occlusion_map, SMALL,
              "sides that the steps do not divide, rows and columns different in number; and the "
              "default patch and stride", border_and_defaults, judge_windows)
fill = Cell(OCCLUSION, reference.occlusion_map, SMALL,
            "the patch's colour: given, left out, and given as the network's mean colour",
            with_and_without_fill, judge_fill)


# --- GuidedReLU

def two_shapes(generator):
    return [features(*shape, seed=0)(drawn(generator)) for shape in ((90,), (2, 3, 5, 6))]


def judge_forward(trials):
    for trial in trials:
        got, right = (outputs.get("forward result") for outputs in (trial.outputs, trial.right))
        if not torch.is_tensor(got) or not torch.equal(got, right):
            return "forward is not max(x, 0)"
    return None


def rules_and_networks(generator):
    networks = [{"image": picture(generator, 1, 11, 12), "target": target,
                 "model": network(generator)} for target in (4, 1)]
    return two_shapes(generator) + networks


def judge_backward(trials):
    for trial in trials:
        if not off_by(trial.outputs.get("backward result"), trial.right["backward result"]) < 1e-6:
            return ("guided backprop through a whole network differs from the rule's"
                    if "image" in trial.inputs else "on fresh values and gradients, zeros among "
                    "them, backward differs from the rule")
    return None


FEATURES, WHOLE = GUIDED.cases[0].name, "a whole network"
guided_check = Visible(GUIDED)
forward = Cell(GUIDED, reference.GuidedReLU, FEATURES, "forward, for a vector and for feature maps",
               two_shapes, judge_forward)
backward = Cell(GUIDED, reference.GuidedReLU, (FEATURES, FEATURES, WHOLE, WHOLE),
                "backward, for values and gradients of both signs and exactly 0, and through two "
                "whole networks", rules_and_networks, judge_backward)


# --- segment_by_saliency

def fresh(draw, generator, **options):
    """A scene drawn anew until it is stable: what is right must not hang on a seed of OpenCV."""
    while True:
        image, saliency = draw(drawn(generator), seed=0, **options)
        masks = [reference.segment_by_saliency(image, saliency, rng_seed=k) for k in range(8)]
        if 0.1 < masks[0].double().mean() < 0.7 and all(
                share_that_differs(mask, masks[0]) < 0.005 for mask in masks):
            return {"image": image, "saliency": saliency}


def scenes(generator):
    greys = [options["greys"] for _, options in SCENES.values() if "greys" in options]
    return [fresh(mosaic, generator), *(fresh(beads, generator, greys=g) for g in greys)]


def scenes_and_ties(generator):
    return [*scenes(generator), fresh(partly_zero, generator), fresh(below_zero, generator)]


def is_mask(got, right):
    return torch.is_tensor(got) and got.shape == right.shape and got.dtype == torch.bool


def judge_overlap(trials):
    for trial in trials:
        got, right = trial.outputs["result"], trial.right["result"]
        if not is_mask(got, right):
            return "the mask is not bool (H, W)"
        common = iou(got[None], right[None]).item()
        if not common > 0.5:
            return f"only {common:.0%} of your mask and the recipe's is common"
    return None


def judge_exact(trials):
    for trial in trials:
        got, right = trial.outputs["result"], trial.right["result"]
        if not is_mask(got, right):
            return "the mask is not bool (H, W)"
        if not share_that_differs(got, right) <= 0.015:
            return "on fresh pictures the masks are not those of the recipe"
    return None


segment_check = Visible(SEGMENT)
overlap = Cell(SEGMENT, reference.segment_by_saliency, FIRST,
               "three scenes: at least half the pixels that either mask has are common", scenes,
               judge_overlap)
exact = Cell(SEGMENT, reference.segment_by_saliency, FIRST,
             "five scenes, ties among the quantiles of two: the recipe's mask but for 1.5 % of the "
             "pixels", scenes_and_ties, judge_exact)
