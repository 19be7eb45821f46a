"""Occlusion maps: one code and scale in every figure, drawn where the patch lay."""

import re

import numpy as np
import pytest
import torch

from cs_vis import plots

H, W = 20, 30


@pytest.fixture
def image(device, generator):
    return torch.rand(1, 3, H, W, generator=generator).to(device)


def light(one):
    return one.pixels.sum(axis=-1).ravel()


def test_light_is_what_is_left_as_a_share_of_the_whole(device):
    left = torch.linspace(0, 0.4, 12, device=device).view(3, 4)
    drawn = plots.occlusion_picture(left, 0.4)
    assert (np.diff(light(drawn)) > 0).all()
    np.testing.assert_array_equal(drawn.pixels, plots.occlusion_picture(left / 0.4).pixels)
    assert drawn.note == "dark: 0, light: 0.4"


def test_more_than_the_whole_is_as_light_as_the_whole():
    drawn = plots.occlusion_picture(torch.tensor([[0.3, 0.5]]), torch.tensor(0.3)).pixels
    np.testing.assert_array_equal(drawn[0, 0], drawn[0, 1])


def test_the_image_shines_through_without_hiding_the_code(image):
    grey = torch.full_like(image, 0.5)
    left = torch.linspace(0, 1, H * W).view(H, W)
    assert (np.diff(light(plots.occlusion_picture(left, 1.0, grey))) >= 0).all()
    flat = plots.occlusion_picture(torch.ones(H, W), 1.0, image).pixels.sum(axis=2)
    shade = image[0].mean(dim=0).cpu().numpy()
    assert np.corrcoef(flat.ravel(), shade.ravel())[0, 1] > 0.999


def test_the_patch_is_drawn_to_size_in_the_lower_left_corner(image):
    drawn = plots.patch_on(image, 7).pixels
    zoom = drawn.shape[0] // H
    plain = plots.picture(image).pixels.repeat(zoom, axis=0).repeat(zoom, axis=1)
    changed = (drawn != plain).any(axis=2)
    rows, cols = changed.any(axis=1).nonzero()[0], changed.any(axis=0).nonzero()[0]
    assert (rows.min(), rows.max()) == ((H - 7) * zoom, H * zoom - 1)
    assert (cols.min(), cols.max()) == (0, 7 * zoom - 1)
    np.testing.assert_array_equal(drawn[(H - 4) * zoom, 3 * zoom], plain[(H - 4) * zoom, 3 * zoom])


def test_a_value_stands_where_the_patch_s_middle_was(image):
    figure = plots.occlusion([image], [torch.rand(4, 6)], [0.9], patch=8)
    _, below, _ = figure.axes
    left, right, bottom, top = below.images[0].get_extent()
    for value in range(6):  # columns 0, 4.4, 8.8, ...: the middle is half a patch further
        middle = left + (value + 0.5) * (right - left) / 6
        assert middle == pytest.approx(value * (W - 8) / 5 + 4)
    assert top + 0.5 * (bottom - top) / 4 == pytest.approx(4)
    assert below.get_xlim() == (0, W) and below.get_ylim() == (H, 0)  # the image's own frame


def test_the_bar_says_what_the_colours_mean_and_stands_inside_the_figure(image):
    figure = plots.occlusion([image, image], [torch.rand(3, 4)] * 2, [0.9, 0.3], ["a", "b"],
                             patch=[8, 10])
    *_, last, bar = figure.axes
    assert [text.get_text() for text in bar.get_yticklabels()] == [
        "none left", "half left", "all left"]
    assert bar.get_position().x0 > last.get_position().x1
    figure.draw_without_rendering()
    for text in bar.get_yticklabels():
        assert text.get_window_extent().x1 <= figure.bbox.x1
    words = [text.get_text() for text in figure.texts]
    assert "dark: 0, light: 0.9" in words and "dark: 0, light: 0.3" in words


def test_a_map_of_one_value_fills_the_picture(image):
    figure = plots.occlusion([image], [torch.ones(1, 1)], [1.0], patch=H)
    left, right, bottom, top = figure.axes[1].images[0].get_extent()
    assert left <= 0 and right >= W and top <= 0 and bottom >= H


def test_where_the_whole_is_zero_there_is_nothing_to_lose():
    drawn = plots.occlusion_picture(torch.zeros(2, 3), 0.0)
    np.testing.assert_array_equal(drawn.pixels, plots.occlusion_picture(torch.ones(2, 3)).pixels)
    assert drawn.note == "light: 0"


def test_inputs_stay_as_they_were(image):
    before, left = image.clone(), torch.rand(3, 4)
    kept = left.clone()
    plots.occlusion([image], [left], [0.5], patch=8)
    assert torch.equal(image, before) and torch.equal(left, kept)


@pytest.mark.parametrize("call, message", [
    (lambda: plots.occlusion_picture(torch.rand(3, 3), -0.1), "whole=-0.1 is out of range"),
    (lambda: plots.occlusion_picture(torch.rand(3, 3), 1.0, torch.rand(1, 3, H, W)),
     "left is 3×3, the image 20×30.*occlusion_loss"),
    (lambda: plots.patch_on(torch.rand(1, 3, H, W), 21), "patch=21, stride=1.*1 to 20"),
    (lambda: plots.occlusion([torch.rand(1, 3, H, W)], [], [1.0], patch=8),
     "images has 1 entries, left 0"),
    (lambda: plots.occlusion([], [], [], patch=8), "images has 0 entries"),
])
def test_what_cannot_be_drawn_is_refused_in_a_sentence(call, message):
    with pytest.raises(ValueError, match=re.compile(message, re.S)):
        call()
