"""The exercises of notebook 06: reference, conditions of the checks, graded cells, mutants.

What holds for the checks of all notebooks is in test_checks, test_mistakes and test_goldens.
"""

import inspect
import math
from collections import Counter

import numpy as np
import pytest
import torch

from cs_vis import activations
from cs_vis.checks.exercise import CheckFailed
from cs_vis.checks.feature_inversion import EXERCISES
from cs_vis.checks.feature_inversion.reading import OBJECTIVES, Place, prior_of
from cs_vis.checks.feature_inversion.step import CHAIN, TINY
from cs_vis.checks.fixtures import numbers
from cs_vis.checks.inputs import live
from cs_vis.checks.stored import load_goldens
from cs_vis.grading import goldens
from cs_vis.grading.hidden import Cell, Failed
from cs_vis.reference import feature_inversion as reference
from mutants import mutants
from test_hidden import judged_apart, right_answers
from test_mutants import drawn_for, killed_by_hidden
from tiny import tiny_images, tiny_net
from written import hidden_cells, verdict

NOTEBOOK = "06_feature_inversion"
KNOWN = goldens.mistakes_of(NOTEBOOK)
CHECKS = {exercise.name: exercise for exercise in EXERCISES}
STEP = "inversion_step"
CELLS = hidden_cells(NOTEBOOK)


# --- the reference

def test_distance_is_a_part_of_the_targets_square(device):
    features, target = (torch.randn(1, 3, 4, 5, generator=torch.Generator().manual_seed(seed))
                        .to(device, torch.float64) for seed in (1, 2))
    a, b = features.cpu().numpy().ravel(), target.cpu().numpy().ravel()
    leaf = features.clone().requires_grad_()
    distance = reference.feature_distance(leaf, target)
    assert distance.shape == () and distance.dtype == torch.float64
    assert math.isclose(distance.item(), sum((a - b) ** 2) / sum(b ** 2), rel_tol=1e-12)
    slope, = torch.autograd.grad(distance, leaf)
    assert torch.allclose(slope, 2 * (features - target) / target.square().sum())
    assert reference.feature_distance(target, target) == 0
    assert reference.feature_distance(0 * target, target) == 1


def by_loops(x, beta):
    """The sum of the formula in NumPy, term by term."""
    total = 0.0
    for color in x:
        for i, j in np.ndindex(*color.shape):
            right = color[i, j + 1] - color[i, j] if j + 1 < color.shape[1] else 0
            down = color[i + 1, j] - color[i, j] if i + 1 < color.shape[0] else 0
            total += (right ** 2 + down ** 2) ** (beta / 2)
    return total


@pytest.mark.parametrize("beta", [0.5, 1, 1.5, 2, 3])
@pytest.mark.parametrize("shape", [(5, 7), (1, 6), (4, 1), (1, 1)])
def test_variation_is_the_formula(beta, shape, device):
    img = tiny_images(1, *shape, device, torch.float64) - 0.5
    variation = reference.total_variation(img, beta)
    assert variation.shape == () and variation.dtype == torch.float64
    assert math.isclose(variation.item(), by_loops(img[0].cpu().numpy(), beta), rel_tol=1e-10)


@pytest.mark.parametrize("beta", [1, 1.5, 2, 3])
def test_variations_gradient_is_that_of_finite_differences(beta):
    img = tiny_images(1, 3, 4, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: reference.total_variation(x, beta), img, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_variation_of_what_is_flat_is_0_and_so_is_its_gradient(dtype, device):
    img = torch.full((1, 3, 6, 6), 0.3, dtype=dtype, device=device).requires_grad_()
    for beta in (1, 1.5, 2):
        variation = reference.total_variation(img, beta)
        slope, = torch.autograd.grad(variation, img)
        assert variation == 0 and not slope.any()


def test_variation_of_a_ramp_and_of_an_edge():
    """With beta 1 both cost as much as they rise; with 2 the ramp costs less."""
    ramp = torch.linspace(0, 1, 9, dtype=torch.float64).expand(1, 3, 4, 9)
    edge = (ramp > 0.5).double()
    rise = 3 * 4  # once in every row of every colour
    for beta, of_the_ramp in ((1, rise), (2, rise / 8), (1.5, rise / 8 ** 0.5)):
        assert math.isclose(reference.total_variation(ramp, beta).item(), of_the_ramp)
        assert reference.total_variation(edge, beta) == rise


@pytest.mark.parametrize("alpha", [1, 2, 2.5, 6])
def test_alpha_norm_is_a_sum_of_powers(alpha, device):
    img = (tiny_images(1, 4, 5, device, torch.float64) - 0.5).requires_grad_()
    norm = reference.alpha_norm(img, alpha)
    values = img.detach().cpu().numpy().ravel()
    assert norm.shape == ()
    assert math.isclose(norm.item(), sum(abs(v) ** alpha for v in values), rel_tol=1e-12)
    slope, = torch.autograd.grad(norm, img)
    wanted = alpha * img.detach().abs() ** (alpha - 1) * img.detach().sign()
    assert torch.allclose(slope, wanted)


@pytest.mark.parametrize("layer", ["relu", "pool", "conv2", "head"])
def test_step_goes_down_the_distance_and_the_prior(layer, device):
    img, model = tiny_images(1, 6, 9, device, torch.float64), tiny_net(device, torch.float64)
    target = activations(model, img.flip(3), layer)[layer]
    kept = img.clone(), target.clone()

    def energy(x):
        features = activations(model, x, layer)[layer]
        return (features - target).square().sum() / target.square().sum() + 0.01 * (x ** 4).sum()

    x = img.clone().requires_grad_()
    energy(x).backward()
    new = reference.inversion_step(img, model, layer, target, lambda x: 0.01 * (x ** 4).sum(), 0.25)
    assert torch.allclose(new, img - 0.25 * x.grad / x.grad.norm(), rtol=1e-12)
    assert not new.requires_grad and new.data_ptr() != img.data_ptr()
    assert torch.equal(img, kept[0]) and torch.equal(target, kept[1])
    with torch.no_grad():
        short = reference.inversion_step  # a short step comes down
    assert energy(short(img, model, layer, target, lambda x: 0.01 * (x ** 4).sum(), 1e-3)) < (
        energy(img))


def test_step_takes_a_number_for_a_prior_and_a_rate_of_zero():
    img, model = tiny_images(1, 6, 6), tiny_net()
    target = activations(model, img.flip(2), "pool")["pool"]
    assert torch.equal(reference.inversion_step(img, model, "pool", target, lambda x: 0, 0), img)


def test_step_where_nothing_pulls_gives_the_values_back():
    img, model = tiny_images(1, 6, 6), tiny_net()
    torch.nn.init.zeros_(model.conv1.weight)
    target = torch.ones(1, 6, 6, 6)
    new = reference.inversion_step(img, model, "conv1", target, lambda x: 0 * x.sum(), 5.0)
    assert torch.equal(new, img) and new.data_ptr() != img.data_ptr()


def test_step_leaves_no_trace_on_the_network():
    img, model = tiny_images(1, 6, 6), tiny_net(guarded=True)
    target = activations(model, img.flip(2), "relu")["relu"]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    reference.inversion_step(img, model, "relu", target, lambda x: x.sum(), 1.0)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not model.training and not any(p.requires_grad for p in model.parameters())
    assert not any(m._forward_hooks for m in model.modules()) and img.grad is None
    assert not img.requires_grad


ONE, TWO = torch.zeros(1, 3, 8, 8), torch.zeros(2, 3, 8, 8)
MAPS = torch.ones(1, 6, 8, 8)


@pytest.mark.parametrize("call, words", [
    (lambda f, m: f.feature_distance(MAPS[0], MAPS[0]), "features has shape .*one picture"),
    (lambda f, m: f.feature_distance(TWO, TWO), "features has shape .*one picture"),
    (lambda f, m: f.feature_distance(MAPS, ONE), "target has shape .* take both from one layer"),
    (lambda f, m: f.feature_distance(MAPS, 0 * MAPS), "target is 0 everywhere"),
    (lambda f, m: f.feature_distance(MAPS, MAPS / 0), "target holds values that are NaN"),
    (lambda f, m: f.feature_distance(MAPS, 1.0), "target is of type float: pass a float tensor"),
    (lambda f, m: f.feature_distance({"conv1": MAPS}, MAPS), "features is of type dict"),
    (lambda f, m: f.total_variation(ONE[0], 1), r"img\[None\]"),
    (lambda f, m: f.total_variation(TWO, 1), "img has shape .*one picture"),
    (lambda f, m: f.total_variation(ONE, 0), "beta=0 must be above 0"),
    (lambda f, m: f.total_variation(ONE, "1"), "beta='1' must be a number"),
    (lambda f, m: f.alpha_norm(ONE, 0.5), "alpha=0.5 is out of range"),
    (lambda f, m: f.alpha_norm(ONE.long(), 2), "img has dtype torch.int64"),
    (lambda f, m: f.inversion_step(TWO, m, "conv1", MAPS, torch.sum, 1.0), "img has .*one picture"),
    (lambda f, m: f.inversion_step(ONE, m, "conv9", MAPS, torch.sum, 1.0), "layer.*='conv9'"),
    (lambda f, m: f.inversion_step(ONE, m, "conv1", MAPS, 0.5, 1.0), "prior=<float> must be a fun"),
    (lambda f, m: f.inversion_step(ONE, m, "conv1", MAPS, torch.abs, 1.0),
     r"prior\(img\) is a tensor \(1, 3, 8, 8\), but must be one number"),
    (lambda f, m: f.inversion_step(ONE, m, "conv1", MAPS, lambda x: None, 1.0),
     r"prior\(img\) is <NoneType>, but must be one number"),
    (lambda f, m: f.inversion_step(ONE, m, "conv1", MAPS, torch.sum, -1), "learning_rate=-1"),
    (lambda f, m: f.inversion_step(ONE, m, "pool", MAPS, torch.sum, 1.0), "target has shape"),
])
def test_what_does_not_fit_is_refused_in_words(call, words):
    with pytest.raises((TypeError, ValueError), match=words):
        call(reference, tiny_net())
    assert not ONE.any()


# --- mistakes

PAIRS = [(exercise, names, function) for exercise, known in KNOWN.MISTAKES.items()
         for names, function in known if len(names) > 1]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("exercise", [name for name in CHECKS if name != STEP])
def test_two_slips_are_both_said(exercise):
    """But those that end in the same values as fewer, which are told as these."""
    pairs = [(names, function) for name, names, function in PAIRS if name == exercise]
    assert len(pairs) >= 10
    for names, function in pairs:
        assert set(verdict(exercise, function)) == set(names)


@pytest.mark.filterwarnings("ignore")
def test_slips_in_the_step_are_all_said():
    """Every tenth pair, and all that stand by themselves."""
    seen = [(names, function) for names, function in KNOWN.COMBINED if function.__name__ != STEP]
    assert len(seen) >= 2 and len(KNOWN.COMBINED) > 300
    found = Counter()
    for names, function in [*KNOWN.COMBINED[::10], *seen]:
        given = verdict(STEP, function)
        found[given is not None and set(given) == set(names)] += 1
    assert not found[False], found


# --- what the checks try

def test_a_wrong_number_is_said_beside_the_right_one():
    with pytest.raises(CheckFailed, match=r"the value is [\d.]+ and should be [\d.]+\."):
        CHECKS["alpha_norm"](lambda img, alpha: (img.abs() ** alpha).sum() + img.abs().max() * 0.7)


def test_of_a_number_no_image_and_no_gradient_is_said():
    with pytest.raises(CheckFailed) as caught:
        CHECKS["alpha_norm"](lambda img, alpha: 1.3 * (img.abs() ** alpha).sum())
    assert str(caught.value) == "The value: It is 1.3 times the right one."
    with pytest.raises(CheckFailed) as caught:
        CHECKS["alpha_norm"](lambda img, alpha: 1.3 * (img.abs() ** alpha).sum() + 0.4)
    assert "the value is" in str(caught.value) and "image" not in str(caught.value)


def test_a_vector_of_one_number_is_told_by_its_shape():
    with pytest.raises(CheckFailed, match=r"shape \(1,\) and should have \(\)"):
        CHECKS["alpha_norm"](lambda img, alpha: (img.abs() ** alpha).sum(dim=(1, 2, 3)))


def test_a_step_that_nobody_knows_is_not_given_a_name():
    def shaken(img, *given):
        return reference.inversion_step(img, *given) + 0.1 * img.flip(3)
    assert verdict(STEP, shaken) == []


def test_a_wrong_distance_shows_in_the_step_under_its_own_name():
    """The step calls the student's own: what is wrong there is said of the distance."""
    def step(img, model, layer, target, prior, learning_rate):
        x = img.detach().clone().requires_grad_()
        features = activations(model, x, layer)[layer]
        energy = torch.nn.functional.mse_loss(features, target) + prior(x)
        gradient, = torch.autograd.grad(energy, x)
        return img - learning_rate * gradient / gradient.norm()
    with pytest.raises(CheckFailed, match="look whether it passes its check"):
        CHECKS[STEP](step)


def test_conditions_of_the_step_are_those_that_show_mistakes():
    """Away from kinks, features unlike the target, and a prior that pulls about as hard."""
    inputs = {case.name: live(case.inputs(numbers), "cpu", torch.float64)
              for case in CHECKS[STEP].cases if case.name in TINY}
    assert tuple(inputs) == TINY and inputs[CHAIN]["calls"] == 3
    for name, given in inputs.items():
        model, layer, target, img = (given[key] for key in ("model", "layer", "target", "img"))
        prior = prior_of(given["pull"], given["toward"], given["weight"])
        for _ in range(given.get("calls", 1)):
            here = Place(model, layer, target, prior, img)
            features = activations(model, img, layer)[layer]
            distance = reference.feature_distance(features, target)
            slope, pull = here.slope(OBJECTIVES[""][0]), here.pull()
            assert img.shape[2] != img.shape[3] and 0.05 < distance < 20, (name, distance)
            assert kink_distance(model, img) > 2e-3, (name, kink_distance(model, img))
            assert abs(math.log((slope - pull).norm())) > 0.2, name
            sizes = (target.square().sum(), target.norm(), features.square().sum(),
                     torch.tensor(float(target.numel())))
            assert all(abs(math.log(a / b)) > 0.1 for i, a in enumerate(sizes)
                       for b in sizes[:i]), (name, sizes)
            if given["weight"]:
                assert 0.2 < pull.norm() / slope.norm() < 5, (name, pull.norm() / slope.norm())
            img = reference.inversion_step(img, model, layer, target, prior,
                                           given["learning_rate"])
    assert len({given["learning_rate"] for given in inputs.values()} - {1.0}) == 4


def kink_distance(model, X):
    """How near the tiny network's ReLUs are to 0, and its pools to a tie."""
    before = model.conv1(X - 0.5)
    pooled, ties = model.pool(before.relu()), before.relu().unfold(2, 2, 2).unfold(3, 2, 2)
    first, second = ties.flatten(4).topk(2, dim=4).values.unbind(dim=4)
    after = model.conv2(pooled)
    return min(before.abs().min(), after.abs().min(), (first - second)[first > 0].min()).item()


def test_noise_of_the_variation_has_no_equal_neighbours():
    for case in CHECKS["total_variation"].cases[:3]:
        img = case.inputs(numbers)["img"]
        right, down = img.diff(dim=3), img.diff(dim=2)
        square = right[..., :-1, :] ** 2 + down[..., :-1] ** 2
        assert min(square.min(), right.abs().min() ** 2, down.abs().min() ** 2) > 1e-5, case.name


@pytest.mark.parametrize("constant, right", [(1e-8, True), (3e-8, True), (1e-7, False)])
def test_how_large_a_constant_under_the_power_may_be(constant, right):
    """By the check and by the hidden cells alike."""
    for function in (KNOWN.with_constant(constant),
                     KNOWN.variation_by(power=lambda s, half: s.clamp(min=constant) ** half)):
        said = verdict("total_variation", function)
        assert said == (None if right else ["large constant under the power"])
        assert passed("variation_flat", function) == {right}


@pytest.mark.parametrize("constant, right", [
    (1e-8, True), (1e-6, True), (1e-5, True), (1e-4, False), (1e-3, False), (1.0, False)])
@pytest.mark.parametrize("exercise, build, cells", [
    ("feature_distance", KNOWN.distance_with, ["fresh_distance", "distance_slope"]),
    (STEP, KNOWN.constant_beside, ["plain_step", "prior_step", "three_steps"])])
def test_how_large_a_constant_in_the_divisor_may_be(exercise, build, cells, constant, right):
    """By the check and by the hidden cells alike; and it is not taken for another slip."""
    function = build(constant)
    said = verdict(exercise, function)
    assert said == (None if right else ["large constant in the divisor"])
    for cell in cells:
        assert passed(cell, function) == {right}, cell


def passed(name, function, seeds=4) -> set:
    """Whether a hidden cell accepts, over some seeds."""
    found = set()
    for seed in range(seeds):
        inputs = CELLS[name].draw(torch.Generator().manual_seed(seed))
        outcomes = CELLS[name].observe(inputs, function)
        found.add(CELLS[name].judge_outcomes(inputs, outcomes) is None)
    return found


@pytest.mark.parametrize("constant, right", [(1e-14, True), (1e-8, True), (1e-6, False)])
def test_how_large_a_constant_under_the_square_may_be(constant, right):
    def by_squares(img, alpha):
        return (img ** 2 + constant).pow(alpha / 2).sum()
    assert (verdict("alpha_norm", by_squares) is None) == right
    assert passed("fresh_alpha", by_squares) == {right}


def test_a_constant_of_the_dtype_is_not_taken_for_another_dtype():
    def machine(img, beta):
        power = KNOWN.with_constant(torch.finfo(img.dtype).eps)
        return power(img, beta)
    assert verdict("total_variation", machine) == ["large constant under the power"]


def test_gradients_of_0_are_tried_where_powers_have_none():
    """Below 2, and where only beta below 1 shows it."""
    for exercise, cell, name in (("total_variation", "variation_flat", "complex_lengths"),
                                 ("alpha_norm", "fresh_alpha", "squares_to_half_the_power")):
        said = verdict(exercise, getattr(KNOWN, name))
        assert len(said) == 1 and said[0].startswith("NaN where"), said
        assert passed(cell, getattr(KNOWN, name)) == {False}


# --- graded cells

def test_wrong_work_fails_when_judged_apart(tmp_path):
    right = right_answers(NOTEBOOK)
    wrong = right.replace(" / target.square().sum()", "").replace("+ penalty", "- penalty")
    wrong = wrong.replace(".masked_fill(flat, 1)", "").replace(".masked_fill(flat, 0)", "")
    said = judged_apart(tmp_path, NOTEBOOK, wrong)
    failed = {name for name, sentence in said.items() if sentence}
    assert failed == {"distance_check", "fresh_distance", "distance_slope", "variation_check",
                      "variation_flat", "step_check", "prior_step", "three_steps"}
    assert "the distance is not divided" in said["step_check"]
    assert "The prior is subtracted" in said["step_check"]


@pytest.mark.parametrize("exercise, name", [(exercise, name) for exercise, known in
                                            KNOWN.ALTERNATIVES.items() for name in known])
def test_other_right_solutions_pass_every_hidden_cell(exercise, name):
    for cell in CELLS.values():
        if isinstance(cell, Cell) and cell.exercise.name == exercise:
            cell(KNOWN.ALTERNATIVES[exercise][name])


@pytest.mark.parametrize("exercise, form", [
    (exercise, form) for exercise, known in KNOWN.MISTAKES.items()
    for form, (names, _) in enumerate(known) if len(names) == 1])
@pytest.mark.filterwarnings("ignore")
def test_every_mistake_of_the_values_loses_hidden_points(exercise, form):
    (name,), function = KNOWN.MISTAKES[exercise][form]
    if name not in HABITS:
        assert killed_by_hidden(drawn_for(exercise), function)


# What the student's own process alone could report, or what shows on no fresh input.
HABITS = ("parameters in another order", "input changed", "graph kept", "gradient piles up",
          "train mode while it runs", "model switched to train mode", "weights' gradients left",
          "hooks left", "another dtype than the input's", "another dtype than img's")


@pytest.mark.parametrize("name", ["plain_step", "prior_step", "three_steps"])
def test_public_goldens_win_no_hidden_point(name):
    known = [tensor for key, tensor in load_goldens(NOTEBOOK).tensors.items() if STEP in key]

    def recall(img, *given):
        return next((x.to(img) for x in known if x.shape == img.shape), img.clone())
    with pytest.raises(Failed):
        CELLS[name](recall)


# --- mutants: those of the references are in test_mutants

@pytest.mark.parametrize("exercise, name", [
    (STEP, "backward(), a copy, under no_grad, with a note"),
    ("total_variation", "written into zeros, only what is above 0")])
@pytest.mark.filterwarnings("ignore")
def test_every_mutant_of_the_familiar_answer_is_rejected_and_loses_points(exercise, name):
    """As most people write it."""
    familiar = KNOWN.ALTERNATIVES[exercise][name]
    survivors, total, cells = [], 0, drawn_for(exercise)
    for words, source in mutants(inspect.getsource(familiar).split("\n", 1)[1]):
        names, total = {"torch": torch, "activations": activations}, total + 1
        exec(source, names)
        function = names[familiar.__name__]
        if verdict(exercise, function) is None or not killed_by_hidden(cells, function):
            survivors.append(words)
    assert total > 15
    assert [words for words in survivors if not any(part in words for part in SAME)] == []


SAME = (  # a copy is made either way, or img itself is asked for its gradient
    "argument True of img.clone()", ".clone().detach() without .detach()",
    "img.clone() without .clone()")
