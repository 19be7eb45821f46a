"""The exercises of notebook 05: reference, conditions of the checks, graded cells, mutants.

What holds for the checks of all notebooks is in test_checks, test_mistakes and test_goldens.
"""

import inspect
import math
from collections import Counter

import pytest
import torch

from cs_vis.checks.class_visualization import EXERCISES
from cs_vis.checks.class_visualization.clipping import SHAPES
from cs_vis.checks.class_visualization.step import CHAIN, TINY
from cs_vis.checks.exercise import CheckFailed
from cs_vis.checks.fixtures import numbers
from cs_vis.checks.inputs import live
from cs_vis.checks.stored import load_goldens
from cs_vis.grading import goldens
from cs_vis.grading.hidden import Cell, Failed
from cs_vis.methods.saliency import smooth
from cs_vis.reference import class_visualization as reference
from mutants import mutants
from test_hidden import judged_apart, right_answers
from test_mutants import drawn_for, killed_by_hidden
from tiny import tiny_images, tiny_net
from written import hidden_cells, verdict

NOTEBOOK = "05_class_visualization"
KNOWN = goldens.mistakes_of(NOTEBOOK)
CHECKS = {exercise.name: exercise for exercise in EXERCISES}
STEP = "class_visualization_update_step"
CELLS = hidden_cells(NOTEBOOK)


# --- the reference

@pytest.mark.parametrize("leaf", [False, True])
def test_step_is_the_formula_in_place(leaf, device):
    img, model = tiny_images(1, 6, 9, device, torch.float64) - 0.5, tiny_net(device, torch.float64)
    before = img.clone().requires_grad_()
    (model(before)[0, 2] - 0.25 * before.square().sum()).backward()
    wanted = before + 3 * before.grad / before.grad.norm()
    img.requires_grad_(leaf)
    assert reference.class_visualization_update_step(img, model, 2, 0.25, 3.0) is None
    assert torch.allclose(img, wanted) and img.grad is None and img.requires_grad == leaf
    assert math.isclose((img - before).norm().item(), 3.0, rel_tol=1e-9)


def test_step_without_a_gradient_leaves_the_picture_as_it_is():
    img, model = torch.zeros(1, 3, 6, 6), tiny_net()
    torch.nn.init.zeros_(model.head.weight)
    reference.class_visualization_update_step(img, model, 0, 1.0, 5.0)
    assert not img.any()


def test_a_rate_of_zero_is_the_identity():
    img, model = tiny_images(1, 6, 6), tiny_net()
    before = img.clone()
    reference.class_visualization_update_step(img, model, 1, 0.5, 0)
    assert torch.equal(img, before)


def test_jitter_is_taken_back_by_its_negative():
    img = tiny_images(2, 5, 8)
    for ox, oy in ((3, -2), (0, 4), (-7, 1), (0, 0), (11, -9)):
        moved = reference.jitter(img, ox, oy)
        assert moved.data_ptr() != img.data_ptr()
        assert torch.equal(reference.jitter(moved, -ox, -oy), img)
        assert moved[0, 0, (1 + oy) % 5, (2 + ox) % 8] == img[0, 0, 1, 2]


def test_blur_of_a_point_is_the_bell_and_of_a_flat_picture_the_same():
    point = torch.zeros(1, 3, 31, 31, dtype=torch.float64)
    point[0, 1, 15, 15] = 1
    bell = reference.blur(point, 2.0)
    assert math.isclose(bell.sum().item(), 1, rel_tol=1e-12) and not bell[0, [0, 2]].any()
    assert math.isclose((bell[0, 1, 15, 17] / bell[0, 1, 15, 15]).item(), math.exp(-0.5))
    assert bell[0, 1, 15, 21] > 0 == bell[0, 1, 15, 22] and torch.equal(bell, bell.mT)
    flat = torch.full((2, 3, 4, 5), 0.7, dtype=torch.float64)
    assert torch.allclose(reference.blur(flat, 3.0), flat, rtol=1e-12)  # wider than the picture


def test_blur_by_nothing_is_a_copy():
    img = tiny_images(1, 4, 5)
    same = reference.blur(img, 0)
    assert torch.equal(same, img) and same.data_ptr() != img.data_ptr()


def test_clips_take_the_share_they_say_picture_by_picture():
    img, gradient = tiny_images(3, 10, 10) - 0.5, tiny_images(3, 10, 10, seed=9) - 0.5
    img *= torch.tensor([1, 100, 0.01]).view(3, 1, 1, 1)
    for fraction, gone in ((0, 0), (0.25, 25), (1, 99)):
        for clipped in (reference.clip_small_pixels(img, fraction),
                        reference.clip_small_gradients(img, gradient, fraction)):
            zero = (clipped == 0).all(dim=1)
            assert zero.flatten(1).sum(dim=1).tolist() == [gone] * 3
            assert torch.equal(clipped, img * ~zero[:, None])


def test_clips_of_a_flat_picture_leave_it():
    flat = torch.full((1, 3, 4, 4), -0.25)
    assert torch.equal(reference.clip_small_pixels(flat, 0.9), flat)
    assert torch.equal(reference.clip_small_gradients(flat, flat, 0.9), flat)


ONE, TWO = torch.zeros(1, 3, 8, 8), torch.zeros(2, 3, 8, 8)


@pytest.mark.parametrize("call, words", [
    (lambda f, m: f.class_visualization_update_step(TWO, m, 0, 0.1, 1.0), "img has .*one picture"),
    (lambda f, m: f.class_visualization_update_step(ONE, m, 4, 0.1, 1.0), "target_y=4 is no class"),
    (lambda f, m: f.class_visualization_update_step(ONE, m, 0, -0.1, 1.0), "l2_reg=-0.1 is out"),
    (lambda f, m: f.class_visualization_update_step(ONE, m, 0, 0.1, "5"), "learning_rate='5'"),
    (lambda f, m: f.class_visualization_update_step(ONE, torch.flatten, 0, 0.1, 1.), "scores"),
    (lambda f, m: f.jitter(ONE[0], 1, 1), r"img\[None\]"),
    (lambda f, m: f.jitter(ONE, 1.5, 1), "ox=1.5 is a float"),
    (lambda f, m: f.blur(ONE, -1), "sigma=-1 is out of range"),
    (lambda f, m: f.blur(ONE / 0, 1), "img holds values that are NaN"),
    (lambda f, m: f.clip_small_pixels(ONE, 60), "fraction=60 is out of range"),
    (lambda f, m: f.clip_small_gradients(TWO, ONE, 0.5), "gradient has shape"),
])
def test_what_does_not_fit_is_refused_in_words(call, words):
    with pytest.raises((TypeError, ValueError), match=words):
        call(reference, tiny_net())
    assert not ONE.any()


# --- mistakes

PAIRS = [(exercise, names, function) for exercise, known in KNOWN.MISTAKES.items()
         for names, function in known if len(names) > 1]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("exercise, names, function", PAIRS)
def test_two_slips_in_a_helper_are_both_said(exercise, names, function):
    assert set(verdict(exercise, function)) == set(names)


@pytest.mark.filterwarnings("ignore")
def test_slips_in_the_step_are_all_said():
    """Every fifth pair, and all that published work was seen to combine."""
    seen = [(names, function) for names, function in KNOWN.COMBINED
            if function.__name__ != STEP]
    assert len(seen) >= 6 and len(KNOWN.COMBINED) > 500
    found = Counter()
    for names, function in [*KNOWN.COMBINED[::5], *seen]:
        given = verdict(STEP, function)
        found[given is not None and set(given) == set(names)] += 1
    assert not found[False], found


# --- what the checks try

def flat(thing):
    """The thing called with each colour for itself."""
    return lambda img, *given: thing(img.flatten(0, 1), *given).view_as(img)


def test_the_blur_that_ships_is_another_one():
    assert verdict("blur", flat(smooth)) == ["kernel too long"]


@pytest.mark.parametrize("exercise", ["blur", "clip_small_pixels", "clip_small_gradients"])
def test_a_mask_where_a_picture_should_be_is_told_by_its_dtype(exercise):
    with pytest.raises(CheckFailed, match="has dtype torch.bool and should have torch.float32"):
        CHECKS[exercise](lambda img, *given: img > 0)


def test_a_step_that_nobody_knows_is_not_given_a_name():
    def shaken(img, model, target_y, l2_reg, learning_rate):
        reference.class_visualization_update_step(img, model, target_y, l2_reg, learning_rate)
        img.data += 0.1 * img.data.flip(3)
    assert verdict(STEP, shaken) == []


def test_conditions_of_the_step_are_those_that_show_mistakes():
    inputs = {case.name: live(case.inputs(numbers), "cpu", torch.float64)
              for case in CHECKS[STEP].cases if case.tiny}
    assert tuple(inputs) == TINY and 0 in {given["target_y"] for given in inputs.values()}
    for name, given in inputs.items():
        img, model, target = given["img"], given["model"], given["target_y"]
        for _ in range(given.get("calls", 1)):
            leaf = img.clone().requires_grad_()
            scores = model(leaf)
            gradient = torch.autograd.grad(scores[0, target], leaf)[0]
            length = gradient.norm().item()
            assert scores.argmax() != target and img.shape[2] != img.shape[3]
            assert kink_distance(model, img) > 5e-3, name
            assert abs(math.log(length)) > 0.2 and img.norm() > 3
            if given["l2_reg"]:
                assert 0.3 < 2 * given["l2_reg"] * img.norm() / length < 1, name
            reference.class_visualization_update_step(img, model, target, given["l2_reg"],
                                                      given["learning_rate"])
    assert inputs[CHAIN]["calls"] == 3
    assert len({given["learning_rate"] for given in inputs.values()} - {1.0}) == 4


def kink_distance(model, X):
    """How near the tiny network's ReLUs are to 0, and its pools to a tie."""
    before = model.conv1(X - 0.5)
    pooled, ties = model.pool(before.relu()), before.relu().unfold(2, 2, 2).unfold(3, 2, 2)
    first, second = ties.flatten(4).topk(2, dim=4).values.unbind(dim=4)
    after = model.conv2(pooled)
    return min(before.abs().min(), after.abs().min(), (first - second)[first > 0].min()).item()


def test_clips_lie_away_from_other_ties():
    """Of the numbers around each quantile none is so near that rounding could decide."""
    for exercise, values in (("clip_small_pixels", lambda g: g["img"].norm(dim=1)),
                             ("clip_small_gradients",
                              lambda g: (g["img"] * g["gradient"]).sum(dim=1).abs())):
        for case, (_, n, height, width, fraction) in zip(CHECKS[exercise].cases, SHAPES):
            for one in values(case.inputs(numbers)).flatten(1):
                ordered, place = one.sort().values, fraction * (height * width - 1)
                near = ordered[max(math.ceil(place) - 1, 0):math.floor(place) + 2]
                assert near.diff().min() > 1e-4 * one.max(), case.name


# --- graded cells

def test_wrong_work_fails_when_judged_apart(tmp_path):
    right = right_answers(NOTEBOOK)
    wrong = right.replace("leaf.square().sum()", "leaf.norm()").replace("(oy, ox)", "(ox, oy)")
    said = judged_apart(tmp_path, NOTEBOOK, wrong.replace(".sum(dim=1).abs()", ".abs().sum(dim=1)"))
    failed = {name for name, sentence in said.items() if sentence}
    assert failed == {"step_check", "penalty_step", "three_steps", "jitter_check", "rolled",
                      "gradients_check", "small_gradients"}
    assert "The penalty is the norm" in said["step_check"]


@pytest.mark.parametrize("exercise, name", [(exercise, name) for exercise, known in
                                            KNOWN.ALTERNATIVES.items() for name in known])
def test_other_right_solutions_pass_every_hidden_cell(exercise, name):
    for cell in CELLS.values():
        if isinstance(cell, Cell) and cell.exercise.name == exercise:
            cell(KNOWN.ALTERNATIVES[exercise][name])


@pytest.mark.parametrize("name", ["score_step", "penalty_step", "three_steps"])
def test_public_goldens_written_into_img_win_no_hidden_point(name):
    known = [tensor for key, tensor in load_goldens(NOTEBOOK).tensors.items() if STEP in key]

    def recall(img, *given):
        stored = next((x for x in known if x.shape == img.shape), torch.zeros_like(img))
        img.data.copy_(stored)
    with pytest.raises(Failed):
        CELLS[name](recall)


# --- mutants: those of the references are in test_mutants

def test_every_mutant_of_the_familiar_answer_is_rejected_and_loses_points():
    """In place under no_grad, with .grad cleared afterwards, as most people write it."""
    familiar = KNOWN.ALTERNATIVES[STEP]["backward(), in place under no_grad, gradient cleared"]
    survivors, total, cells = [], 0, drawn_for(STEP)
    for words, source in mutants(inspect.getsource(familiar).split("\n", 1)[1]):
        names, total = {"torch": torch}, total + 1
        exec(source, names)
        if verdict(STEP, names["familiar"]) is None or not killed_by_hidden(
                cells, names["familiar"]):
            survivors.append(words)
    assert total > 15 and [words for words in survivors if "0 -> -1" not in words] == []
