"""The driver around the student's step of notebook 06: moves, their smoothing, and what is kept."""

import math

import pytest
import torch

from cs_vis.methods.drive import finish
from cs_vis.methods.feature_inversion import descent_step, invert, smoothed
from cs_vis.methods.fourier import in_frequencies
from cs_vis.models import SpecimenNet, activations
from cs_vis.reference import feature_inversion as reference

STEP = reference.inversion_step
LAYER = "relu2_1"
BARE = {"smooth": 0, "momentum": 0}


@pytest.fixture
def model(device):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SpecimenNet(((4,), (6, 6)), 3).eval().requires_grad_(False).to(device)


@pytest.fixture
def start(device, generator):
    return torch.rand(1, 3, 16, 24, generator=generator).to(device)


@pytest.fixture
def target(model, device, generator):
    picture = torch.rand(1, 3, 16, 24, generator=generator).to(device)
    return activations(model, picture, LAYER)[LAYER]


def prior(picture):
    return 0.01 * reference.total_variation(picture, 1)


def energy(model, target, picture):
    found = activations(model, picture, LAYER)[LAYER]
    return (reference.feature_distance(found, target) + prior(picture)).item()


def images(frames):
    return [frame.image for frame in frames]


# ---- the search

def test_bare_frames_are_the_exercise_s_steps_with_a_rate_that_falls_to_0(model, start, target):
    before = start.clone()
    frames = list(invert(STEP, model, LAYER, target, prior, start=start, steps=4,
                         learning_rate=2.0, **BARE))
    x = start
    for frame, rate in zip(frames, (2.0, 1.5, 1.0, 0.5), strict=True):
        assert math.isclose(frame.objective, -energy(model, target, x), rel_tol=1e-4)
        x = STEP(x, model, LAYER, target, prior, rate).clamp(0, 1)
        torch.testing.assert_close(frame.image, x)
    assert torch.equal(start, before) and not model.training
    assert not any(module._forward_hooks or module._forward_pre_hooks
                   for module in model.modules())


def test_the_search_comes_nearer_and_stays_in_range(model, start, target):
    frames = list(invert(STEP, model, LAYER, target, prior, start=start, steps=30,
                         learning_rate=3.0))
    assert energy(model, target, frames[-1].image) < 0.5 * energy(model, target, start)
    assert all(0 <= image.min() and image.max() <= 1 for image in images(frames))


def test_scores_have_a_code_too(model, start):
    target = model(start.flip(3))
    frames = list(invert(STEP, model, "fc", target, lambda picture: 0 * picture.sum(), start=start,
                         steps=20, learning_rate=1.0))
    assert frames[-1].objective > frames[0].objective


def test_an_interrupt_keeps_the_best_picture_so_far(model, start, target):
    calls = []

    def update(*given):
        calls.append(1)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return STEP(*given)

    given = {"start": start, "steps": 9, "learning_rate": 40.0, **BARE}  # so far that it also rises
    whole_run = list(invert(STEP, model, LAYER, target, prior, **given))
    image, whole = finish(invert(update, model, LAYER, target, prior, **given))
    measured = [frame.objective for frame in whole_run[1:5]]  # of frames 0 to 3, measured after
    assert not whole and torch.equal(image, whole_run[measured.index(max(measured))].image)


def test_nothing_is_computed_before_the_first_frame(model, start, target):
    def update(*given):
        raise AssertionError("called")
    invert(update, model, LAYER, target, prior, start=start)


def test_float64_stays_float64(model, start, target):
    frames = images(invert(STEP, model.double(), LAYER, target.double(), prior,
                           start=start.double(), steps=2))
    assert frames[-1].dtype == torch.float64


# ---- momentum

def test_momentum_keeps_a_share_of_the_move_before(model, start, target):
    step = descent_step(lambda img, *_: img + 0.01, model, LAYER, target, prior)
    with pytest.raises(ValueError, match="never called the network"):
        step(start)

    def update(img, network, *_):
        network(img)
        return img + 0.01

    step = descent_step(update, model, LAYER, target, prior)
    x, moves = start * 0.5, []
    for _ in range(3):
        moved, _ = step(x, momentum=0.5, smooth=0)
        moves.append((moved - x).mean().item())
        x = moved.detach()
    assert moves == pytest.approx([0.005, 0.0075, 0.00875], rel=1e-3)
    again, _ = step(start * 0.25, momentum=0.5, smooth=0)  # another picture begins at rest
    assert (again - start * 0.25).mean().item() == pytest.approx(0.005, rel=1e-3)


# ---- smoother moves

def test_smoothed_is_as_long_and_smoother(generator):
    move = torch.randn(1, 3, 32, 20, generator=generator, dtype=torch.float64)
    waves = smoothed(move, 0.5)
    torch.testing.assert_close(waves.norm(), move.norm())
    fine, coarse = (x.diff(dim=3).square().mean() / x.var() for x in (move, waves))
    assert coarse < 0.5 * fine and (waves * move).sum() > 0
    torch.testing.assert_close(smoothed(move.roll((5, -3), (2, 3)), 0.5),
                               waves.roll((5, -3), (2, 3)))
    assert smoothed(move, 0) is move and not smoothed(0 * move, 1).any()


def test_smoothed_is_the_step_in_frequencies_seen_in_the_picture(generator):
    """A small step of coordinates x along their gradient moves the picture as smoothed says."""
    slope = torch.randn(1, 3, 16, 12, generator=generator, dtype=torch.float64)
    to_picture = in_frequencies(decay=0.7)
    x = torch.zeros_like(slope).requires_grad_()
    along, = torch.autograd.grad((to_picture(x) * slope).sum(), x)
    moved = to_picture(x.detach() + 1e-4 * along) - to_picture(x.detach())
    torch.testing.assert_close(moved / moved.norm(), smoothed(slope, 0.7) / slope.norm(),
                               atol=1e-5, rtol=1e-3)


# ---- refusals

@pytest.mark.parametrize("change, error, words", [
    ({"update": 3}, TypeError, "update=<int> must be a function"),
    ({"prior": 0.1}, TypeError, "prior=<float> must be a function"),
    ({"prior": lambda picture: picture}, TypeError, r"prior\(img\) is a tensor"),
    ({"layer": "relu9"}, ValueError, "layer='relu9' is not in this network"),
    ({"target": torch.ones(1, 5)}, ValueError, r"target has shape \(1, 5\)"),
    ({"start": torch.zeros(2, 3, 16, 24)}, ValueError, "start has .* one picture"),
    ({"start": torch.full((1, 3, 16, 24), torch.nan)}, ValueError, "start holds values that are NaN"),
    ({"steps": 0}, ValueError, "steps=0 is too small"),
    ({"learning_rate": -1}, ValueError, "learning_rate=-1 is out of range"),
    ({"smooth": -0.5}, ValueError, "smooth=-0.5 is out of range"),
    ({"momentum": 1.5}, ValueError, "momentum=1.5 is out of range"),
    ({"update": lambda img, model, *_: model(img)}, ValueError, "what the step returned has shape"),
    ({"update": lambda *_: None}, TypeError, "what the step returned is of type NoneType"),
])
def test_what_does_not_fit_is_refused(model, start, target, change, error, words):
    given = {"update": STEP, "model": model, "layer": LAYER, "target": target, "prior": prior,
             "start": start, "steps": 2} | change
    if "update" not in change and "prior" in change and callable(change["prior"]):
        given["update"] = lambda img, model, layer, target, prior, rate: (  # asks, and goes on
            prior(img), img + 0 * model(img).sum())[1]
    with pytest.raises(error, match=words):
        list(invert(**given))
