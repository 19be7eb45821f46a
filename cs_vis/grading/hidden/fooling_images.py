"""The graded cells of notebook 04, in the order of the notebook.

Networks, sizes and values differ from the visible check's: who recognises those wins nothing here.
"""

import torch

from cs_vis.checks.distance import comparable
from cs_vis.checks.fixtures import drawn, tiny_weights
from cs_vis.checks.fooling_images import ATTACK, DIFFERENCE, FOOLING
from cs_vis.checks.fooling_images.attack import LINF, underway
from cs_vis.checks.fooling_images.difference import FINE, pair
from cs_vis.checks.fooling_images.fooling import FOOLED, ONE, OTHER
from cs_vis.checks.fooling_images.reading import Walk
from cs_vis.checks.inputs import Network, live
from cs_vis.checks.path import recorded, steps_of
from cs_vis.grading.hidden import Cell, Visible, off_by, until
from cs_vis.reference import fooling_images as reference

EXACT = 1e-5  # of the length of what is right, in float64: a small constant in a divisor is fine


def steady(case, inputs) -> bool:
    """Does the reference give the same in float32, so that no rounding tips what is drawn?"""
    function = getattr(reference, EXERCISE_OF[case])
    single, double = (case.call(function, **live(inputs, "cpu", dtype))
                      for dtype in (torch.float32, torch.float64))
    return all(one.shape == double[name].shape and bool(double[name].isfinite().all())
               and case.distance(comparable(one), double[name]) < 0.1 * case.tolerance
               for name, one in single.items() if torch.is_tensor(one))


EXERCISE_OF = {case: exercise.name for exercise in (FOOLING, ATTACK, DIFFERENCE)
               for case in exercise.cases}


# --- make_fooling_image

def worth_walking(inputs) -> bool:
    """Four to eight steps on a winding way, the gradient neither as long as 1 nor nearly so."""
    given = live(inputs, "cpu", torch.float64)
    if not 2 < steps_expected(**given) < 8:
        return False
    with recorded(given["model"], calls=9) as record:
        reference.make_fooling_image(**given)
    pictures = steps_of(record.path())
    if not record.ended or len(pictures) < 5:
        return False
    moves = pictures.diff(dim=0).flatten(1)  # each of length 1
    leaf = given["X"].requires_grad_()
    scores = given["model"](leaf)[0]
    slope, = torch.autograd.grad(scores[given["target_y"]], leaf, retain_graph=True)
    loss, = torch.autograd.grad(scores.log_softmax(0)[given["target_y"]], leaf)
    winding = (moves[0] @ moves[1]).abs() < 0.95
    other_way = torch.cosine_similarity(slope.flatten(), loss.flatten(), dim=0) < 0.97
    return bool(winding and other_way and not 0.6 < slope.norm() < 1.6)


def steps_expected(X, target_y, model) -> float:
    """How many steps it would take if the scores were linear: a quick look before the walk."""
    leaf = X.detach().requires_grad_()
    scores = model(leaf)[0]
    lead = scores.max() - scores[target_y]
    slopes = [torch.autograd.grad(score, leaf, retain_graph=True)[0]
              for score in (scores[target_y], lead)]
    gain = -(slopes[0] * slopes[1]).sum() / slopes[0].norm()
    return (lead / gain).item() if gain > 0 else 0.0


def fits_fooling(case, inputs) -> bool:
    return (case.name not in (ONE, OTHER) or worth_walking(inputs)) and steady(case, inputs)


def problem(generator, height, width, guarded=False):
    """A class that a drawn network can be led to in four to eight steps."""
    def draw():
        numbers = drawn(generator)
        weights = tiny_weights(numbers, widths=(7, 9), classes=6)
        sharpness = (1 / 6, 2)[int(torch.randint(2, (), generator=generator))]
        for name in ("head.weight", "head.bias"):
            weights[name] *= sharpness
        return {"X": numbers(1, 3, height, width, seed=0),
                "target_y": int(torch.randint(6, (), generator=generator)),
                "model": Network("tiny", weights, guarded)}
    return until(draw, lambda inputs: worth_walking(inputs) and steady(FOOLING.cases[0], inputs))


def two_problems(generator):
    return [problem(generator, 7, 10), problem(generator, 9, 6, guarded=True)]


def solved_and_unsolved(generator):
    inputs = problem(generator, 6, 8)
    model = live(inputs["model"], "cpu", torch.float64)
    X = drawn(generator)(1, 3, 6, 8, seed=0)
    return [*two_problems(generator),
            {"X": X, "target_y": model(X).argmax().item(), "model": inputs["model"]}]


def is_picture(got, right) -> bool:
    return torch.is_tensor(got) and got.shape == right.shape and bool(got.isfinite().all())


def judge_reached(trials):
    for given, right, outputs in trials:
        got = outputs.get("result")
        if not is_picture(got, right["result"]):
            return "on a fresh picture the result is not a picture (1, 3, H, W)"
        if not live(given["model"], "cpu", torch.float64)(got.double()).argmax() == given[
                "target_y"]:
            return "on a fresh picture the network does not say the target in the end"
        if not (got - given["X"]).norm() <= 2.5 * (right["result"] - given["X"]).norm():
            return "on a fresh picture far more is changed than needs be"
    return None


def judge_steps(trials):
    """The first three steps, wherever it stops; it may look at other pictures, too."""
    for _, right, outputs in trials:
        seen, wanted = steps_of(outputs.get("path")), steps_of(right["path"])[1:4]
        if seen.shape[1:] != wanted.shape[1:] or not all(
                any(off_by(picture, one) < EXACT for picture in seen) for one in wanted):
            return "on a fresh picture the first three steps differ from the definition's"
    return None


def judge_stop(trials):
    """Compared with its own way: does it stop at the first picture that fools?"""
    for given, right, outputs in trials:
        if not is_picture(outputs.get("result"), right["result"]):
            return "on a fresh picture the result is not a picture (1, 3, H, W)"
        walk = Walk(given, outputs)
        if not len(walk.pictures) or not near(walk.pictures[:1], given["X"]):
            return "the network is asked about another picture than X first"
        if not near(walk.pictures[-1:], outputs["result"]):
            return "what is returned is not the picture that the steps led to"
        after = walk.fooled_after()
        # One step on a picture that fools already is a convention; then it shows nowhere else.
        if after is None or walk.moves > max(after, 1 if after == 0 else 0):
            return "it does not stop where its own pictures first fool the network"
    return None


def near(a, b) -> bool:
    return off_by(a, b) < EXACT


def judge_whole(trials):
    for _, right, outputs in trials:
        if not off_by(outputs.get("result"), right["result"]) < EXACT:
            return "on a fresh picture the result differs from the definition's"
    return None


fooling_check = Visible(FOOLING, fits=fits_fooling)
reached = Cell(FOOLING, reference.make_fooling_image, ONE,
               "two pictures: the network says the target in the end, and little was changed",
               two_problems, judge_reached)
steps = Cell(FOOLING, reference.make_fooling_image, ONE,
             "two pictures: the first three steps, one by one, wherever it stops",
             two_problems, judge_steps)
stop = Cell(FOOLING, reference.make_fooling_image, (ONE, ONE, FOOLED),
            "two pictures, and one that fools already: it stops where the network is first fooled",
            solved_and_unsolved, judge_stop)
whole = Cell(FOOLING, reference.make_fooling_image, ONE,
             "two pictures: all values of the result", two_problems, judge_whole)


# --- attack_step

def attack(norm, height, width, rate, radius, far, guarded=False):
    """A step on as many pictures as `far` has numbers, of a drawn network, labels drawn."""
    def draw(generator):
        def once():
            labels = torch.randint(4, (len(far),), generator=generator).tolist()
            inputs = underway(height, width, 0, labels, norm, rate, radius, far)(drawn(generator))
            return {**inputs, "model": inputs["model"]._replace(guarded=guarded)}
        return until(once, lambda inputs: steady(ATTACK.cases[0], inputs))
    return draw


LINF_STEPS = (attack("linf", 6, 4, 0.15, 0.1, (0.4, 1.0, 0.0)),
              attack("linf", 5, 8, 0.07, 0.2, (1.3,)))
L2_STEPS = (attack("l2", 6, 4, 1.5, 1.1, (0.4, 1.0, 0.0)),
            attack("l2", 5, 8, 0.6, 1.7, (1.4, 0.2, 0.95, 0.5), guarded=True))


def drawn_by(*draws):
    return lambda generator: [draw(generator) for draw in draws]


def judge_attack(trials):
    for _, right, outputs in trials:
        if not off_by(outputs["result"], right["result"]) < EXACT:
            return "on fresh pictures the values differ from the definition's"
    return None


def judge_kept(trials):
    """Whatever the step is: does it stay where it should, and does it lead away from y?"""
    for given, right, outputs in trials:
        got = outputs["result"]
        if not is_picture(got, right["result"]):
            return "on fresh pictures the result is not (N, 3, H, W)"
        change = (got - given["original"]).flatten(1).double()
        size = change.abs().amax(dim=1) if given["norm"] == "linf" else change.norm(dim=1)
        if not (size <= given["radius"] * (1 + 1e-6)).all():
            return f"with norm={given['norm']!r} a picture leaves the ball"
        if not (got.min() >= 0 and got.max() <= 1):
            return "a picture leaves [0, 1]"
        losses = [loss_of(given, images) for images in (got, right["result"], given["X"])]
        if not losses[0] > losses[2] + 0.5 * (losses[1] - losses[2]):
            return f"with norm={given['norm']!r} the step hardly leads away from y"
    return None


def loss_of(given, images) -> float:
    scores = live(given["model"], "cpu", torch.float64)(images.double())
    return torch.nn.functional.cross_entropy(scores, given["y"]).item()


attack_check = Visible(ATTACK, fits=steady)
in_box = Cell(ATTACK, reference.attack_step, LINF, "two steps in the L∞ ball: all values",
              drawn_by(*LINF_STEPS), judge_attack)
in_ball = Cell(ATTACK, reference.attack_step, LINF, "two steps in the L2 ball: all values",
               drawn_by(*L2_STEPS), judge_attack)
kept = Cell(ATTACK, reference.attack_step, LINF,
            "a step in each ball: inside the ball, inside [0, 1], and away from y",
            drawn_by(LINF_STEPS[0], L2_STEPS[0]), judge_kept)


# --- magnified_difference

def judge_values(trials):
    for _, right, outputs in trials:
        if not off_by(outputs["result"], right["result"]) < EXACT:
            return "on fresh pictures the values differ from the definition's"
    return None


def changes(*pairs):
    return lambda generator: [pair(*sizes)(drawn(generator)) for sizes in pairs]


difference_check = Visible(DIFFERENCE)
inner = Cell(DIFFERENCE, reference.magnified_difference, FINE,
             "changes below the scale: every value, lighter and darker",
             changes((2, 6, 9, 0, 0.3, 0.25), (1, 9, 5, 0, 0.05, 0.04)), judge_values)
cut = Cell(DIFFERENCE, reference.magnified_difference, FINE,
           "changes beyond the scale, and another scale for the same change",
           changes((3, 7, 5, 0, 0.1, 0.4), (1, 5, 8, 0, 0.9, 1.6)), judge_values)
