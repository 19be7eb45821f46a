"""Notebook 04: the references, and what is special in its checks, paths and graded cells."""

import copy
import re

import pytest
import torch
from torch import nn

from cs_vis.checks.ascent import RULES, Start, memory_of, rule_of
from cs_vis.checks.engine import facts_of, observe_all
from cs_vis.checks.exercise import CheckFailed
from cs_vis.checks.fixtures import numbers
from cs_vis.checks.fooling_images import ATTACK, FOOLING
from cs_vis.checks.fooling_images.fooling import FOOLED, ONE, OTHER, UNREACHABLE
from cs_vis.checks.inputs import live
from cs_vis.checks.judge import judge
from cs_vis.checks.observe import Observed
from cs_vis.checks.path import CALLS, recorded, steps_of
from cs_vis.grading import goldens
from cs_vis.grading.hidden import fooling_images as hidden
from cs_vis.reference import fooling_images as reference
from tiny import tiny_images, tiny_net
from written import KNOWN, MISTAKES

fool, attack = reference.make_fooling_image, reference.attack_step
difference = reference.magnified_difference


def problem(case=ONE, dtype=torch.float64):
    chosen, = (one for one in FOOLING.cases if one.name == case)
    return live(chosen.inputs(numbers), "cpu", dtype)


# --- the references

def test_a_fooling_image_fools_and_leaves_everything_as_it_was():
    given = problem()
    before = given["X"].clone()
    fooled = fool(**given)
    assert given["model"](fooled).argmax() == given["target_y"] != given["model"](before).argmax()
    assert torch.equal(given["X"], before) and not given["X"].requires_grad
    assert not fooled.requires_grad and all(w.grad is None for w in given["model"].parameters())


@pytest.mark.parametrize("case, moves", [(ONE, 8), (OTHER, 7), (FOOLED, 0), (UNREACHABLE, 100)])
def test_steps_have_length_1_and_stop_when_the_network_is_fooled(case, moves):
    given = problem(case)
    with recorded(given["model"]) as record:
        fooled = fool(**given)
    pictures = steps_of(record.path(fooled))
    lengths = pictures.diff(dim=0).flatten(1).norm(dim=1)
    assert len(lengths) == moves and torch.allclose(lengths, torch.ones(moves).double())


def test_an_image_that_fools_already_comes_back_as_a_new_tensor():
    given = problem(FOOLED)
    fooled = fool(**given)
    assert torch.equal(fooled, given["X"])
    assert fooled.untyped_storage().data_ptr() != given["X"].untyped_storage().data_ptr()


def test_a_gradient_of_zero_moves_nothing():
    class Deaf(nn.Module):
        def forward(self, images):
            return torch.tensor([[1.0, 0.0]]) + 0 * images.sum()
    X = tiny_images(1, 4, 5)
    assert torch.equal(fool(X, 1, Deaf()), X)
    stayed = attack(X, X, torch.tensor([0]), Deaf(), 0.1, 0.5, "l2")
    assert torch.equal(stayed, X)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_an_attack_stays_in_its_ball_and_climbs_the_loss(norm):
    X, model, y = tiny_images(4, 6, 7), tiny_net(), torch.tensor([0, 1, 2, 3])
    at, before = X, nn.functional.cross_entropy(model(X), y)
    for _ in range(5):
        at = attack(at, X, y, model, 0.05, 0.08, norm)
        change = (at - X).flatten(1)
        size = change.abs().amax(dim=1) if norm == "linf" else change.norm(dim=1)
        assert (size <= 0.08 + 1e-6).all() and at.min() >= 0 and at.max() <= 1
    assert nn.functional.cross_entropy(model(at), y) > before
    assert torch.equal(X, tiny_images(4, 6, 7)) and not at.requires_grad


def test_pictures_of_a_batch_do_not_touch_each_other():
    X, model, y = tiny_images(3, 5, 6), tiny_net(), torch.tensor([0, 3, 1])
    together = attack(X, X, y, model, 0.3, 0.2, "l2")
    alone = [attack(X[i:i + 1], X[i:i + 1], y[i:i + 1], model, 0.3, 0.2, "l2") for i in range(3)]
    assert torch.allclose(together, torch.cat(alone), atol=1e-6)


def test_the_picture_of_a_difference():
    X = torch.full((2, 3, 2, 2), 0.5)
    change = torch.tensor([0.0, 0.1, -0.1, 0.3]).view(1, 1, 2, 2).expand(2, 3, 2, 2)
    shown = difference(X, X + change, 0.1)
    assert torch.allclose(shown[1, 2].flatten(), torch.tensor([0.5, 1.0, 0.0, 1.0]), atol=1e-6)


@pytest.mark.parametrize("call, words", [
    (lambda X, m: fool(X[0], 1, m), r"X has shape \(3, 4, 5\)"),
    (lambda X, m: fool(X.expand(2, -1, -1, -1), 1, m), "pass one picture"),
    (lambda X, m: fool(X, 7, m), "target_y=7 is no class"),
    (lambda X, m: fool(X, "cat", m), "target_y is 'cat'"),
    (lambda X, m: attack(X, X, [0], m, 0.1, 0.1, "l2"), "y is"),
    (lambda X, m: attack(X, X, torch.tensor([0]), m, 0.1, 0.1, "l1"), "norm='l1' is none"),
    (lambda X, m: attack(X, X, torch.tensor([0]), m, 0, 0.1, "l2"), "rate=0 must be above 0"),
    (lambda X, m: attack(X, X, torch.tensor([0]), m, 0.1, "far", "l2"), "radius='far' must be"),
    (lambda X, m: attack(X, X[..., 1:], torch.tensor([0]), m, 0.1, 0.1, "l2"), "original has sha"),
    (lambda X, m: attack(X / 0, X, torch.tensor([0]), m, 0.1, 0.1, "l2"), "X holds values"),
    (lambda X, m: difference(X, X[:, :2], 0.1), "fooled has shape"),
    (lambda X, m: difference(X, X, -1), "scale=-1 must be above 0"),
    (lambda X, m: difference(X, X, float("nan")), "scale=nan must be above 0"),
    (lambda X, m: difference(X, [X], 0.1), "fooled is of type list"),
])
def test_refusals_name_the_argument_and_the_rule(call, words):
    with pytest.raises((TypeError, ValueError), match=words):
        call(tiny_images(1, 4, 5), tiny_net())


# --- paths

def test_a_path_has_every_picture_once_in_order():
    model, X = tiny_net(), tiny_images(1, 4, 5)
    with recorded(model) as record:
        for picture in (X, X, X + 1, X, X + 2):
            model(picture)
        model.forward(X + 3)
        copy.deepcopy(model)(X + 4)
        torch.func.grad(lambda x: model(x).sum())(X + 5)
        model(torch.cat([X, X]))  # not a picture of the path
    path = record.path(X + 6)
    assert path.ended and not path.training
    assert torch.equal(steps_of(path), torch.cat([X + k for k in range(7)]).double())


def test_recording_leaves_the_network_as_it_was():
    model, before = tiny_net(), set(vars(tiny_net()))
    with pytest.raises(RuntimeError, match="mine"):
        with recorded(model):
            raise RuntimeError("mine")
    assert set(vars(model)) == before and "forward" not in vars(model)


def test_a_loop_without_an_end_is_ended_even_if_it_catches_everything():
    model, X = tiny_net(), tiny_images(1, 4, 5)
    with recorded(model, calls=20) as record:
        while True:
            try:
                model(X)
            except Exception:
                pass
    assert not record.path().ended and CALLS == 1500


def test_train_mode_at_any_call_is_noted():
    model, X = tiny_net(guarded=True), tiny_images(1, 4, 5)
    with recorded(model) as record:
        model(X)
        model.dropout.train()
        model(X)
        model.eval()
    assert record.path().training


# --- steps, read from outside

def test_each_rule_is_told_from_all_others():
    """Every objective with every divisor, on the two networks of the check."""
    found = {}
    for rule in RULES:
        if rule.objective and rule.form:
            continue  # what combines two is told factor by factor: see test_mistakes
        starts, ends = [], []
        for case in (ONE, OTHER):
            given = problem(case)
            start = Start(given["model"], given["target_y"], given["X"])
            starts.append(start)
            ends.append(start.picture + rule.shape(start.slope(rule.climb)))
        same = rule_of(starts, ends).names == rule.names
        found[rule.names] = found.get(rule.names, True) and same
    assert len(found) > 15 and all(found.values()), found


@pytest.mark.parametrize("clamped", [False, True])
@pytest.mark.parametrize("rate", [1.0, 0.25, 7.0])
def test_the_rate_is_read_on_two_networks(rate, clamped):
    starts, ends = [], []
    for case in (ONE, OTHER):
        given = problem(case)
        start = Start(given["model"], given["target_y"], given["X"])
        end = start.picture + rate * start.slope(lambda s, t: s[0, t])  # not divided
        starts.append(start)
        ends.append(end.clamp(0, 1) if clamped else end)
    rule = rule_of(starts, ends)
    assert rule.form == "not divided by the norm" and rule.clamped == clamped
    assert rule.rate == pytest.approx(rate, rel=1e-6)


def test_what_no_rule_explains_has_none():
    given = problem()
    start = Start(given["model"], given["target_y"], given["X"])
    noise = start.picture + 0.1 * torch.randn(given["X"].shape, dtype=torch.float64,
                                              generator=torch.Generator().manual_seed(0))
    assert rule_of([start], [noise]) is None
    rule = next(rule for rule in RULES if not rule.names)
    assert memory_of(rule, [start, start], noise) is None


# --- verdicts

def said(exercise, function):
    with pytest.raises(CheckFailed) as caught:
        exercise(function)
    return caught.value


def test_redrawn_problems_leave_the_mistakes_their_names():
    generator = torch.Generator().manual_seed(4)
    inputs = hidden.fooling_check.draw(generator)
    stored = goldens.goldens_for(FOOLING, inputs, prints=False)
    for names, function in MISTAKES["make_fooling_image"][:50:7] + KNOWN[
            "04_fooling_images"].COMBINED[::60]:
        observed = Observed(observe_all(FOOLING, inputs, function), facts_of(FOOLING, function))
        assert set(judge(FOOLING, inputs, observed, stored).mistakes) <= set(names), names


def test_redrawn_attacks_fit_and_are_judged():
    inputs = hidden.attack_check.draw(torch.Generator().manual_seed(4))
    stored = goldens.goldens_for(ATTACK, inputs)
    names, function = MISTAKES["attack_step"][3]
    observed = Observed(observe_all(ATTACK, inputs, function), facts_of(ATTACK, function))
    assert judge(ATTACK, inputs, observed, stored).mistakes == names


def test_what_nobody_knows_of_a_loop_is_not_given_a_name():
    def with_momentum(X, target_y, model):
        picture, speed = X.clone(), 0
        for _ in range(100):
            leaf = picture.detach().requires_grad_()
            scores = model(leaf)
            if scores.argmax() == target_y:
                break
            g, = torch.autograd.grad(scores[0, target_y], leaf)
            speed = 0.5 * speed + g / g.norm()
            picture = picture + speed
        return picture
    failed = said(FOOLING, with_momentum)
    assert failed.mistake is None and re.search(r"With a small network, .* is off in", str(failed))


def test_an_error_on_the_way_is_placed():
    def typo(X, target_y, model):
        for _ in range(100):
            scores = model(X)
            scores[target_y].backward()
    failed = said(FOOLING, typo)
    assert "in line" in str(failed) and "scores[target_y].backward()" in str(failed)


def test_a_function_that_returns_only_when_it_fooled():
    def no_return_at_the_limit(X, target_y, model):
        fooled = fool(X, target_y, model)
        if model(fooled).argmax() == target_y:
            return fooled
    failed = said(FOOLING, no_return_at_the_limit)
    assert "With a class out of reach, the picture should be a plain tensor" in str(failed)


def test_who_looks_at_other_pictures_on_the_way_may(capsys):
    def looks_around(X, target_y, model):
        picture = X.clone()
        for _ in range(100):
            leaf = picture.detach().requires_grad_()
            scores = model(leaf)
            model((leaf * 0.9).detach())  # how sure is it of a darker one?
            if scores.argmax() == target_y:
                break
            scores[0, target_y].backward()
            picture = picture + leaf.grad / leaf.grad.norm()
        return picture
    FOOLING(looks_around)
    assert "A note" not in capsys.readouterr().out
    for cell in (hidden.reached, hidden.steps, hidden.whole):
        cell(looks_around)


def test_drawn_problems_are_worth_walking():
    for seed in range(3):
        given = hidden.problem(torch.Generator().manual_seed(seed), 6, 7)
        outputs = FOOLING.cases[0].call(fool, **live(given, "cpu", torch.float64))
        pictures = steps_of(outputs["path"])
        assert 4 <= len(pictures) - 1 <= 8


def test_points_of_the_cells_are_partial():
    """A stale stop keeps the steps, a pile of gradients keeps the stop."""
    known = {names: function for names, function in MISTAKES["make_fooling_image"]}
    late, piled = known["one step too many",], known["gradient piles up",]
    for function, lost in ((late, {"stop", "whole"}), (piled, {"steps", "whole"})):
        failed = set()
        for name in ("reached", "steps", "stop", "whole"):
            cell = getattr(hidden, name)
            inputs = cell.draw(torch.Generator().manual_seed(0))
            if cell.judge_outcomes(inputs, cell.observe(inputs, function)):
                failed.add(name)
        assert failed == lost
