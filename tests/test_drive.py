"""The generator that drives every moving picture, and the wrappers that make steps of exercises."""

import pytest
import torch
from torch import nn

from cs_vis.methods.drive import (Frame, drive, finish, step_in_place, step_of_loop,
                                  watched)


class Scores(nn.Module):
    """Class 0's score is the mean of the image, class 1's its opposite."""

    def forward(self, images):
        mean = images.mean(dim=(1, 2, 3))
        return torch.stack([mean, -mean], dim=1)


@pytest.fixture
def model():
    return Scores()


@pytest.fixture
def image():
    return torch.full((1, 3, 4, 5), 0.25, dtype=torch.float64)


def brighter(image, *, rate):
    return image + rate, image.mean()


def test_it_gives_what_each_step_returned(image):
    frames = list(drive(brighter, image, {"rate": 0.1}, steps=3))
    assert [round(frame.objective, 9) for frame in frames] == [0.25, 0.35, 0.45]
    assert [round(frame.image.mean().item(), 9) for frame in frames] == [0.35, 0.45, 0.55]
    assert image.mean() == 0.25 and isinstance(frames[0].objective, float)


def test_values_are_asked_before_every_step(image):
    """So a slider that moves while the run goes on acts at the next step."""
    rates = iter([0.5, 0.0, -0.25])
    frames = list(drive(brighter, image, lambda: {"rate": next(rates)}, steps=3))
    assert [frame.image.mean().item() for frame in frames] == [0.75, 0.75, 0.5]


def test_without_a_number_of_steps_it_goes_on_until_none_is_left(image):
    def step(image):
        return None if image.max() > 1 else (image + 0.25, 0)
    assert [frame.image.max() for frame in drive(step, image)] == [0.5, 0.75, 1.0, 1.25]


@pytest.mark.parametrize("outcome, words", [
    (torch.zeros(1, 3, 4, 5), "step 0 returned Tensor: a step must return"),
    ((1.0, torch.zeros(1, 3, 4, 5)), "step 0 returned tuple"),
    ((torch.zeros(1, 3, 4, 5), torch.zeros(2)), r"objective of shape \(2,\): it must be one num"),
])
def test_a_step_that_returns_something_else_is_told_so(outcome, words, image):
    with pytest.raises(TypeError, match=words):
        next(drive(lambda image: outcome, image))


def test_an_exercise_that_works_in_place_becomes_a_step(model, image):
    def update(img, *, rate):
        img = img.requires_grad_()
        gradient, = torch.autograd.grad(model(img)[0, 0], img)
        with torch.no_grad():
            img += rate * gradient.sign()
        assert img.requires_grad

    step = step_in_place(update, model, lambda scores: scores[0, 0])
    one, two = drive(step, image, {"rate": 0.125}, steps=2)
    assert (one.objective, two.objective) == (0.25, 0.375)
    assert one.image.mean() == 0.375 and two.image.mean() == 0.5
    assert image.mean() == 0.25 and not image.requires_grad and not two.image.requires_grad


def loop_until_negative(model, rate=0.125, limit=100, calls=None):
    """A student's loop: darker until class 1 wins, tested before each step."""
    def loop(X, rate=rate):
        X = X.clone()
        for _ in range(limit):
            if calls is not None:
                calls.append(1)
            if model(X)[0].argmax() == 1:
                break
            X = X - rate
        return X
    return loop


def test_a_whole_loop_becomes_a_step(model, image):
    """The frames are exactly the images that the loop itself passes through."""
    loop = loop_until_negative(model)
    with watched(model) as seen:
        end = loop(image)
    frames = list(drive(step_of_loop(loop, model, lambda scores: scores[0, 1]), image))
    assert [frame.image.tolist() for frame in frames] == [x.tolist() for x in seen.images[1:]]
    assert torch.equal(frames[-1].image, end)
    assert [frame.objective for frame in frames] == [-x.mean().item() for x in seen.images[:-1]]


def test_a_step_of_a_loop_is_no_more_than_a_step(model, image):
    calls = []
    step = step_of_loop(loop_until_negative(model, calls=calls), model, lambda scores: 0)
    next(drive(step, image))
    assert len(calls) == 2  # the second pass is refused before it computes anything


def test_a_loop_that_catches_everything_is_ended_too(model, image):
    def loop(X):
        while True:
            try:
                model(X)
            except Exception:
                pass
    frame = next(drive(step_of_loop(loop, model, lambda scores: scores[0, 0]), image))
    assert torch.equal(frame.image, image)


def test_an_exercise_that_never_calls_the_network_is_told_so(model, image):
    step = step_in_place(lambda img: img.add_(1), model, lambda scores: scores[0, 0])
    with pytest.raises(ValueError, match="never called the network"):
        next(drive(step, image))


def test_watching_leaves_nothing_behind(model, image):
    def fails(img):
        model(img)
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        next(drive(step_in_place(fails, model, lambda scores: 0), image))
    list(drive(step_of_loop(loop_until_negative(model), model, lambda scores: 0), image))
    assert not model._forward_hooks and not model._forward_pre_hooks


# ---- the end of a run

def frames_of(*objectives, stop=None):
    """A frame has the objective of the image before it; the images are numbered from 1."""
    for number, objective in enumerate(objectives, 1):
        if number == stop:
            raise KeyboardInterrupt
        yield Frame(torch.full((1, 3, 2, 2), float(number)), objective)


@pytest.mark.parametrize("objectives, stop, image, whole", [
    ((0, 5, 9, 2), None, 4, True),    # whole: the last, whatever its objective
    ((0, 5, 9, 2, 1), 5, 2, False),   # frame 3 measured image 2 best
    ((0, 5, 9, 2, 1), 3, 1, False),   # image 2 was not measured yet
    ((0, 5, 9), 2, 1, False),         # nothing but the start was measured
    ((7, float("nan"), 3, 1), 4, 2, False),  # what is not a number is no best
])
def test_a_run_ends_in_its_last_image_or_where_interrupted_in_the_best(objectives, stop, image,
                                                                       whole):
    found, complete = finish(frames_of(*objectives, stop=stop))
    assert found.unique().tolist() == [image] and complete is whole


def test_a_run_that_never_began_has_no_image():
    assert finish(frames_of(1, stop=1)) == (None, False)
    assert finish(iter(())) == (None, True)


def test_an_error_in_a_run_is_not_taken_for_an_interrupt():
    def frames():
        yield from frames_of(1, 2)
        raise ValueError("mine")
    with pytest.raises(ValueError, match="mine"):
        finish(frames())
