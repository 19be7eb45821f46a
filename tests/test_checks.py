"""The engine of the checks: what it says, what it leaves alone, what it takes for no harm."""

import functools
import random
import re
import sys
import time

import numpy as np
import pytest
import torch
from torch import nn

from cs_vis import checks
from cs_vis.checks import engine, fixtures, messages
from cs_vis.checks.distance import comparable
from cs_vis.checks.engine import facts_of, observe_all
from cs_vis.checks.exercise import Case
from cs_vis.checks.fixtures import numbers
from cs_vis.checks.harm import harms_between, state_of, world_kept
from cs_vis.checks.inputs import live
from cs_vis.checks.judge import judge
from cs_vis.checks.observe import Interrupted, Observed, observe
from cs_vis.checks.stored import golden_of, load_goldens
from cs_vis.grading import goldens
from cs_vis.grading.hidden import Cell
from cs_vis.reference import saliency as reference
from tiny import tiny_images, tiny_net
from written import EXERCISES, NOTEBOOKS, hidden_cells
from written import reference as reference_of

right = reference.compute_saliency_maps
check_maps = checks.compute_saliency_maps


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("exercise", EXERCISES)
def test_reference_passes_on_both_devices_in_under_two_seconds(exercise, threads, device, capsys):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        start = time.process_time()
        EXERCISES[exercise](reference_of(exercise), device=str(device))
        assert time.process_time() - start < 2 * threads
    finally:
        torch.set_num_threads(before)
    assert capsys.readouterr().out.startswith("✓ ")


# Bits of numbers: float32 must hold the bounds with room to spare, or right work would fail.
@pytest.mark.parametrize("exercise", EXERCISES)
def test_float32_keeps_a_tenth_of_the_bounds(exercise, device):
    exercise, function = EXERCISES[exercise], reference_of(exercise)
    stored = load_goldens(exercise.notebook)
    for case in exercise.cases:
        outputs = observe(case.call, case.inputs(numbers), function, device, case.dtype).outputs
        for name, golden in golden_of(stored, exercise, case).items():
            error = case.distance(*map(comparable, (outputs[name], golden)))
            assert error <= 0.1 * case.tolerance, (case.name, name, error)


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_all_calls_of_a_notebook_take_at_most_a_second(notebook):
    """Those of the student's functions: what the engine and loading take is not theirs."""
    spent = [0.0]

    def timed(call):
        def measured(function, **inputs):
            start = time.process_time()
            try:
                return call(function, **inputs)
            finally:
                spent[0] += time.process_time() - start
        return measured

    def run():
        for exercise in goldens.exercises_of(notebook):
            function = reference_of(exercise.name)
            given = {case.name: case.inputs(numbers) for case in exercise.cases}
            cases = {case.name: case for case in exercise.cases}
            for name, case in cases.items():
                observe(timed(case.call), given[name], function, dtype=case.dtype)
            for trap in exercise.traps:
                observe(timed(trap.call or cases[trap.of].call), trap.change(given[trap.of]),
                        function, dtype=trap.dtype)
        for cell in hidden_cells(notebook).values():
            if not isinstance(cell, Cell):
                continue
            inputs = cell.draw(torch.Generator().manual_seed(1))
            function = reference_of(cell.exercise.name)
            for call, one in zip(cell.calls(inputs), inputs):
                observe(timed(call), one, function, dtype=cell.dtype)
    run()
    spent[0] = 0.0
    run()
    assert spent[0] <= 1.0, spent


def test_solution_that_works_on_the_accelerator_is_accepted(device):
    def through_device(X, y, model):
        import copy
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
    assert c.value.__cause__ is None and c.value.__suppress_context__


def test_error_inside_a_library_names_the_students_line():
    def wrong_shape(X, y, model):
        return torch.stack([X, X[:, :1]])
    with pytest.raises(checks.CheckFailed, match=r"in line \d+: return torch.stack"):
        check_maps(wrong_shape)


@pytest.mark.parametrize("answer, sentence", [
    (lambda X, maps: None, "the result should be a plain tensor and is of type NoneType "
     ".*end in `return`"),
    (lambda X, maps: list(maps), "the result should be a plain tensor and is of type list"),
    (lambda X, maps: maps.to_sparse(), "of type sparse tensor: take .to_dense"),
    (lambda X, maps: maps.to("meta"), "of type meta tensor"),
    (lambda X, maps: torch.nested.nested_tensor(list(maps)), "of type nested tensor"),
    (lambda X, maps: torch.quantize_per_tensor(maps, 0.1, 0, torch.quint8), "quantised tensor"),
    (lambda X, maps: maps.double(), "has dtype torch.float64 and should have torch.float32"),
    (lambda X, maps: maps / 0, "holds NaN or infinite values"),
    (lambda X, maps: maps * float("nan"), "holds NaN or infinite values"),
    (lambda X, maps: maps + (maps == maps.max()), r"is off in 1 of 120 values, most at"),
    (lambda X, maps: maps + maps.flip(1) ** 3, r"is off in \d+ of 120 values, most at \[\d, \d, "),
])
def test_what_differs_is_said(answer, sentence):
    with pytest.raises(checks.CheckFailed) as caught:
        check_maps(lambda X, y, model: answer(X, right(X, y, model)))
    said = str(caught.value)
    assert said.startswith("With five images, ")
    assert re.search(sentence, said), said


@pytest.mark.parametrize("stop", [SystemExit, lambda: SystemExit("bye")])
def test_leaving_python_is_an_error_like_others(stop):
    def leave(X, y, model):
        raise stop()
    with pytest.raises(checks.CheckFailed, match="your code raised SystemExit"):
        check_maps(leave)


def test_an_interrupt_passes_without_our_traceback():
    def stopped(X, y, model):
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt) as caught:
        check_maps(stopped)
    assert isinstance(caught.value, Interrupted) and len(caught.value._render_traceback_()) == 1


def helper_given(x):
    return x.unknown_method()


@pytest.mark.parametrize("wrap", [lambda f: f, functools.partial, torch.no_grad(), staticmethod])
def test_an_error_is_placed_in_the_students_own_function(wrap):
    def maps(X, y, model):
        found = helper_given(
            X)
        return found
    function = wrap(maps)
    with pytest.raises(checks.CheckFailed, match=r"in line \d+: found = helper_given\( X\)"):
        check_maps(function.__func__ if isinstance(function, staticmethod) else function)


def test_numbers_are_printed_with_as_many_digits_as_differ():
    case = Case("this", dict, dict, tolerance=1e-6)
    right = torch.tensor([[0.4605, 0.2]], dtype=torch.float64)
    said = messages.how_far(right + 2e-6, right, case)
    assert "in 2 of 2 values" in said and "0.460502 instead of 0.4605." in said


def test_lines_wrap_at_words():
    long = "word " * 60
    assert max(map(len, messages.wrapped(long + "\n  indented " + long).splitlines())) <= 96


def test_an_exercise_alone_shows_its_line_of_the_docs():
    said = repr(checks.occlusion_map)
    assert "occlusion_map(image, y, model, patch=32" in said and "(rows, cols)" in said


@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize("odd", [lambda *a, **k: None, lambda *a, **k: 3, lambda *a, **k: "map",
                                 lambda: 1, int, torch.tensor(1.0), None])
def test_odd_things_fail_as_failed_checks(exercise, odd):
    with pytest.raises(checks.CheckFailed):
        EXERCISES[exercise](odd)


def test_what_is_written_to_stderr_goes_to_stdout(capsys):
    def chatty(X, y, model):
        print("almost there", file=sys.stderr)
        return right(X, y, model)
    check_maps(chatty)
    printed = capsys.readouterr()
    assert "almost there" in printed.out and not printed.err


@pytest.mark.parametrize("exercise", EXERCISES)
def test_without_its_goldens_a_check_passes_nobody(exercise, monkeypatch, capsys):
    stored = load_goldens(EXERCISES[exercise].notebook)
    last = f"{exercise}/{EXERCISES[exercise].cases[-1].name}/"
    kept = {key: tensor for key, tensor in stored.tensors.items() if not key.startswith(last)}
    monkeypatch.setattr(engine, "load_goldens", lambda notebook: stored._replace(tensors=kept))
    with pytest.raises(LookupError, match="out of date.*Run `make goldens` .* or reinstall"):
        EXERCISES[exercise](reference_of(exercise))
    assert capsys.readouterr().out == ""


# --- habits, shown by traps

def backward_from(pick, ones, own_copy=True):
    """The map by backward(ones), for scores picked in one of many ways."""
    def maps(X, y, model):
        X = X.detach().requires_grad_() if own_copy else X.requires_grad_()
        pick(model(X), y).backward(ones(y))
        return X.grad.abs().amax(dim=1)
    return maps


def gathered(scores, y):
    return scores.gather(1, y.view(-1, 1)).squeeze()


OLD = "gradient left from an earlier call"


@pytest.mark.parametrize("names, maps", [
    (["hard-coded batch axis"], backward_from(gathered, lambda y: torch.ones(5))),
    (["hard-coded batch axis", OLD], backward_from(gathered, lambda y: torch.ones(5), False)),
    (["hard-coded batch axis"], backward_from(lambda s, y: s[range(5), y],
                                              lambda y: torch.ones(5))),
    (["squeezed batch axis"], backward_from(gathered, lambda y: torch.ones(len(y)))),
    (["squeezed batch axis", OLD], backward_from(gathered, lambda y: torch.ones(len(y)), False)),
    (["squeezed batch axis"], backward_from(lambda s, y: s.squeeze()[torch.arange(len(y)), y],
                                            lambda y: torch.ones(len(y)))),
    (["no absolute value", OLD], lambda X, y, model: old_way(X, y, model).amax(dim=1)),
    (["cross-entropy instead of the score", OLD], lambda X, y, model: old_way(
        X, y, model, torch.nn.functional.cross_entropy).abs().amax(dim=1)),
    (["mean over channels", "squeezed batch axis", OLD],
     lambda X, y, model: old_way(X, y, model).abs().mean(dim=1).squeeze()),
    ([".values forgotten"], lambda X, y, model: old_way(X, y, model).abs().max(dim=1)),
    (["tuple returned"], lambda X, y, model: (right(X, y, model), model(X))),
    (["first image only"], lambda X, y, model: right(X[:1], y[:1], model)),
    (["a name that is still None"], lambda X, y, model: model(X).sum().grad.abs()),
    (["no gradient asked for"], lambda X, y, model: model(X.detach()).sum().backward()),
    (["sizes written into the code"],
     lambda X, y, model: torch.nn.functional.one_hot(y, 1000) * model(X)),
])
def test_a_habit_is_named_whatever_else_is_wrong(names, maps):
    with pytest.raises(checks.CheckFailed) as caught:
        check_maps(maps)
    assert caught.value.mistakes == names and caught.value.mistake == names[0]


def old_way(X, y, model, loss=lambda scores, y: scores.gather(1, y.view(-1, 1)).sum()):
    X.requires_grad_()
    loss(model(X), y).backward()
    return X.grad


def test_gradients_switched_off_in_an_earlier_cell_harm_nobody(capsys):
    try:
        torch.set_grad_enabled(False)
        check_maps(right)
        assert not torch.is_grad_enabled()
    finally:
        torch.set_grad_enabled(True)
    assert capsys.readouterr().out.startswith("✓")


# --- verdicts that would mislead

@pytest.mark.parametrize("full", [torch.zeros_like, torch.ones_like])
def test_constant_mask_is_not_blamed_on_the_map(full):
    with pytest.raises(checks.CheckFailed, match=r"is off in \d+ of 2240 pixels") as caught:
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
    with pytest.raises(checks.CheckFailed, match="the forward result should be a plain tensor.*in "
                                                 "`return`"):
        checks.GuidedReLU(GuidedReLU)


def test_what_nobody_knows_is_not_given_a_name():
    with pytest.raises(checks.CheckFailed) as caught:
        check_maps(lambda X, y, model: right(X, y, model) + X.detach()[:, 0])
    assert caught.value.mistake is None


# --- harm

def inputs_of_three():
    return tiny_images(2, 6, 6, seed=5), tiny_net(guarded=True)


def replace_relu(X, model):
    model.relu = nn.ReLU().eval()


@pytest.mark.parametrize("harm, act", [
    ("input changed", lambda X, model: X.add_(1)),
    ("model switched to train mode", lambda X, model: model.pool.train()),
    ("model switched to train mode", lambda X, model: model.train()(X)),  # norms learn, too
    ("weights changed", lambda X, model: model.head.weight.add_(1)),
    ("weights changed", lambda X, model: model.mean_color.mul_(2)),
    ("weights' gradients left", lambda X, model: model.head.requires_grad_()),
    ("hooks left", lambda X, model: model.conv1.register_forward_hook(print)),
    ("hooks left", lambda X, model: model.conv1.register_full_backward_hook(print)),
    ("layers replaced", replace_relu),
    ("hooks of others removed", lambda X, model: model.pool._forward_hooks.clear()),
    ("layers changed", lambda X, model: setattr(model.relu, "inplace", True)),
    ("layers changed", lambda X, model: setattr(model.pool, "forward", lambda x: x)),
    ("weights changed", lambda X, model: model.double()),
])
def test_harm_is_found_and_named(harm, act):
    X, model = inputs_of_three()
    model.pool.register_forward_hook(lambda *given: None)  # somebody else's
    before = state_of({"X": X, "model": model})
    with torch.no_grad():
        act(X, model)
    found = harms_between(before, state_of({"X": X, "model": model}))
    assert found == [(harm, "X" if harm == "input changed" else "model")]


def test_gradients_on_the_input_are_no_harm():
    X, model = inputs_of_three()
    before = state_of({"X": X, "model": model})
    X.requires_grad_()
    model(X).sum().backward()
    assert harms_between(before, state_of({"X": X, "model": model})) == []


def test_the_sentence_says_which_input_was_changed():
    def labels_changed(X, y, model):
        maps = right(X, y, model)
        y.zero_()
        return maps
    with pytest.raises(checks.CheckFailed, match="values of y were changed"):
        check_maps(labels_changed)


GLOBAL = {
    "torch's numbers": (lambda: torch.manual_seed(3), torch.get_rng_state),
    "numbers drawn": (lambda: torch.rand(1), torch.get_rng_state),
    "NumPy's numbers": (lambda: np.random.seed(3), lambda: np.random.get_state()[1].copy()),
    "Python's numbers": (lambda: random.seed(3), random.getstate),
    "default dtype": (lambda: torch.set_default_dtype(torch.float64), torch.get_default_dtype),
    "default device": (lambda: torch.set_default_device("meta"), torch.get_default_device),
    "deterministic": (lambda: torch.use_deterministic_algorithms(True),
                      torch.are_deterministic_algorithms_enabled),
    "threads": (lambda: torch.set_num_threads(3), torch.get_num_threads),
    "anomaly": (lambda: torch.autograd.set_detect_anomaly(True), torch.is_anomaly_enabled),
    "gradients": (lambda: torch.set_grad_enabled(False), torch.is_grad_enabled),
    "NumPy's errors": (lambda: np.seterr(all="raise"), np.geterr),
    "hooks on all modules": (
        lambda: nn.modules.module.register_module_forward_hook(lambda *_: None),
        lambda: len(nn.modules.module._global_forward_hooks)),
}


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("what", GLOBAL)
def test_what_belongs_to_everybody_is_put_back_silently(what, fails, capsys):
    act, read = GLOBAL[what]
    before = read()

    def careless(X, y, model):
        maps = right(X, y, model)
        act()
        return 2 * maps if fails else maps
    if fails:
        with pytest.raises(checks.CheckFailed) as caught:
            check_maps(careless)
        assert caught.value.mistakes == ["times a constant"]
    else:
        check_maps(careless)
    after = read()
    assert torch.equal(before, after) if torch.is_tensor(before) else np.array_equal(
        before, after) if isinstance(before, np.ndarray) else before == after


def test_setting_no_device_slows_nothing_down():
    with world_kept("cpu"):
        pass
    assert not torch.overrides._get_current_function_mode_stack()


# --- inside and outside

@pytest.mark.parametrize("exercise", EXERCISES)
def test_judging_is_a_pure_function_of_what_was_observed(exercise):
    exercise, function = EXERCISES[exercise], reference_of(exercise)
    inputs = {case.name: case.inputs(numbers) for case in exercise.cases}
    observed = Observed({**observe_all(exercise, inputs, function),
                         **observe_all(exercise, inputs, function, tiny=False)},
                        facts_of(exercise, function))
    stored = load_goldens(exercise.notebook)
    first, second = (judge(exercise, inputs, observed, stored) for _ in range(2))
    assert first == second and first.right


def test_redrawn_inputs_leave_the_mistakes_their_names():
    exercise = checks.compute_saliency_maps
    draw = fixtures.drawn(torch.Generator().manual_seed(5))
    inputs = {case.name: case.inputs(draw) for case in exercise.cases if case.tiny}
    stored = goldens.goldens_for(exercise, inputs)
    known = dict(goldens.mistakes_of("03_saliency").MISTAKES[exercise.name])
    for names in (("mean over channels",), ("cross-entropy instead of the score",
                                           "no absolute value")):
        observed = Observed(observe_all(exercise, inputs, known[names]),
                            facts_of(exercise, known[names]))
        assert judge(exercise, inputs, observed, stored).mistakes == names


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
        inputs = live(case.inputs(numbers), "cpu", torch.float64) if case.tiny else {}
        if "model" in inputs:
            X = inputs["X"] if "X" in inputs else inputs["image"]
            assert kink_distance(inputs["model"], X.detach()) > 1e-3, case.name
        if "x" in inputs:  # exact zeros, and nothing near them
            for x in (inputs["x"], inputs["gradient"]):
                assert (x == 0).any() and x[x != 0].abs().min() > 1e-3 and x.abs().max() > 3


def test_labels_are_mostly_wrong():
    for case in checks.EXERCISES["compute_saliency_maps"].cases[:2]:
        inputs = live(case.inputs(numbers), "cpu", torch.float64)
        assert (inputs["model"](inputs["X"]).argmax(dim=1) != inputs["y"]).double().mean() > 0.5
