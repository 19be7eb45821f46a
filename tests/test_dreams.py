"""The driver of DeepDream takes the student's step, octave by octave; channels and guides end in a
layer that the step can be pointed at."""

import math

import pytest
import torch
import torch.nn.functional as F

from cs_vis import activations
from cs_vis.methods.deepdream import (GROWN, Channels, Guided, dream, dream_step, nearer,
                                      strengths, zoom)
from cs_vis.methods.drive import finish
from cs_vis.reference.deepdream import deepdream_step, match_guide, octave_pyramid
from tiny import tiny_images, tiny_net

LAYER = "conv2"
RATES = {"steps": 3, "octaves": 3, "scale": 1.5, "reach": 2, "learning_rate": 0.02}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def model(device):
    return tiny_net(device)


@pytest.fixture
def start(device):
    return tiny_images(1, 20, 26, device)


def dreamed(model, start, *, step=deepdream_step, pyramid=octave_pyramid, layer=LAYER, **changes):
    return dream(step, pyramid, model, layer, start=start,
                 **({"generator": seeded()} | RATES | changes))


def shifts(generator, reach=2):
    while True:
        yield torch.randint(-reach, reach + 1, (2,), generator=generator).tolist()


# ---- the driver

def test_the_last_frame_is_what_the_pyramid_returns(model, start):
    """The driver runs the pyramid many times, to have its steps one by one; once is as good."""
    before, moves, sizes = start.clone(), shifts(seeded()), []

    def three_steps(picture):
        sizes.append(tuple(picture.shape[2:]))
        for right, down in (next(moves) for _ in range(3)):
            picture = deepdream_step(picture, model, LAYER, 0.02, right, down)
        return picture

    frames = list(dreamed(model, start))
    right = octave_pyramid(start, three_steps, 3, 1.5)
    assert sizes == [(9, 12), (13, 17), (20, 26)] and len(frames) == 9
    torch.testing.assert_close(frames[-1].image, right)
    assert all(frame.image.shape == start.shape for frame in frames)
    assert all(0 <= frame.image.min() and frame.image.max() <= 1 for frame in frames)
    assert torch.equal(start, before)


def test_a_frame_of_a_small_octave_is_the_photograph_and_what_was_added(model, start):
    def resized(x, size):
        return F.interpolate(x, size=size, mode="bilinear", antialias=True)

    first = next(iter(dreamed(model, start, reach=0)))
    base = resized(start, (9, 12))
    added = deepdream_step(base, model, LAYER, 0.02, 0, 0) - base
    torch.testing.assert_close(first.image, (start + resized(added, (20, 26))).clamp(0, 1))


def test_the_objective_is_the_mean_of_half_the_square_before_the_step(model, start):
    frames = list(dreamed(model, start, octaves=1, reach=0))
    for picture, frame in zip([start, *(frame.image for frame in frames)], frames):
        a = activations(model, picture, LAYER)[LAYER]
        assert math.isclose(frame.objective, a.square().mean().item() / 2, rel_tol=1e-5)
    assert frames[0].objective < frames[-1].objective


def test_it_takes_one_pass_a_step_and_leaves_no_trace(model, start):
    passes = []
    hook = model.get_submodule("conv1").register_forward_hook(lambda *_: passes.append(1))
    list(dreamed(model, start))
    hook.remove()
    assert len(passes) == 9
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())
    assert all(weight.grad is None for weight in model.parameters())


def test_one_seed_gives_one_dream(model, start):
    one, same, other = ([*dreamed(model, start, generator=seeded(seed))][-1].image
                        for seed in (1, 1, 2))
    assert torch.equal(one, same) and not torch.equal(one, other)


def test_nothing_is_computed_before_the_first_frame(model, start):
    def step(*given):
        raise AssertionError("called")
    dreamed(model, start, step=step)


@pytest.mark.parametrize("k", [2, 5, 8])
def test_an_interrupt_keeps_the_best_picture_so_far(model, start, k):
    """In the middle of any octave; and it is as large as the photograph."""
    calls = []

    def step(img, *given):
        calls.append(1)
        if len(calls) == k + 1:
            raise KeyboardInterrupt
        return deepdream_step(img, *given)

    whole = list(dreamed(model, start))
    image, ended = finish(dreamed(model, start, step=step))
    measured = [frame.objective for frame in whole[1:k]]  # of frames 0 to k - 2
    assert not ended and image.shape == start.shape
    assert torch.equal(image, whole[measured.index(max(measured))].image)


def test_float64_stays_float64(model, start):
    frames = list(dreamed(model.double(), start.double()))
    assert {frame.image.dtype for frame in frames} == {torch.float64}


@pytest.mark.parametrize("pyramid, calls", [
    (lambda img, dream, octaves, scale: dream(dream(img)), 2),  # more or fewer than asked for
    (lambda img, dream, octaves, scale: img, 0),
])
def test_another_pyramid_has_its_way(model, start, pyramid, calls):
    frames = list(dreamed(model, start, pyramid=pyramid))
    assert len(frames) == 3 * calls


@pytest.mark.parametrize("change, words", [
    ({"start": torch.zeros(2, 3, 16, 16)}, "start has .* one picture"),
    ({"steps": 0}, "steps=0 is too small"),
    ({"octaves": 0}, "octaves=0 is too small"),
    ({"octaves": 20}, "octaves=20 is too many"),
    ({"scale": 0.5}, "scale=0.5 is out of range"),
    ({"reach": 1.5}, "reach=1.5 is a float"),
    ({"reach": -1}, "reach=-1 is too small"),
    ({"learning_rate": -1}, "learning_rate=-1 is out of range"),
    ({"generator": 0}, "generator=<int> must be a torch.Generator"),
    ({"pyramid": None}, "octave_pyramid=<NoneType> must be a function"),
    ({"step": None}, "step=<NoneType> must be a function"),
    ({"layer": "conv9"}, "layer='conv9' is not in this network"),
    ({"pyramid": lambda img, dream, *_: dream(img)[:, :, :4]},
     "what octave_pyramid returned has shape"),
    ({"pyramid": lambda img, dream, *_: None if dream(img) is None else 7},
     "what octave_pyramid returned is of type int"),
    ({"step": lambda img, *_: img}, "the exercise never called the network"),
    ({"step": lambda img, model, layer, *_: activations(model, img, layer)[layer]},
     "what the step returned has shape"),
])
def test_what_does_not_fit_is_refused(model, start, change, words):
    with pytest.raises((TypeError, ValueError), match=words):
        list(dreamed(model, **({"start": start} | change)))


# ---- zoom

def test_a_zoom_goes_nearer_between_two_frames(model, start):
    frames = [frame.image for frame in zoom(deepdream_step, model, LAYER, start=start, frames=3,
                                            steps=2, by=1.1, reach=0, generator=seeded())]
    x = start
    for frame in frames:
        for _ in range(2):
            x = deepdream_step(x, model, LAYER, 0.012, 0, 0)
        torch.testing.assert_close(frame, x)
        x = nearer(x, 1.1)


def test_nearer_enlarges_about_the_centre():
    ramp = torch.linspace(0.2, 0.8, 41, dtype=torch.float64).expand(1, 3, 31, 41)
    right = (ramp - 0.5) / 1.25 + 0.5
    torch.testing.assert_close(nearer(ramp, 1.25), right, atol=1e-3, rtol=0)
    torch.testing.assert_close(nearer(ramp, 1), ramp, atol=1e-6, rtol=0)


@pytest.mark.parametrize("change, words", [
    ({"frames": 0}, "frames=0 is too small"), ({"steps": 0}, "steps=0 is too small"),
    ({"by": 0.5}, "by=0.5 is out of range"), ({"start": 3}, "start=<int> must be a tensor"),
])
def test_a_zoom_refuses_in_words(model, start, change, words):
    given = {"start": start, "frames": 2, "generator": seeded()} | change
    with pytest.raises((TypeError, ValueError), match=words):
        zoom(deepdream_step, model, LAYER, **given)


# ---- channels

def test_channels_are_those_of_the_layer(model, start):
    a = activations(model, start, LAYER)[LAYER]
    for channels, right in ((None, a), (2, a[:, 2:3]), ([3, 0], a[:, [3, 0]])):
        grown = activations(Channels(model, LAYER, channels), start, GROWN)[GROWN]
        assert torch.equal(grown, right)
    scores = activations(model, start, "head")["head"]
    assert torch.equal(activations(Channels(model, "head", 1), start, GROWN)[GROWN],
                       scores[:, 1:2])


def test_balanced_channels_pull_alike(model, start):
    """The gradient of ½ Σ grown² at the layer has one length for every channel."""
    model, start = model.double(), start.double()
    a = activations(model, start, LAYER)[LAYER].requires_grad_()
    g, = torch.autograd.grad((a / strengths(a).sqrt()).square().sum() / 2, a)
    lengths = g.flatten(2).norm(dim=2)
    torch.testing.assert_close(lengths, lengths[:, :1].expand_as(lengths))
    torch.testing.assert_close(g / g.norm(dim=(2, 3), keepdim=True),
                               a / a.norm(dim=(2, 3), keepdim=True))
    grown = activations(Channels(model, LAYER, balanced=True), start, GROWN)[GROWN]
    torch.testing.assert_close(grown, a.detach() / strengths(a).detach().sqrt())


def test_a_channel_that_is_off_stays_off(model, start):
    a = torch.zeros(1, 2, 3, 4, requires_grad=True)
    g, = torch.autograd.grad((a / strengths(a).sqrt()).square().sum() / 2, a)
    assert torch.equal(g, torch.zeros_like(a))


@pytest.mark.parametrize("make, words", [
    (lambda net: Channels(net, "conv9"), "layer='conv9' is not in this network"),
    (lambda net: Channels(net, LAYER, 99), "channel=99 is outside this layer"),
    (lambda net: Channels(net, LAYER, balanced=2), "balanced=<int> must be True or False"),
    (lambda net: Guided(net, LAYER, torch.zeros(2, 3, 9, 9), match_guide), "guide has .* one pic"),
    (lambda net: Guided(net, LAYER, torch.zeros(1, 3, 9, 9), None), "match_guide=<NoneType> must"),
    (lambda net: Guided(net, LAYER, torch.zeros(1, 3, 9, 9), lambda a, b: b),
     "what match_guide returned has shape"),
])
def test_channels_and_guides_refuse_in_words(model, start, make, words):
    with pytest.raises((TypeError, ValueError), match=words):
        make(model)(start)


# ---- guides

def test_a_guided_step_follows_what_matches(model, start, device):
    """The gradient at the layer is the matched vector, wherever it and the layer agree."""
    guide = tiny_images(1, 14, 12, device, seed=5)
    wanted = activations(model, guide, LAYER)[LAYER]
    leaf = start.clone().requires_grad_()
    a = activations(model, leaf, LAYER)[LAYER]
    b = match_guide(a, wanted)
    agree = ((a * b).sum(dim=1, keepdim=True) > 0).float()
    right, = torch.autograd.grad((a * b * agree).sum(), leaf)
    guided = Guided(model, LAYER, guide, match_guide)
    leaf = start.clone().requires_grad_()
    found, = torch.autograd.grad(activations(guided, leaf, GROWN)[GROWN].square().sum() / 2, leaf)
    torch.testing.assert_close(found, right, rtol=1e-3, atol=1e-5 * right.abs().max().item())
    frames = list(dreamed(guided, start, layer=GROWN))
    assert frames[-1].image.isfinite().all()


def test_where_nothing_agrees_nothing_grows(model, start):
    guided = Guided(model, LAYER, start, lambda a, wanted: -a)
    grow = dream_step(deepdream_step, guided, GROWN, generator=seeded())
    assert torch.equal(grow(start, reach=0)[0], start)
