"""The driver around the student's step: class pictures, neurons, frequencies, modes, names."""

import math

import pytest
import torch

from cs_vis.methods import naming
from cs_vis.methods.class_visualization import (STRENGTHS, Neurons, Through, ascent_step, around,
                                                visualize)
from cs_vis.methods.drive import finish
from cs_vis.methods.fourier import color_root, in_frequencies
from cs_vis.methods.modes import explained, modes, pooled_features
from cs_vis.models import SpecimenNet, activations
from cs_vis.reference import class_visualization as reference

STEP = reference.class_visualization_update_step
HELPERS = {name: getattr(reference, name) for name in STRENGTHS}


@pytest.fixture
def model(device):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = SpecimenNet(((4,), (6, 6)), 3).eval().requires_grad_(False)
    network.mean_color = torch.tensor([0.6, 0.5, 0.3])
    return network.to(device)


@pytest.fixture
def start(device, generator):
    return 0.1 * torch.randn(1, 3, 16, 24, generator=generator).to(device)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def images(frames):
    return [frame.image for frame in frames]


# ---- the climb

def test_each_frame_is_one_step_of_the_exercise_around_the_mean_colour(model, start):
    before, mean = start.clone(), model.mean_color.view(3, 1, 1)
    frames = list(visualize(STEP, model, 1, start=start, steps=3, generator=seeded(),
                            learning_rate=2.0, l2_reg=0.01, in_range=False))
    x = start.clone()
    for frame in frames:
        score = model(x + mean)[0, 1].item()
        STEP(x, Through(model, around(model)), 1, 0.01, 2.0)
        assert math.isclose(frame.objective, score, rel_tol=1e-4)
        torch.testing.assert_close(frame.image, x + mean)
    assert torch.equal(start, before) and not model.training


def test_pictures_are_kept_in_range_unless_told_otherwise(model, start):
    kept = images(visualize(STEP, model, 0, start=start, steps=5, generator=seeded(),
                            learning_rate=30))[-1]
    free = images(visualize(STEP, model, 0, start=start, steps=5, generator=seeded(),
                            learning_rate=30, in_range=False))[-1]
    assert -1e-6 <= kept.min() and kept.max() <= 1 + 1e-6 and not 0 <= free.min() < free.max() <= 1


def test_helpers_are_called_in_the_order_that_the_notebook_says(model, start):
    calls = []

    def noted(name, function):
        def call(img, *given):
            calls.append((name, *given) if name == "jitter" else (name,))
            return function(img, *given)
        return call

    helpers = {name: noted(name, function) for name, function in HELPERS.items()}

    def update(*given):
        calls.append(("step",))
        STEP(*given)

    list(visualize(update, model, 0, helpers, start=start, steps=4, generator=seeded(3), reach=5,
                   sigma=1.0, every=2, pixels=0.1, gradients=0.1))
    names = [name for name, *_ in calls]
    one = ["jitter", "step", "clip_small_gradients", "jitter", "clip_small_pixels"]
    assert names == (one + one + ["blur"]) * 2
    rolls = [given for name, *given in calls if name == "jitter"]
    assert all([-x, -y] == back for (x, y), back in zip(rolls[::2], rolls[1::2]))
    assert len(set(map(tuple, rolls))) > 4 and max(abs(x) for roll in rolls for x in roll) <= 5


def test_the_gradient_that_the_clip_gets_is_that_of_the_score_but_for_its_length(model, start):
    seen = []

    def clip(img, gradient, fraction):
        seen.append((img.clone(), gradient.clone()))
        return img

    list(visualize(STEP, model, 2, {"clip_small_gradients": clip}, start=start, steps=1,
                   generator=seeded(), gradients=0.3, learning_rate=3.0))
    leaf = start.clone().requires_grad_()
    slope, = torch.autograd.grad(model(around(model)(leaf))[0, 2], leaf)
    (moved, gradient), = seen
    torch.testing.assert_close(gradient, 3 * slope / slope.norm(), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(moved - start, gradient)


def test_one_seed_gives_one_picture(model, start):
    one, same, other = (images(visualize(STEP, model, 0, HELPERS, start=start, steps=3, reach=8,
                                         generator=seeded(seed)))[-1] for seed in (1, 1, 2))
    assert torch.equal(one, same) and not torch.equal(one, other)


def test_nothing_is_computed_before_the_first_frame(model, start):
    def update(*given):
        raise AssertionError("called")
    visualize(update, model, 0, start=start, generator=seeded())


@pytest.mark.parametrize("change, words", [
    ({"reach": 8}, r"reach=8 asks for jitter, which is not among helpers"),
    ({"sigma": -1}, "sigma=-1 is out of range"),
    ({"pixels": 2}, "pixels=2 is out of range"),
    ({"reach": 1.5}, "reach=1.5 is a float"),
    ({"every": 0}, "every=0 is too small"),
    ({"rate": 3}, "unexpected keyword argument 'rate'"),
    ({"generator": 0}, "generator=<int> must be a torch.Generator"),
    ({"start": torch.zeros(2, 3, 16, 16)}, "start has .* one picture"),
    ({"steps": 0}, "steps=0 is too small"),
])
def test_what_does_not_fit_is_refused(model, start, change, words):
    given = {"start": start, "steps": 2, "generator": seeded()} | change
    helpers = {} if "reach" in change and change["reach"] == 8 else HELPERS
    with pytest.raises((TypeError, ValueError), match=words):
        list(visualize(STEP, model, 0, helpers, **given))


def test_float64_stays_float64(model, start):
    model = model.double()
    frames = images(visualize(STEP, model, 0, HELPERS, start=start.double(), steps=2, reach=3,
                              sigma=0.5, every=1, pixels=0.1, gradients=0.1, generator=seeded()))
    assert frames[-1].dtype == torch.float64


def test_an_interrupt_keeps_the_best_picture_so_far(model, start):
    calls = []

    def update(img, network, *given):
        calls.append(1)
        if len(calls) == 6:
            raise KeyboardInterrupt
        STEP(img, network, *given)

    settings = {"start": start, "steps": 9, "learning_rate": 60.0}  # so far that scores also fall
    all_frames = list(visualize(STEP, model, 0, generator=seeded(), **settings))
    image, whole = finish(visualize(update, model, 0, generator=seeded(), **settings))
    scores = [frame.objective for frame in all_frames[1:5]]  # of frames 0 to 3, measured after
    assert not whole and torch.equal(image, all_frames[scores.index(max(scores))].image)


# ---- neurons

@pytest.mark.parametrize("centre", [False, True])
def test_neurons_are_the_layer_s_channels_before_its_relu(model, start, centre):
    pictures = torch.cat([start, start.flip(3)]) + 0.5
    scores = Neurons(model, "conv2_1", centre=centre)(pictures)
    found = activations(model, pictures, "conv2_1")["conv2_1"]  # (2, 6, 8, 12)
    right = found[:, :, 4, 6] if centre else found.mean(dim=(2, 3))
    assert scores.shape == (2, 6) and torch.equal(scores, right) and (scores < 0).any()


def test_a_neuron_is_climbed_by_the_same_step(model, start):
    frames = list(visualize(STEP, Neurons(model, "conv2_2"), 4, start=start, steps=4,
                            learning_rate=0.2, generator=seeded()))
    scores = [frame.objective for frame in frames]
    assert scores == sorted(scores) and scores[-1] > scores[0]
    assert not any(module._forward_hooks for module in model.modules())


def test_a_layer_that_is_not_there_is_refused(model):
    with pytest.raises(ValueError, match="conv9_9"):
        Neurons(model, "conv9_9")


# ---- other coordinates

def test_frequencies_give_pictures_that_roll_along(generator):
    x = torch.randn(2, 3, 32, 20, generator=generator, dtype=torch.float64)
    to_picture = in_frequencies(torch.eye(3))
    picture = to_picture(x)
    assert picture.shape == x.shape and 0 < picture.min() and picture.max() < 1
    torch.testing.assert_close(to_picture(x.roll((5, -3), (2, 3))), picture.roll((5, -3), (2, 3)))
    assert torch.equal(to_picture(0 * x), torch.full_like(x, 0.5))
    fine, coarse = (part.diff(dim=3).square().mean() / part.var() for part in (x, picture))
    assert coarse < 0.5 * fine  # neighbours are more alike


def test_without_decay_only_the_sigmoid_is_left(generator):
    x = torch.randn(1, 3, 9, 12, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(in_frequencies(decay=0.0)(x), x.sigmoid())


def test_the_color_root_is_that_of_the_covariance(generator):
    grey = torch.rand(4, 1, 16, 16, generator=generator)
    images = (grey + 0.05 * torch.rand(4, 3, 16, 16, generator=generator)).clamp(0, 1)
    root = color_root(images)
    covariance = torch.cov(images.transpose(0, 1).flatten(1))
    torch.testing.assert_close(root @ root.T, covariance * 3 / covariance.trace(), atol=1e-5,
                               rtol=1e-4)


def test_the_step_climbs_in_frequencies(model, start):
    frames = list(visualize(STEP, model, 1, start=start, steps=4, learning_rate=0.5,
                            to_picture=in_frequencies(), generator=seeded()))
    scores = [frame.objective for frame in frames]
    assert scores == sorted(scores)
    torch.testing.assert_close(frames[-1].image, frames[-1].image.clamp(0, 1))


# ---- modes

def test_modes_are_numbered_by_size_and_nearest_is_a_member(generator):
    rows = torch.cat([torch.randn(n, 3, generator=generator) + 20 * c
                      for c, n in enumerate((4, 9, 6))])
    found, nearest = modes(rows, 3, generator=seeded())
    assert found.bincount().tolist() == [9, 6, 4] and found[nearest].tolist() == [0, 1, 2]
    assert len(found[:4].unique()) == 1
    assert torch.equal(found, modes(rows, 3, generator=seeded())[0])


def test_explained_is_1_within_equal_clusters_and_0_for_one():
    values, clusters = torch.tensor([[1.0], [1], [5], [5]]), torch.tensor([0, 0, 1, 1])
    assert explained(values, clusters) == 1 and explained(values, 0 * clusters) == 0
    assert explained(0 * values, clusters) == 0
    assert math.isclose(explained(values, torch.tensor([0, 1, 0, 1])), 0, abs_tol=1e-6)


def test_pooled_features_are_means(model, start):
    pictures = start + 0.5
    found = activations(model, pictures, "relu2_1")["relu2_1"]
    assert torch.equal(pooled_features(model, pictures, "relu2_1"), found.mean(dim=(2, 3)))
    assert pooled_features(model, pictures, "fc").shape == (1, 3)


@pytest.mark.parametrize("call, words", [
    (lambda: modes(torch.zeros(2, 3), 4, generator=seeded()), r"features is \(2, 3\)"),
    (lambda: modes("no", 1, generator=seeded()), "features is str"),
    (lambda: explained(torch.zeros(3, 1), torch.zeros(4)), "N=4"),
])
def test_modes_refuse_in_words(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# ---- names

def test_names_are_read_as_people_write_them():
    known = ["bee", "traffic cone", "hot-air balloon"]
    said = naming.read_names("Bee, trafic cone\nhot air balloon, , cat", known)
    assert said == [*known, "cat"]


@pytest.mark.parametrize("said, words", [
    (["bee", "owl"], "2 of 2 right"),
    (["owl", "owl"], "1 of 2 right; bee as owl"),
    (["bee"], "1 of 2 right; owl as (no name)"),
    (["bee", "owl", "die"], "2 of 2 right; 1 names too many"),
])
def test_a_verdict_counts_and_says_what_was_taken_for_what(said, words):
    assert naming.verdict(said, ["bee", "owl"]) == words


def test_named_are_the_network_s_best(model, start):
    best = model.class_names[model(start + 0.5).argmax()]
    assert naming.named(start + 0.5, model) == [best]
