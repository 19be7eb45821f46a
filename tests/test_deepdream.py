"""The exercises of notebook 08: reference, conditions of the checks, graded cells, mutants.

What holds for the checks of all notebooks is in test_checks, test_mistakes and test_goldens.
"""

import math
import time

import numpy as np
import pytest
import torch

from cs_vis import load_model
from cs_vis.checks.deepdream import EXERCISES
from cs_vis.checks.deepdream.guide import HARD
from cs_vis.checks.deepdream.octaves import DREAMS, LIGHT, SIZES, right_sizes
from cs_vis.checks.deepdream.octaves import TINY as PYRAMIDS
from cs_vis.checks.deepdream.step import BLIND, CLIPPED, STILL, TINY, TWICE
from cs_vis.checks.fixtures import numbers
from cs_vis.checks.harm import harms_between, state_of
from cs_vis.checks.inputs import live
from cs_vis.grading import goldens
from cs_vis.grading.hidden import Cell, Failed
from cs_vis.models import activations
from cs_vis.reference import deepdream as reference
from mutants import mutants
from test_class_visualization import kink_distance
from test_hidden import judged_apart, right_answers
from test_mutants import drawn_for, killed_by_hidden
from tiny import tiny_images, tiny_net
from written import hidden_cells, verdict

NOTEBOOK = "08_deepdream"
KNOWN = goldens.mistakes_of(NOTEBOOK)
CHECKS = {exercise.name: exercise for exercise in EXERCISES}
STEP, OCTAVES, GUIDE = CHECKS
CELLS = hidden_cells(NOTEBOOK)


# --- the reference: deepdream_step

def half_energy(model, layer, img):
    return float(activations(model, img, layer)[layer].square().sum()) / 2


@pytest.mark.parametrize("layer", ["conv1", "pool", "conv2", "head"])
def test_step_is_the_formula_by_finite_differences(layer):
    """g value by value, from the energy alone: no autograd takes part."""
    img, model = tiny_images(1, 5, 4, dtype=torch.float64) / 2 + 0.25, tiny_net(dtype=torch.float64)
    ox, oy, small = 1, -2, 1e-6
    moved = torch.from_numpy(np.roll(img.numpy(), (oy, ox), (2, 3)).copy())
    gradient = torch.zeros_like(moved)
    for i in range(moved.numel()):
        up, down = moved.clone(), moved.clone()
        up.view(-1)[i] += small
        down.view(-1)[i] -= small
        gradient.view(-1)[i] = (half_energy(model, layer, up) - half_energy(model, layer, down)) / (
            2 * small)
    wanted = (moved + 0.03 * gradient / gradient.abs().mean()).roll((2, -1), (2, 3)).clamp(0, 1)
    result = reference.deepdream_step(img, model, layer, 0.03, ox, oy)
    assert torch.allclose(result, wanted, atol=1e-8) and not result.requires_grad


def test_the_gradient_at_the_layer_is_what_it_computes(device):
    """Half the squared norm: pulled back from the layer, the activations are the gradient."""
    img, model = tiny_images(1, 8, 6, device, torch.float64), tiny_net(device, torch.float64)
    leaf = img.clone().requires_grad_()
    a = activations(model, leaf, "conv2")["conv2"]
    gradient, = torch.autograd.grad(a, leaf, grad_outputs=a.detach())
    wanted = (img + 0.02 * gradient / gradient.abs().mean()).clamp(0, 1)
    assert torch.allclose(reference.deepdream_step(img, model, "conv2", 0.02, 0, 0), wanted)


def test_a_value_moves_by_the_rate_on_average():
    img = torch.full((1, 3, 9, 7), 0.5, dtype=torch.float64)
    img += (tiny_images(1, 9, 7, dtype=torch.float64) - 0.5) / 8
    for layer in ("conv1", "pool", "head"):
        new = reference.deepdream_step(img, tiny_net(dtype=torch.float64), layer, 0.01, 2, 3)
        assert math.isclose((new - img).abs().mean().item(), 0.01, rel_tol=1e-9)


def test_a_rate_of_zero_is_the_identity_wherever_it_is_rolled():
    img, model = tiny_images(1, 6, 9), tiny_net()
    for ox, oy in ((0, 0), (3, -2), (-11, 20)):
        new = reference.deepdream_step(img, model, "conv2", 0, ox, oy)
        assert torch.equal(new, img) and new.data_ptr() != img.data_ptr()


def test_a_roll_by_the_whole_size_is_none():
    img, model = tiny_images(1, 6, 9), tiny_net()
    one, other = (reference.deepdream_step(img, model, "pool", 0.05, ox, oy)
                  for ox, oy in ((2, 1), (2 - 9, 1 + 6)))
    assert torch.equal(one, other)


def test_without_a_gradient_the_picture_stays_but_for_the_clip():
    img, model = 2 * tiny_images(1, 6, 6) - 0.5, tiny_net()
    torch.nn.init.zeros_(model.conv1.weight)
    assert torch.equal(reference.deepdream_step(img, model, "conv2", 0.1, 1, 1), img.clamp(0, 1))


def test_step_raises_what_the_trained_network_sees_and_leaves_no_trace(device):
    img, model = tiny_images(1, 40, 56, device), load_model("specimens", device=device)
    before = state_of({"img": img, "model": model})
    for layer in ("relu2_1", "relu3_1", "fc"):
        new = reference.deepdream_step(img, model, layer, 0.02, 3, -4)
        assert half_energy(model, layer, new) > 1.05 * half_energy(model, layer, img)
        assert 0 <= new.min() and new.max() <= 1 and new.device == img.device
    assert not harms_between(before, state_of({"img": img, "model": model}))
    assert img.grad is None and not any(w.grad is not None for w in model.parameters())


def test_step_takes_a_picture_with_a_graph_and_under_no_grad():
    img, model = tiny_images(1, 6, 6), tiny_net()
    wanted = reference.deepdream_step(img, model, "conv2", 0.05, 1, 2)
    graphed = img.clone().requires_grad_() * 1
    assert torch.equal(reference.deepdream_step(graphed, model, "conv2", 0.05, 1, 2), wanted)


# --- the reference: octave_pyramid

def by_hand(img, size):
    """Shrunk by a triangle filter as wide as a pixel of the result, with loops."""
    def weights(new, old):
        ratio, rows = old / new, np.zeros((new, old))
        for i in range(new):
            for j in range(old):
                rows[i, j] = max(0, 1 - abs(j + 0.5 - (i + 0.5) * ratio) / max(ratio, 1))
            rows[i] /= rows[i].sum()
        return rows
    down, along = weights(size[0], img.shape[2]), weights(size[1], img.shape[3])
    return torch.from_numpy(np.einsum("ij,ncjk,lk->ncil", down, img.numpy(), along))


def test_octaves_are_the_definition_in_numpy():
    img = tiny_images(1, 13, 19, dtype=torch.float64)
    detail = None
    for size in ([5, 7], [8, 12], [13, 19]):
        base = by_hand(img, size)
        start = base if detail is None else base + by_hand(detail, size)
        dreamed = DREAMS["both"](start)
        detail = dreamed - base
    result = reference.octave_pyramid(img, DREAMS["both"], 3, 1.6)
    assert torch.allclose(result, dreamed, atol=1e-12)


@pytest.mark.parametrize("octaves, scale", [(1, 1.4), (3, 1.4), (5, 1.3), (2, 3), (4, 1)])
def test_a_dream_that_does_nothing_gives_the_picture(octaves, scale, device):
    img, sizes = tiny_images(1, 30, 21, device), []

    def dream(x):
        sizes.append(list(x.shape[2:]))
        return x
    result = reference.octave_pyramid(img, dream, octaves, scale)
    assert (result - img).abs().max() <= 1e-6 and result.data_ptr() != img.data_ptr()
    assert sizes == [[round(side / scale ** k) for side in (30, 21)]
                     for k in range(octaves - 1, -1, -1)]


def test_detail_that_a_small_dream_adds_is_found_in_the_large_picture():
    """Of an addition at the smallest size alone, its enlargement is left, and img is still sharp."""
    img = tiny_images(1, 24, 32, dtype=torch.float64)
    spot = torch.zeros(1, 3, 6, 8, dtype=torch.float64)
    spot[..., 2, 5] = 1
    result = reference.octave_pyramid(
        img, lambda x: x + spot if x.shape[2:] == spot.shape[2:] else x, 3, 2)
    added = result - img
    assert added.max() > 0.5 and (added - added.clamp(min=0)).abs().max() < 1e-9
    assert divmod(int(added[0, 0].argmax()), 32) in {(9, 21), (9, 22), (10, 21), (10, 22)}


# --- the reference: match_guide

def test_match_is_the_definition_with_loops():
    features, guide = (2 * numbers(1, 5, *size, seed=seed) - 1 for size, seed in (
        ((3, 4), 1), ((6, 2), 2)))
    result = reference.match_guide(features, guide)
    for y, x in np.ndindex(3, 4):
        best, found = -math.inf, None
        for v, u in np.ndindex(6, 2):
            product = sum(float(features[0, c, y, x] * guide[0, c, v, u]) for c in range(5))
            if product > best:
                best, found = product, guide[0, :, v, u]
        assert torch.equal(result[0, :, y, x], found)


def test_of_equals_the_first_is_taken():
    features = torch.zeros(1, 4, 2, 3)
    guide = numbers(1, 4, 3, 5, seed=1).float()
    assert torch.equal(reference.match_guide(features, guide),
                       guide[..., :1, :1].expand(1, 4, 2, 3))


def test_no_gradient_flows_through_the_match(device):
    features, guide = (numbers(1, 4, 3, 3, seed=seed).to(device).requires_grad_()
                       for seed in (1, 2))
    result = reference.match_guide(features * 1, guide * 1)
    assert not result.requires_grad and result.device.type == torch.device(device).type
    result += 1  # a tensor of its own
    assert torch.equal(guide.detach(), numbers(1, 4, 3, 3, seed=2).to(device))


# --- refusals

ONE, TWO = torch.zeros(1, 3, 8, 8), torch.zeros(2, 3, 8, 8)


@pytest.mark.parametrize("call, words", [
    (lambda f, m: f.deepdream_step(TWO, m, "conv2", 0.1, 0, 0), "img has .*one picture"),
    (lambda f, m: f.deepdream_step(ONE, m, "conv9", 0.1, 0, 0), "'conv9' is not in this network"),
    (lambda f, m: f.deepdream_step(ONE, m, "conv2", -0.1, 0, 0), "learning_rate=-0.1 is out of"),
    (lambda f, m: f.deepdream_step(ONE, m, "conv2", 0.1, 0.5, 0), "ox=0.5 is a float"),
    (lambda f, m: f.deepdream_step(ONE, m, "conv2", 0.1, 0, "1"), "oy='1' is a str"),
    (lambda f, m: f.deepdream_step(ONE, print, "conv2", 0.1, 0, 0), "must be a network"),
    (lambda f, m: f.octave_pyramid(TWO, torch.clone, 2, 1.4), "img has .*one picture"),
    (lambda f, m: f.octave_pyramid(ONE, ONE, 2, 1.4), "dream=.*must be a function"),
    (lambda f, m: f.octave_pyramid(ONE, torch.clone, 0, 1.4), "octaves=0 is too small"),
    (lambda f, m: f.octave_pyramid(ONE, torch.clone, 2.0, 1.4), "octaves=2.0 is a float"),
    (lambda f, m: f.octave_pyramid(ONE, torch.clone, 2, 0.7), "scale=0.7 is out of range"),
    (lambda f, m: f.octave_pyramid(ONE, torch.clone, 6, 2), "octaves=6 is too many: of 8 pixels"),
    (lambda f, m: f.octave_pyramid(ONE, lambda x: x[..., 1:], 2, 2), r"dream\(picture\) has shape"),
    (lambda f, m: f.octave_pyramid(ONE, lambda x: None, 2, 2), r"dream\(picture\) is of type"),
    (lambda f, m: f.match_guide(TWO, ONE), r"features has shape .*features\[i:i \+ 1\]"),
    (lambda f, m: f.match_guide(ONE, ONE[0]), "guide has shape"),
    (lambda f, m: f.match_guide(ONE, ONE[:, :2]), "guide has 2 channels and features 3"),
    (lambda f, m: f.match_guide(ONE.int(), ONE), "features is of type .*float tensor"),
])
def test_what_does_not_fit_is_refused_in_words(call, words):
    with pytest.raises((TypeError, ValueError), match=words):
        call(reference, tiny_net())
    assert not ONE.any()


# --- mistakes

@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("exercise, often", [(STEP, 9), (OCTAVES, 3)])
def test_two_slips_are_both_said(exercise, often):
    known = KNOWN.COMBINED[exercise]
    assert len(known) > 250
    wrong = {names: given for names, function in known[::often]
             if set(given := verdict(exercise, function) or ()) != set(names)}
    assert not wrong, wrong


def test_two_slips_in_a_match_are_both_said():
    pairs = [entry for entry in KNOWN.MISTAKES[GUIDE] if len(entry[0]) == 2]
    assert len(pairs) >= 20
    for names, function in pairs:
        assert set(verdict(GUIDE, function)) == set(names)


def test_a_step_that_nobody_knows_is_not_given_a_name():
    def shaken(img, *given):
        new = reference.deepdream_step(img, *given)
        return 0.9 * new + 0.1 * new.flip(3)
    assert verdict(STEP, shaken) == []


def test_a_pyramid_that_nobody_knows_is_not_given_a_name():
    def shaken(img, *given):
        new = reference.octave_pyramid(img, *given)
        return 0.9 * new + 0.1 * new.flip(3)
    assert verdict(OCTAVES, shaken) == []


@pytest.mark.parametrize("result", [None, 3, torch.zeros(1, 3, 2, 2), torch.zeros(0), "x",
                                    torch.tensor(float("nan"))])
@pytest.mark.parametrize("exercise", CHECKS)
def test_what_is_no_picture_is_rejected_without_an_error(exercise, result):
    def strange(*given):
        if exercise == OCTAVES:
            given[1](given[0])
        return result
    assert verdict(exercise, strange) is not None
    for cell in CELLS.values():
        if isinstance(cell, Cell) and cell.exercise.name == exercise:
            with pytest.raises(Failed):
                cell(strange)


# --- what the checks try

def test_conditions_of_the_step_are_those_that_show_mistakes():
    inputs = {case.name: live(case.inputs(numbers), "cpu", torch.float64)
              for case in CHECKS[STEP].cases if case.tiny}
    assert set(inputs) == {*TINY, BLIND}
    for name in TINY:
        given = inputs[name]
        img, model, layer = given["img"], given["model"], given["layer"]
        moved = img.roll((given["oy"], given["ox"]), (2, 3)).requires_grad_()
        g, = torch.autograd.grad(half(activations(model, moved, layer)[layer]), moved)
        mean = g.abs().mean()
        assert img.shape[2] != img.shape[3] and abs(math.log(mean)) > 0.2, name
        assert kink_distance(model, moved) > 2e-3, name
        for measure in (g.std(), g.square().mean().sqrt(), g.abs().max(), g.mean().abs(), g.norm()):
            assert abs(math.log(measure / mean)) > 0.15, name
        ends = moved + given["learning_rate"] * g / mean
        over = ((ends < 0) | (ends > 1)).double().mean()
        assert 0.1 < over < 0.6 and ends.min() < 0 and ends.max() > 1 if name == CLIPPED else (
            over == 0), name
        jitter = (given["ox"], given["oy"])
        assert jitter == (0, 0) if name in STILL else abs(jitter[0]) != abs(jitter[1])
    assert len({inputs[name]["learning_rate"] for name in STILL}) == 3
    assert inputs[TWICE]["again"] != inputs[TWICE]["layer"]


def half(a):
    return a.square().sum() / 2


def test_octaves_have_sizes_that_tell_rules_apart():
    """Every rule for sizes but the right one is another in two cases, or it would have no name."""
    given = [case.inputs(numbers) for case in CHECKS[OCTAVES].cases if case.name in PYRAMIDS]
    sizes = {}
    for name, rules in SIZES.items():
        for rule in rules:
            found = [rule(list(one["img"].shape[2:]), one["octaves"], one["scale"])
                     for one in given]
            key = str(found)
            assert key not in sizes, (name, sizes[key])
            sizes[key] = name
            if name:
                right = [right_sizes(list(one["img"].shape[2:]), one["octaves"], one["scale"])
                         for one in given]
                assert sum(a != b for a, b in zip(found, right)) >= 2, name


def test_dreams_of_the_check_leave_what_they_are_given():
    img = tiny_images(1, 7, 8) * 0.75 + 0.1
    for dream in DREAMS.values():
        before, new = img.clone(), dream(img)
        assert torch.equal(img, before) and new.data_ptr() != img.data_ptr()


def test_dreams_are_clipped_on_the_way_in_one_case_alone():
    for case in CHECKS[OCTAVES].cases:
        given, seen = case.inputs(numbers), []

        def dream(x):
            new = DREAMS[given["dream"]](x)
            seen.extend([x, new])
            return new
        reference.octave_pyramid(given["img"], dream, given["octaves"], given["scale"])
        inside = all(0 <= x.min() and x.max() <= 1 for x in seen)
        assert inside == (case.name != LIGHT), case.name


def test_matches_lie_away_from_ties_but_for_exact_ones():
    for case in CHECKS[GUIDE].cases:
        given = case.inputs(numbers)
        products = torch.einsum("ncp,ncq->npq", given["features"].flatten(2),
                                given["guide"].flatten(2))[0]
        best = products.topk(2, dim=1).values
        gaps = (best[:, 0] - best[:, 1]).view(given["features"].shape[2:])
        if case.name in HARD:
            assert (gaps[0] == 0).all() and (gaps[1, 1::2] == 0).all()
            assert (products.amax(dim=1) < 0).sum() >= 2
            gaps = gaps[2:]
        assert gaps.min() > 1e-3, case.name


@pytest.mark.parametrize("multiple", [lambda a: a.square().sum() / 2, lambda a: a.square().mean()])
@pytest.mark.parametrize("constant, right", [(1e-12, True), (1e-8, True), (1e-7, True),
                                             (1e-6, True), (1e-3, False), (1e-2, False),
                                             (0.1, False), (1, False)])
def test_a_constant_in_the_divisor_is_right_if_small_and_said_if_large(constant, right, multiple):
    step = KNOWN.step_by(goal=multiple, divisor=lambda g: g.abs().mean() + constant)
    assert verdict(STEP, step) == (None if right else ["large constant in the divisor"])
    cells = [cell for cell in CELLS.values()
             if isinstance(cell, Cell) and cell.exercise.name == STEP]
    if right:
        for cell in cells:
            cell(step)
    else:
        with pytest.raises(Failed):
            for cell in cells:
                cell(step)


@pytest.mark.parametrize("seed", range(4))
def test_gradients_of_the_hidden_steps_are_not_too_small(seed):
    """A constant of 1e-6 must not be seen, whatever is drawn."""
    step = KNOWN.step_by(divisor=lambda g: g.abs().mean() + 1e-6)
    for cell in CELLS.values():
        if isinstance(cell, Cell) and cell.exercise.name == STEP:
            given = cell.draw(torch.Generator().manual_seed(seed))
            assert cell.judge_outcomes(given, cell.observe(given, step)) is None


@pytest.mark.parametrize("function, name", [
    (lambda features, guide: reference.match_guide(features, guide) + features - features.detach(),
     "gradient through the match"),
    (lambda features, guide: reference.match_guide(features, guide.flip(2, 3)), "last of equals"),
    (KNOWN.match_by(lambda f, g: (f @ g.T).relu()), "negative products cut"),
])
def test_what_shows_at_hard_places_or_in_gradients_alone_loses_hidden_points(function, name):
    assert verdict(GUIDE, function) == [name]
    with pytest.raises(Failed):
        CELLS["matched"](function)


@pytest.mark.filterwarnings("ignore")
def test_a_step_that_nobody_knows_takes_no_longer():
    """Half a search where the picture hardly moves: its noise is like many formulas."""
    for divisor in (lambda g: g.abs().mean() + 10, lambda g: g.abs().mean().sqrt()):
        begun = time.process_time()
        verdict(STEP, KNOWN.step_by(goal=lambda a: a.square().mean(), divisor=divisor))
        assert time.process_time() - begun < 3  # about 0.9 alone on one core


# --- graded cells

def test_wrong_work_fails_when_judged_apart(tmp_path):
    right = right_answers(NOTEBOOK)
    wrong = right.replace("gradient.abs().mean()", "gradient.std()")
    wrong = wrong.replace("round(side / scale ** k)", "int(side / scale ** k)")
    wrong = wrong.replace("argmax(dim=2)", "argmin(dim=2)")
    assert wrong.count("std()") == wrong.count("int(side") == wrong.count("argmin") == 1
    said = judged_apart(tmp_path, NOTEBOOK, wrong)
    assert all(said.values()) and set(said) == set(CELLS)
    assert "standard deviation" in said["dream_check"] and "cut" in said["octaves_check"]
    assert "sizes [[" in said["identity"]


@pytest.mark.parametrize("change, cells", [
    (("moved.detach() + ", "moved.detach() - "), {"dream_check", "one_step", "jittered",
                                                  "clipped"}),
    (("(-oy, -ox)", "(-oy, ox)"), {"dream_check", "jittered", "clipped"}),
    (("dims=(2, 3)).clamp(0, 1)", "dims=(2, 3))"), {"dream_check", "clipped"}),
    (("detail = dreamed - base", "detail = dreamed"), {"octaves_check", "identity", "detail"}),
    (("base + resized(detail, size)", "base"), {"octaves_check", "detail"}),
])
def test_points_are_lost_where_they_belong(change, cells, tmp_path):
    right = right_answers(NOTEBOOK)
    assert change[0] in right
    said = judged_apart(tmp_path, NOTEBOOK, right.replace(*change))
    assert {name for name, sentence in said.items() if sentence} == cells


@pytest.mark.parametrize("exercise, name", [(exercise, name) for exercise, known in
                                            KNOWN.ALTERNATIVES.items() for name in known])
def test_other_right_solutions_pass_every_hidden_cell(exercise, name):
    for cell in CELLS.values():
        if isinstance(cell, Cell) and cell.exercise.name == exercise:
            cell(KNOWN.ALTERNATIVES[exercise][name])


# --- mutants: those of the references are in test_mutants

FAMILIAR = {  # as most people write them
    STEP: """
def deepdream_step(img, model, layer, learning_rate, ox, oy):
    x = torch.roll(img, (oy, ox), (2, 3)).requires_grad_()
    a = activations(model, x, layer)[layer]
    loss = 0.5 * (a ** 2).sum()
    loss.backward()
    g = x.grad / (x.grad.abs().mean() + 1e-12)
    x = x.detach() + learning_rate * g
    x = torch.roll(x, (-oy, -ox), (2, 3))
    return x.clamp(0, 1)
""",
    OCTAVES: """
def octave_pyramid(img, dream, octaves, scale):
    detail = None
    for k in range(octaves - 1, -1, -1):
        size = (round(img.shape[2] / scale ** k), round(img.shape[3] / scale ** k))
        base = F.interpolate(img, size=size, mode="bilinear", antialias=True)
        start = base
        if detail is not None:
            start = base + F.interpolate(detail, size=size, mode="bilinear")
        dreamed = dream(start)
        detail = dreamed - base
    return dreamed
""",
    GUIDE: """
def match_guide(features, guide):
    f = features[0].flatten(1)
    g = guide[0].flatten(1)
    best = (f.T @ g).argmax(dim=1)
    return g[:, best].reshape(features.shape).detach()
"""}
SAME = {  # a graph is a note; any multiple of the energy has one direction; one is first and last
    STEP: ("without .detach()", "0.5 ", "1e-12"), OCTAVES: (),
    GUIDE: ("without .detach()", "0 -> -1")}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("exercise", FAMILIAR)
def test_every_mutant_of_the_familiar_answer_is_rejected_and_loses_points(exercise):
    survivors, total, cells = [], 0, drawn_for(exercise)
    for words, source in mutants(FAMILIAR[exercise]):
        names, total = {"torch": torch, "F": torch.nn.functional, "activations": activations}, (
            total + 1)
        exec(source, names)
        if verdict(exercise, names[exercise]) is None or not killed_by_hidden(
                cells, names[exercise]):
            survivors.append(words)
    assert total > 15
    left = [words for words in survivors if not any(part in words for part in SAME[exercise])]
    assert not left, "\n".join(left)
