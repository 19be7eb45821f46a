"""The graded cells of notebook 06, in the order of the notebook.

Networks, sizes and values differ from the visible check's: who recognises those wins nothing here.
"""

import torch

from cs_vis.checks.feature_inversion import ALPHA, DISTANCE, STEP, VARIATION
from cs_vis.checks.feature_inversion.reading import OBJECTIVES, Place, prior_of
from cs_vis.checks.feature_inversion.step import drawn_step
from cs_vis.checks.fixtures import drawn, tiny_weights
from cs_vis.checks.inputs import live
from cs_vis.grading.hidden import Cell, Visible, off_by, until
from cs_vis.grading.hidden.class_visualization import judge_steps, whole
from cs_vis.reference import feature_inversion as reference

NEAR = 7e-5  # of what is right: a constant of 1e-5 below a fraction is no mistake, one of 1e-4 is
CONSTANT = 1e-3  # the same where one of 1e-8 may stand under a power


NAN = "the gradient is NaN or infinite at some values"


def has_nan(got) -> bool:
    return bool(got.get("place of a NaN", torch.tensor(True)).any())


def judge_numbers(words, bound, *outputs):
    """Are these outputs near to what is right, and no gradient NaN?"""
    def judge(trials):
        for _, right, got in trials:
            if "gradient" in outputs and has_nan(got):
                return f"{words}, {NAN}"
            for name in outputs:
                if not off_by(got.get(name), right[name]) < bound:
                    return f"{words}, the {name} differs from the definition's"
        return None
    return judge


def judge_slopes(words):
    """The gradient but for the last pixel, which equals its neighbours beyond the border."""
    def judge(trials):
        for _, right, got in trials:
            slope = got.get("gradient")
            slope = slope.flatten(2)[..., :-1] if torch.is_tensor(slope) else slope
            if not off_by(slope, right["gradient"].flatten(2)[..., :-1]) < CONSTANT:
                return f"{words}, the gradient differs from the definition's"
        return None
    return judge


# --- feature_distance

def maps(generator):
    """Maps before and after a ReLU, strong and weak, and a vector."""
    noise = drawn(generator)
    return [{name: scale * (2 * noise(*shape, seed=0) - 1).clamp(min=below)
             for name in ("features", "target")}
            for shape, scale, below in (((1, 4, 5, 3), 0.1875, 0), ((1, 6, 2, 2), 5, -1),
                                        ((1, 11), 2, -1))]


distance_check = Visible(DISTANCE)
fresh_distance = Cell(DISTANCE, reference.feature_distance, DISTANCE.cases[0].name,
                      "the distance of fresh features: two layers' maps and a vector", maps,
                      judge_numbers("on fresh features", NEAR, "value"))
distance_slope = Cell(DISTANCE, reference.feature_distance, DISTANCE.cases[0].name,
                      "the gradient of the distance with respect to the features", maps,
                      judge_numbers("on fresh features", NEAR, "gradient"))


# --- total_variation

def noises(generator):
    noise = drawn(generator)
    return [{"img": scale * noise(1, 3, height, width, seed=0) - 0.5, "beta": beta}
            for height, width, scale, beta in ((5, 8, 1, 1), (7, 4, 2, 1.5), (4, 6, 1, 2.0),
                                               (3, 9, -1, 3))]


def judge_flat(words):
    """As numbers are judged, and below 1 whether the gradient is finite: there the value tells
    even the smallest constant."""
    whole_numbers = judge_numbers(words, CONSTANT, "value", "gradient")

    def judge(trials):
        if any(has_nan(trial.outputs) for trial in trials):
            return f"{words}, {NAN}"
        return whole_numbers([trial for trial in trials if trial.inputs["beta"] >= 1])
    return judge


def flat_patches(generator):
    """More than half of the pixels equal both their neighbours."""
    noise = drawn(generator)
    given = []
    for beta in (1, 1.5, 0.5):
        img = noise(1, 3, 1, 1, seed=0).expand(1, 3, 9, 8).clone()
        img[..., 2:7, 3:6] = noise(1, 3, 5, 3, seed=0)
        given.append({"img": img, "beta": beta})
    return given


variation_check = Visible(VARIATION)
variation_values = Cell(VARIATION, reference.total_variation, VARIATION.cases[0].name,
                        "the variation of fresh pictures, for beta 1, 1.5, 2 and 3", noises,
                        judge_numbers("on fresh pictures", CONSTANT, "value"))
variation_slope = Cell(VARIATION, reference.total_variation, VARIATION.cases[0].name,
                       "its gradient, where no neighbours are equal but at the border",
                       noises, judge_slopes("on fresh pictures"))
variation_flat = Cell(VARIATION, reference.total_variation, VARIATION.cases[0].name,
                      "value and gradient for beta below 2 where neighbours are equal: finite, "
                      "and right", flat_patches,
                      judge_flat("with flat patches and beta below 2"))


# --- alpha_norm

def pictures_around_0(generator):
    """And some values that are exactly 0."""
    noise, given = drawn(generator), []
    for height, width, scale, alpha in ((4, 7, 1, 1), (6, 3, 3, 1.5), (5, 5, 2, 5), (3, 8, 3, 6.0)):
        img = scale * (noise(1, 3, height, width, seed=0) - 0.5)
        img[..., 1, :2] = 0
        given.append({"img": img, "alpha": alpha})
    return given


alpha_check = Visible(ALPHA)
fresh_alpha = Cell(ALPHA, reference.alpha_norm, ALPHA.cases[0].name,
                   "value and gradient on fresh pictures with zeros in them, for four values "
                   "of alpha", pictures_around_0,
                   judge_numbers("on fresh pictures", NEAR, "value", "gradient"))


# --- inversion_step

def inverted(generator, height, width, layer, strength=0.0, calls=1):
    """A fresh network, picture and target, and a prior `strength` times as hard as the distance."""
    def draw():
        weights = tiny_weights(drawn(generator), widths=(7, 9), classes=6)
        given = drawn_step(drawn(generator), height, width, 0, layer, weights, 1.0,
                           1.0 + whole(generator, 1, 17) / 4)
        here = place_of(given)
        hard = here.slope(OBJECTIVES[""][0]).norm() / here.pull().norm()
        return {**given, "weight": strength * hard.item(), "calls": calls}
    return until(draw, lambda given: 0.3 < uphill(place_of(given)).norm() < 1)


def place_of(given) -> Place:
    alive = live(given, "cpu", torch.float64)
    return Place(*(alive[name] for name in ("model", "layer", "target")),
                 prior_of(*(alive[name] for name in ("pull", "toward", "weight"))), alive["img"])


def uphill(place):
    """The gradient, negative: how long it is says how large a constant beside it may be."""
    return place.slope(OBJECTIVES[""][0]) - place.pull()


def plain(generator):
    return [inverted(generator, 8, 5, "relu"), inverted(generator, 5, 11, "head")]


def with_prior(generator):
    return [inverted(generator, 7, 10, "pool", 0.5), inverted(generator, 9, 6, "conv2", 1.0)]


def three_calls(generator):
    return [inverted(generator, 8, 7, "conv2", 0.5, calls=3)]


FREE = STEP.cases[0].name
step_check = Visible(STEP)
plain_step = Cell(STEP, reference.inversion_step, FREE,
                  "one step without a prior, on two fresh networks, layers and pictures", plain,
                  judge_steps("without a prior, after one step", NEAR))
prior_step = Cell(STEP, reference.inversion_step, FREE,
                  "one step with a prior, on two fresh networks, layers and pictures", with_prior,
                  judge_steps("with a prior, after one step", NEAR))
three_steps = Cell(STEP, reference.inversion_step, FREE,
                   "three steps in a row, with a prior, towards one target", three_calls,
                   judge_steps("after three steps in a row", NEAR))
