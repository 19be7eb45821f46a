"""Every known mistake is rejected under its own name, every right solution is accepted."""

import copy
import random
import sys
import time

import numpy as np
import pytest
import torch
from torch import nn

from cs_vis import checks
from cs_vis.checks import engine, fixtures
from cs_vis.checks.distance import comparable
from cs_vis.checks.harm import HARMS, harms_between, state_of
from cs_vis.checks.stored import golden_of, load_goldens
from cs_vis.grading.goldens import mistakes_of
from cs_vis.reference import saliency as reference

KNOWN = mistakes_of("03_saliency")
MISTAKES = [(exercise, name) for exercise, known in KNOWN.MISTAKES.items() for name in known]
ALTERNATIVES = [(exercise, name) for exercise, known in KNOWN.ALTERNATIVES.items()
                for name in known]
right = reference.compute_saliency_maps
check_maps = checks.compute_saliency_maps


@pytest.mark.parametrize("exercise, name", MISTAKES)
def test_mistake_is_rejected_under_its_own_name(exercise, name, record_property):
    with pytest.raises(checks.CheckFailed) as caught:
        getattr(checks, exercise)(KNOWN.MISTAKES[exercise][name])
    record_property("verdict", (exercise, name, f"rejected as: {caught.value.mistake}"))
    assert caught.value.mistake == name


@pytest.mark.filterwarnings("ignore:a right answer may warn")
@pytest.mark.parametrize("exercise, name", ALTERNATIVES)
def test_other_right_solution_is_accepted(exercise, name, record_property, capsys):
    getattr(checks, exercise)(KNOWN.ALTERNATIVES[exercise][name])
    record_property("verdict", (exercise, name, "accepted"))
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1].startswith(f"✓ {exercise} is right on ")
    assert printed.err == ""  # nbgrader would score a warning 0


@pytest.mark.parametrize("exercise", checks.EXERCISES)
def test_every_sentence_has_a_mistake_and_every_mistake_a_sentence(exercise):
    known = set(KNOWN.MISTAKES[exercise])
    told = set(checks.EXERCISES[exercise].mistakes)
    assert told <= known and known - told <= set(HARMS)
    assert len(known) >= 8 and len(KNOWN.ALTERNATIVES[exercise]) >= 3


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("exercise", checks.EXERCISES)
def test_reference_passes_on_both_devices_in_under_two_seconds(exercise, threads, device, capsys):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        start = time.process_time()
        getattr(checks, exercise)(getattr(reference, exercise), device=str(device))
        assert time.process_time() - start < 2 * threads
    finally:
        torch.set_num_threads(before)
    assert len(capsys.readouterr().out.splitlines()) == 1


# Bits of numbers: float32 must hold the bounds with room to spare, or right work would fail.
@pytest.mark.parametrize("exercise", checks.EXERCISES)
def test_float32_keeps_a_tenth_of_the_bounds(exercise, device):
    exercise = checks.EXERCISES[exercise]
    goldens = load_goldens(exercise.notebook)
    for case in exercise.cases:
        outputs = engine.observe(case, getattr(reference, exercise.name), device).outputs
        for name, golden in golden_of(goldens, exercise, case).items():
            error = case.distance(*map(comparable, (outputs[name], golden)))
            assert error <= 0.1 * case.tolerance, (case.name, name, error)


def test_solution_that_works_on_the_accelerator_is_accepted(device):
    def through_device(X, y, model):
        moved = copy.deepcopy(model).to(device)
        return right(X.to(device), y.to(device), moved).to(X.device)
    check_maps(through_device)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_result_left_on_another_device_is_said():
    with pytest.raises(checks.CheckFailed, match="lies on cpu and should lie on cuda"):
        check_maps(lambda X, y, model: right(X, y, model).cpu(), device="cuda")


# --- unsolved, broken and odd functions

def test_unsolved_exercise_is_told_kindly():
    def stub(X, y, model):
        raise NotImplementedError()
    with pytest.raises(checks.NotSolved, match="maps is not written yet") as caught:
        check_maps(stub)
    assert isinstance(caught.value, checks.CheckFailed) and caught.value.mistake is None


def test_half_a_class_is_unsolved():
    class GuidedReLU(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.clamp(min=0)

        @staticmethod
        def backward(ctx, gradient):
            raise NotImplementedError
    with pytest.raises(checks.NotSolved):
        checks.GuidedReLU(GuidedReLU)


def test_students_own_error_stays_visible_with_its_line():
    def typo(X, y, model):
        return model(X)[0, unknown]  # noqa: F821
    with pytest.raises(checks.CheckFailed, match=r"NameError .*unknown.* in line \d+: return") as c:
        check_maps(typo)
    assert isinstance(c.value.__cause__, NameError)


def test_error_inside_a_library_names_the_students_line():
    def wrong_shape(X, y, model):
        return torch.stack([X, X[:, :1]])
    with pytest.raises(checks.CheckFailed, match=r"in line \d+: return torch.stack"):
        check_maps(wrong_shape)


@pytest.mark.parametrize("answer, sentence", [
    (lambda X, maps: None, "should be a tensor and is of type NoneType .*end in `return`"),
    (lambda X, maps: maps.numpy(), "should be a tensor and is of type ndarray .*torch.from_numpy"),
    (lambda X, maps: list(maps), "should be a tensor and is of type list"),
    (lambda X, maps: maps.double(), "has dtype torch.float64 and should have torch.float32"),
    (lambda X, maps: maps[:, None], r"has shape \(3, 1, 10, 7\) and should have \(3, 10, 7\)"),
    (lambda X, maps: maps / 0, "holds NaN or infinite values"),
    (lambda X, maps: maps * float("nan"), "holds NaN or infinite values"),
    (lambda X, maps: maps + (maps == maps.max()), r"is off in 1 of 210 values, most at"),
    (lambda X, maps: 3 * maps, r"is off in 210 of 210 values, most at \[\d, \d, \d\]: "),
])
def test_what_differs_is_said(answer, sentence):
    with pytest.raises(checks.CheckFailed, match="With three images, the result " + sentence):
        check_maps(lambda X, y, model: answer(X, right(X, y, model)))


@pytest.mark.parametrize("exercise", checks.EXERCISES)
@pytest.mark.parametrize("odd", [lambda *a, **k: None, lambda *a, **k: 3, lambda *a, **k: "map",
                                 lambda: 1, int, torch.tensor(1.0), None])
def test_odd_things_fail_as_failed_checks(exercise, odd):
    with pytest.raises(checks.CheckFailed):
        getattr(checks, exercise)(odd)


def test_what_is_written_to_stderr_goes_to_stdout(capsys):
    def chatty(X, y, model):
        print("almost there", file=sys.stderr)
        return right(X, y, model)
    check_maps(chatty)
    printed = capsys.readouterr()
    assert "almost there" in printed.out and not printed.err


@pytest.mark.parametrize("exercise", checks.EXERCISES)
def test_without_its_goldens_a_check_passes_nobody(exercise, monkeypatch, capsys):
    stored = load_goldens("03_saliency")
    last = f"{exercise}/{checks.EXERCISES[exercise].cases[-1].name}/"
    kept = {key: tensor for key, tensor in stored.tensors.items() if not key.startswith(last)}
    monkeypatch.setattr(engine, "load_goldens", lambda notebook: stored._replace(tensors=kept))
    with pytest.raises(LookupError, match="out of date.*Run `make goldens` .* or reinstall"):
        getattr(checks, exercise)(getattr(reference, exercise))
    assert capsys.readouterr().out == ""


# --- the number of images

def backward_from(pick, ones, own_copy=True):
    """The map by backward(ones), for scores picked in one of many ways."""
    def maps(X, y, model):
        X = X.detach().requires_grad_() if own_copy else X.requires_grad_()
        pick(model(X), y).backward(ones(y))
        return X.grad.abs().amax(dim=1)
    return maps


def gathered(scores, y):
    return scores.gather(1, y.view(-1, 1)).squeeze()


@pytest.mark.parametrize("name, maps", [
    ("hard-coded batch axis", backward_from(gathered, lambda y: torch.ones(5))),
    ("hard-coded batch axis", backward_from(gathered, lambda y: torch.ones(5), own_copy=False)),
    ("hard-coded batch axis", backward_from(lambda s, y: s[range(5), y], lambda y: torch.ones(5))),
    ("hard-coded batch axis", lambda X, y, model: right(X, y, model).view(5, 7, 6)),
    ("squeezed batch axis", backward_from(gathered, lambda y: torch.ones(len(y)))),
    ("squeezed batch axis", backward_from(gathered, lambda y: torch.ones(len(y)), own_copy=False)),
    ("squeezed batch axis", backward_from(lambda s, y: s.squeeze()[torch.arange(len(y)), y],
                                          lambda y: torch.ones(len(y)))),
    ("squeezed batch axis", lambda X, y, model: torch.autograd.grad(
        model(X.requires_grad_()).gather(1, y.view(-1, 1)).sum(), X)[0].squeeze().abs().amax(1)),
])
def test_slips_with_the_number_of_images_are_named(name, maps, record_property):
    with pytest.raises(checks.CheckFailed) as caught:
        check_maps(maps)
    assert caught.value.mistake == name


def forgot_to_ask(X, y, model):
    gathered(model(X), y).sum().backward()  # works only where X asks for gradients already
    return X.grad.abs().amax(dim=1)


def cleared_too_early(X, y, model):
    X.grad.zero_()  # None where nothing was there before
    return backward_from(gathered, lambda y: torch.ones_like(y), own_copy=False)(X, y, model)


def float32_only(X, y, model):
    return right(X, y, model) * (torch.ones(1, 1) @ torch.ones(1, 1, dtype=X.dtype))


@pytest.mark.parametrize("maps", [forgot_to_ask, cleared_too_early, float32_only])
def test_what_fails_on_some_batches_for_other_reasons_is_not_blamed_on_them(maps):
    with pytest.raises(checks.CheckFailed, match="your code raised") as caught:
        check_maps(maps)
    assert caught.value.mistake is None


# --- verdicts that would mislead

@pytest.mark.parametrize("full", [torch.zeros_like, torch.ones_like])
def test_constant_mask_is_not_blamed_on_the_map(full):
    with pytest.raises(checks.CheckFailed, match=r"is off in \d+ of 2240 values") as caught:
        checks.segment_by_saliency(lambda image, saliency: full(saliency, dtype=torch.bool))
    assert caught.value.mistake is None


@pytest.mark.parametrize("odd", [reference.GuidedReLU.apply, torch.relu, nn.ReLU(),
                                 lambda x: x.clamp(min=0)])
def test_relu_that_is_no_class_is_asked_for_the_class(odd):
    with pytest.raises(checks.CheckFailed, match="Pass the class itself"):
        checks.GuidedReLU(odd)


def test_relu_with_a_slip_of_the_pen_hears_of_that():
    class GuidedReLU(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return unknown.clamp(x)  # noqa: F821
    with pytest.raises(checks.CheckFailed, match="NameError .*unknown") as caught:
        checks.GuidedReLU(GuidedReLU)
    assert caught.value.mistake is None


@pytest.mark.parametrize("base", [nn.Module, object])
def test_class_that_is_no_function_hears_what_to_derive_it_from(base):
    with pytest.raises(checks.CheckFailed, match="Derive the class from torch.autograd.Function"):
        checks.GuidedReLU(type("GuidedReLU", (base,), {}))


def test_calling_the_function_first_is_explained():
    with pytest.raises(checks.CheckFailed, match="Pass the function itself"):
        check_maps(torch.zeros(3))


def test_relu_that_returns_nothing():
    class GuidedReLU(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            pass

        @staticmethod
        def backward(ctx, gradient):
            return gradient
    with pytest.raises(checks.CheckFailed, match="the forward result should be.*in `return`"):
        checks.GuidedReLU(GuidedReLU)


def test_two_mistakes_at_once_are_not_given_one_name():
    with pytest.raises(checks.CheckFailed) as caught:
        check_maps(lambda X, y, model: right(X, y, model).sqrt())
    assert caught.value.mistake is None


# --- harm

def inputs_of_three():
    return fixtures.tiny_images(2, 6, 6, "cpu", torch.float32, 5), fixtures.tiny_net(
        "cpu", torch.float32)


def replace_relu(X, model):
    model.relu = nn.ReLU().eval()


@pytest.mark.parametrize("harm, act", [
    ("input changed", lambda X, model: X.add_(1)),
    ("model switched to train mode", lambda X, model: model.pool.train()),
    ("weights changed", lambda X, model: model.fc.weight.add_(1)),
    ("weights changed", lambda X, model: model.mean_color.mul_(2)),
    ("weights' gradients left", lambda X, model: model.fc.requires_grad_()),
    ("hooks left", lambda X, model: model.conv1.register_forward_hook(print)),
    ("hooks left", lambda X, model: model.conv1.register_full_backward_hook(print)),
    ("layers replaced", replace_relu),
    ("random numbers used", lambda X, model: torch.rand(1)),
    ("random numbers used", lambda X, model: np.random.rand()),
    ("random numbers used", lambda X, model: random.random()),
    ("gradients switched off", lambda X, model: torch.set_grad_enabled(False)),
])
def test_harm_is_found_and_named(harm, act):
    X, model = inputs_of_three()
    before = state_of({"X": X, "model": model})
    try:
        act(X, model)
        found = harms_between(before, state_of({"X": X, "model": model}))
    finally:
        torch.set_grad_enabled(True)
    assert harm in found and set(found) <= {harm, "weights' gradients left", "layers replaced"}


def test_gradients_on_the_input_are_no_harm():
    X, model = inputs_of_three()
    before = state_of({"X": X, "model": model})
    X.requires_grad_()
    model(X).sum().backward()
    assert harms_between(before, state_of({"X": X, "model": model})) == []


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("harm, act", [
    ("gradients switched off", lambda: torch.set_grad_enabled(False)),
    ("random numbers used", lambda: torch.manual_seed(3)),
    ("random numbers used", lambda: np.random.seed(3)),
    ("random numbers used", lambda: random.seed(3))])
def test_check_puts_back_what_belongs_to_everybody(harm, act, fails):
    def careless(X, y, model):
        maps = right(X, y, model)
        act()
        return maps[0, 0, 0, 0] if fails else maps
    before = state_of({})
    with pytest.raises(checks.CheckFailed) as caught:
        check_maps(careless)
    assert caught.value.mistake == harm and harms_between(before, state_of({})) == []


def test_check_leaves_random_numbers_and_precision_alone():
    before = torch.get_rng_state(), torch.backends.cudnn.allow_tf32
    check_maps(right)
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == torch.backends.cudnn.allow_tf32


# --- fixtures

def test_numbers_are_the_same_everywhere():
    assert (256 * fixtures.numbers(6, seed=3)).tolist() == [188, 47, 115, 48, 205, 198]
    many = fixtures.numbers(100, 100, seed=1)
    assert many.min() >= 0 and many.max() < 1 and abs(many.mean() - 0.5) < 0.01


def kink_distance(model, X):
    """How near the tiny network's ReLUs are to 0, and its pools to a tie."""
    before = model.conv1(X - 0.5)
    pooled, ties = model.pool(before.relu()), before.relu().unfold(2, 2, 2).unfold(3, 2, 2)
    first, second = ties.flatten(4).topk(2, dim=4).values.unbind(dim=4)
    after = model.conv2(pooled)
    return min(before.abs().min(), after.abs().min(), (first - second)[first > 0].min()).item()


@pytest.mark.parametrize("exercise", ["compute_saliency_maps", "GuidedReLU"])
def test_tiny_cases_lie_away_from_kinks(exercise):
    for case in checks.EXERCISES[exercise].cases:
        inputs = case.build("cpu", torch.float64) if case.fingerprints else {}
        if "model" in inputs:
            X = inputs["X"] if "X" in inputs else inputs["image"]
            assert kink_distance(inputs["model"], X.detach()) > 1e-3, case.name
        if "x" in inputs:
            assert min(inputs["x"].abs().min(), inputs["gradient"].abs().min()) > 1e-3


def test_labels_are_mostly_wrong():
    for case in checks.EXERCISES["compute_saliency_maps"].cases[:3]:
        inputs = case.build("cpu", torch.float64)
        assert (inputs["model"](inputs["X"]).argmax(dim=1) != inputs["y"]).double().mean() > 0.5
