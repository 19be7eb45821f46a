"""The graded cells of notebook 08, in the order of the notebook.

Networks, sizes and values differ from the visible check's: who recognises those wins nothing here.
"""

import torch

from cs_vis.checks.deepdream import DREAM, GUIDE, OCTAVES
from cs_vis.checks.deepdream.guide import features_with_graph, hard_to_fit, layers
from cs_vis.checks.deepdream.octaves import right_sizes
from cs_vis.checks.fixtures import drawn, tiny_weights
from cs_vis.checks.inputs import Network, live
from cs_vis.grading.hidden import Cell, Visible, off_by, until
from cs_vis.models import activations
from cs_vis.reference import deepdream as reference

NEAR = 1e-6  # in float64, of the length of what is right
NEAR_STEP = 1e-3  # of a step's: so that a constant of 1e-6 in its divisor is right


def whole(generator, low, high):
    return int(torch.randint(low, high, (1,), generator=generator))


# --- deepdream_step

def stepped(generator, height, width, layer, rate, ox=0, oy=0, spread=0.5, strength=1 / 8):
    """A picture around grey, and a network of six classes, whose gradients are not too long."""
    weights = tiny_weights(drawn(generator), widths=(7, 9), classes=6)
    for name in ("conv2.weight", "conv2.bias", "head.weight", "head.bias"):
        weights[name] *= strength
    img = 0.5 + spread * (drawn(generator)(1, 3, height, width, seed=0) - 0.5)
    return {"img": img, "model": Network("tiny", weights, guarded=True), "layer": layer,
            "learning_rate": rate * whole(generator, 9, 16) / 16, "ox": ox, "oy": oy}


def faint(given) -> bool:
    """Is the gradient small, but no smaller than in the visible check?"""
    model, img = live(given["model"], "cpu", torch.float64), given["img"].clone().requires_grad_()
    a = activations(model, img, given["layer"])[given["layer"]]
    gradient, = torch.autograd.grad(a.square().sum() / 2, img)
    return 6e-3 < gradient.abs().mean() < 1e-2


def without_jitter(generator):
    return [stepped(generator, 8, 5, "conv2", 1 / 16), stepped(generator, 6, 11, "pool", 1 / 16),
            until(lambda: stepped(generator, 5, 7, "head", 1 / 16, strength=1 / 2), faint)]


def with_jitter(generator):
    """Every sign of the two, and none of them twice the same; each picture is used twice."""
    return [{**stepped(generator, 7, 11, "conv2", 1 / 16, ox=right * whole(generator, 1, 5),
                       oy=down * whole(generator, 1, 3)), "again": "pool"}
            for right, down in ((1, 1), (-1, 1), (1, -1))]


def across_the_border(generator):
    return [stepped(generator, 7, 8, "conv2", 1 / 2, spread=1.0),
            stepped(generator, 9, 6, "pool", 1 / 2, whole(generator, 1, 4), -1, spread=1.0)]


def judge_steps(words):
    def judge(trials):
        for given, right, outputs in trials:
            for name in ("picture", "second picture") if "again" in given else ("picture",):
                wanted = right[name]
                # What is compared is the change: a picture that hardly moves is near to any other.
                bound = NEAR_STEP * (wanted - given["img"]).norm() / wanted.norm()
                if not off_by(outputs.get(name), wanted) < bound:
                    return f"{words}, the {name} differs from the definition's"
        return None
    return judge


FREE = DREAM.cases[0].name
dream_check = Visible(DREAM)
one_step = Cell(DREAM, reference.deepdream_step, FREE,
                "one step without jitter, at three layers of fresh networks", without_jitter,
                judge_steps("without jitter"))
jittered = Cell(DREAM, reference.deepdream_step, FREE,
                "one step with jitter, in three directions, and one more from the same pictures",
                with_jitter,
                judge_steps("with jitter"))
clipped = Cell(DREAM, reference.deepdream_step, FREE,
               "one long step of a picture with black and white in it", across_the_border,
               judge_steps("after a step across the border of [0, 1]"))


# --- octave_pyramid

def dreaming(generator, height, width, dream, octaves, scale):
    img = 0.125 + drawn(generator)(1, 3, height, width, seed=0) / 4
    return {"img": img, "dream": dream, "octaves": octaves, "scale": scale}


def undreamt(generator):
    return [dreaming(generator, 13, 22, "nothing", 3, 1.5),
            dreaming(generator, 17, 9, "nothing", 2, 1.625)]


def dreamt(generator):
    return [dreaming(generator, 12, 16, "spots", 3, 1.625),
            dreaming(generator, 14, 9, "both", 4, 1.375),
            dreaming(generator, 10, 15, "light", 1, 1.5)]


def judge_octaves(words):
    def judge(trials):
        for given, right, outputs in trials:
            sides = list(given["img"].shape[2:])
            if not off_by(outputs.get("sizes"), right["sizes"]) < NEAR:
                return (f"{words}, a picture of {sides[0]} × {sides[1]} should be dreamed at the "
                        f"sizes {right_sizes(sides, given['octaves'], given['scale'])}")
            if not off_by(outputs.get("picture"), right["picture"]) < NEAR:
                return f"{words}, the last picture differs from the definition's"
        return None
    return judge


PYRAMID = OCTAVES.cases[0].name
octaves_check = Visible(OCTAVES)
identity = Cell(OCTAVES, reference.octave_pyramid, PYRAMID,
                "a dream that does nothing gives the picture back, twice", undreamt,
                judge_octaves("with a dream that does nothing"))
detail = Cell(OCTAVES, reference.octave_pyramid, PYRAMID,
              "three dreams that change the picture, and the sizes they are called at", dreamt,
              judge_octaves("with a dream that changes the picture"))


# --- match_guide

def two_layers(generator):
    """Any, of which one has a graph; then with ties, and vectors opposed to the whole guide."""
    numbers = drawn(generator)
    free = [layers(channels, size, guide, 0)(numbers) for channels, size, guide in (
        (7, (5, 3), (4, 6)), (4, (3, 6), (7, 2)), (3, (4, 5), (4, 5)))]
    return [*free[:2], features_with_graph(free[2]), hard_to_fit(4, (3, 5), (3, 3), 0)(numbers)]


def judge_matches(trials):
    for trial in trials:
        if not off_by(trial.outputs.get("result"), trial.right["result"]) < NEAR:
            return "on fresh layers, the vectors differ from those that fit best"
        if trial.outputs["flows"]:
            return "a gradient flows through what comes back"
    return None


guide_check = Visible(GUIDE)
matched = Cell(GUIDE, reference.match_guide, GUIDE.cases[0].name,
               "four fresh layers and guides, one with ties and with vectors that nothing fits",
               two_layers, judge_matches)
