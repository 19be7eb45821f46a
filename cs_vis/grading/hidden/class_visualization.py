"""The graded cells of notebook 05, in the order of the notebook.

Networks, sizes and values differ from the visible check's: who recognises those wins nothing here.
"""

import torch

from cs_vis.checks.class_visualization import BLUR, GRADIENTS, JITTER, PIXELS, STEP
from cs_vis.checks.class_visualization.step import CALLS
from cs_vis.checks.fixtures import drawn, tiny_weights
from cs_vis.checks.inputs import Network, live
from cs_vis.grading.hidden import Cell, Visible, off_by
from cs_vis.reference import class_visualization as reference

NEAR = 1e-6  # in float64, of the length of what is right


def picture(generator, n, height, width):
    """Noise around 0, each picture weaker than the one before."""
    weaker = 2.0 ** -torch.arange(n, dtype=torch.float64).view(n, 1, 1, 1)
    return weaker * (2 * drawn(generator)(n, 3, height, width, seed=0) - 0.75)


def whole(generator, low, high):
    return int(torch.randint(low, high, (1,), generator=generator))


# --- class_visualization_update_step

def visualized(generator, height, width, penalty=0.0, calls=1):
    """A picture, a network of six classes, and a penalty that pulls about as hard as the score."""
    model = Network("tiny", tiny_weights(drawn(generator), widths=(7, 9), classes=6), guarded=True)
    img = picture(generator, 1, height, width)
    target = int(live(model, "cpu", torch.float64)(img).argmin())
    leaf = img.clone().requires_grad_()
    score = live(model, "cpu", torch.float64)(leaf)[0, target]
    pull = torch.autograd.grad(score, leaf)[0].norm() / (2 * img.norm())
    return {"img": img, "model": model, "target_y": target, "l2_reg": penalty * pull.item(),
            "learning_rate": 1.0 + whole(generator, 1, 17) / 4, "calls": calls}


def without_penalty(generator):
    return [visualized(generator, 8, 5), visualized(generator, 5, 11)]


def with_penalty(generator):
    return [visualized(generator, 7, 10, penalty=0.5), visualized(generator, 9, 6, penalty=1.0)]


def three_calls(generator):
    return [visualized(generator, 8, 7, penalty=0.5, calls=3)]


def judge_steps(words, near=NEAR):
    def judge(trials):
        for given, right, outputs in trials:
            for name in CALLS[:given["calls"]]:
                got = outputs.get(name)
                # What is compared is the change: a picture that hardly moves is near to any other.
                bound = near * (right[name] - given["img"]).norm() / right[name].norm()
                if not off_by(got, right[name]) < bound:
                    return f"{words}: the {name} differs from the definition's"
        return None
    return judge


FREE = STEP.cases[0].name
step_check = Visible(STEP)
score_step = Cell(STEP, reference.class_visualization_update_step, FREE,
                  "one step without a penalty, on two fresh networks and pictures",
                  without_penalty, judge_steps("without a penalty, after one step"))
penalty_step = Cell(STEP, reference.class_visualization_update_step, FREE,
                    "one step with a penalty, on two fresh networks and pictures",
                    with_penalty, judge_steps("with a penalty, after one step"))
three_steps = Cell(STEP, reference.class_visualization_update_step, FREE,
                   "three steps on one picture, with a penalty",
                   three_calls, judge_steps("after three steps on one picture"))


# --- the four helpers, which give a picture each

def judge_pictures(words):
    def judge(trials):
        for trial in trials:
            got, right = trial.outputs["result"], trial.right["result"]
            if not off_by(got, right) < NEAR:
                return f"{words}, the result differs from the definition's"
        return None
    return judge


def offsets(generator):
    """Every sign of the two, and none of them twice the same."""
    return [{"img": picture(generator, 2, 7, 11), "ox": right * whole(generator, 1, 5),
             "oy": down * whole(generator, 1, 3)} for right, down in ((1, 1), (-1, 1), (1, -1))]


def sigmas(generator):
    return [{"img": picture(generator, n, *size) + 1, "sigma": sigma}
            for n, size, sigma in ((2, (9, 6), 0.625), (1, (6, 13), 1.75), (1, (5, 4), 0.0))]


def pixels(generator):
    """Where one pixel lies exactly at the quantile, where none does, and nothing to clip."""
    return [{"img": picture(generator, n, *size), "fraction": fraction}
            for n, size, fraction in ((3, (7, 8), 0.65), (1, (5, 5), 0.75), (1, (4, 7), 0.0))]


def pixels_and_gradients(generator):
    return [{**given, "gradient": picture(generator, *given["img"].shape[:1],
                                          *given["img"].shape[2:])} for given in pixels(generator)]


jitter_check = Visible(JITTER)
rolled = Cell(JITTER, reference.jitter, JITTER.cases[0].name,
              "three rolls of two pictures, in three directions", offsets,
              judge_pictures("on fresh pictures"))
blur_check = Visible(BLUR)
blurred = Cell(BLUR, reference.blur, BLUR.cases[0].name,
               "two other sigmas, and sigma 0", sigmas, judge_pictures("on fresh pictures"))
pixels_check = Visible(PIXELS)
small_pixels = Cell(PIXELS, reference.clip_small_pixels, PIXELS.cases[0].name,
                    "several pictures at once, a pixel exactly at the quantile, and fraction 0",
                    pixels, judge_pictures("on fresh pictures"))
gradients_check = Visible(GRADIENTS)
small_gradients = Cell(GRADIENTS, reference.clip_small_gradients, GRADIENTS.cases[0].name,
                       "the same for contributions: several pictures, a pixel exactly at the "
                       "quantile, and fraction 0", pixels_and_gradients,
                       judge_pictures("on fresh pictures and gradients"))
