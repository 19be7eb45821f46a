"""Maps: dots with their colours and names, and pictures that a pointer enlarges."""

import re

import numpy as np
import pytest
import torch

from cs_vis import plots
from cs_vis.plots.maps import MARGIN, _apart, group_colors

COUNT = 12


@pytest.fixture
def points(device, generator):
    return torch.randn(COUNT, 2, generator=generator).to(device)


@pytest.fixture
def pictures(device, generator):
    return torch.rand(COUNT, 3, 10, 14, generator=generator).to(device)


NAMES = [f"thing {n} & co" for n in range(COUNT)]
GROUPS = torch.arange(COUNT) % 3


# ---- dots ------------------------------------------------------------------------------------

def test_scatter_draws_every_map_to_one_scale_with_y_down(points):
    figure = plots.scatter({"one": points, "two": points * 3 + 5}, GROUPS)
    one, two = figure.axes
    assert one.get_ylim() == (1, 0) and one.get_xlim() == (0, 1)
    drawn = np.asarray(one.collections[0].get_offsets())
    np.testing.assert_allclose(drawn, np.asarray(two.collections[0].get_offsets()), atol=1e-6)
    ratio = np.ptp(drawn, axis=0) / np.ptp(points.cpu().numpy(), axis=0)
    assert ratio[0] == pytest.approx(ratio[1]) and np.ptp(drawn, axis=0).max() == pytest.approx(
        1 - 2 * MARGIN)
    assert {text.get_text() for text in figure.texts} == {"one", "two"}


def test_scatter_colours_groups_or_takes_colours(points):
    by_group = plots.scatter({"map": points}, GROUPS).axes[0].collections[0].get_facecolors()
    np.testing.assert_allclose(by_group[:, :3], group_colors(3)[GROUPS.numpy()])
    given = torch.rand(COUNT, 3)
    own = plots.scatter({"map": points}, given).axes[0].collections[0].get_facecolors()
    np.testing.assert_allclose(own[:, :3], given, atol=1e-6)


def test_scatter_writes_a_name_above_the_middle_of_its_group():
    points = torch.tensor([[0.0, 0.0], [0.1, 0.0], [0.0, 0.1], [9.0, 9.0], [1.0, 1.0]])
    axes, = plots.scatter({"map": points}, torch.tensor([0, 0, 0, 0, 1]),
                          names=["a", "b", "no such group"]).axes
    a, b = axes.texts  # the third group has no dot
    drawn = np.asarray(axes.collections[0].get_offsets())
    assert a.get_position()[0] in drawn[:3, 0] and a.get_position()[1] < drawn[:3, 1].min() + 0.01
    assert b.get_position()[0] == drawn[4, 0] and b.get_position()[1] < drawn[4, 1]


def test_group_colors_differ():
    colors = group_colors(24)
    away = np.abs(colors[:, None] - colors).sum(axis=2) + np.eye(24)
    assert colors.shape == (24, 3) and away.min() > 0.1 and colors.min() >= 0 and colors.max() <= 1


@pytest.mark.parametrize("change, error, words", [
    ({"panels": {}}, TypeError, "must be a dict with a map in it"),
    ({"panels": {"map": torch.zeros(5, 3)}}, ValueError, r"map has shape \(5, 3\)"),
    ({"panels": {"map": [1, 2]}}, TypeError, "pass a float tensor"),
    ({"panels": {"map": torch.full((COUNT, 2), torch.nan)}}, ValueError, "map"),
    ({"panels": {"a": torch.zeros(5, 2), "b": torch.zeros(6, 2)}}, ValueError, "maps of"),
    ({"colors": GROUPS[:4]}, ValueError, "must be the group of each"),
    ({"colors": torch.full((COUNT, 3), 2.0)}, ValueError, "red, green and blue"),
    ({"names": ["one"]}, ValueError, "names has 1 entries"),
    ({"names": ["a", "b", "c"], "colors": torch.zeros(COUNT, 3)}, ValueError, "whole numbers"),
])
def test_scatter_refuses_what_is_no_map(points, change, error, words):
    with pytest.raises(error, match=words):
        plots.scatter(**{"panels": {"map": points}, "colors": GROUPS} | change)


# ---- pictures --------------------------------------------------------------------------------

def dots_of(page):
    return re.findall(r"<i [^>]*>", page)


def test_every_picture_is_there_with_its_name_and_can_be_reached_by_key(points, pictures):
    drawn = plots.picture_map(points, pictures, GROUPS, NAMES, marked=[2, 5],
                              legend={"a < b": (1.0, 0.0, 0.0)})
    page = drawn._repr_html_()
    dots = dots_of(page)
    assert len(dots) == COUNT and all('tabindex="0"' in dot for dot in dots)
    assert re.findall(r'aria-label="(thing[^"]*)"', page) == [
        name.replace("&", "&amp;") for name in NAMES]
    assert [n for n, dot in enumerate(dots) if "class=marked" in dot] == [2, 5]
    assert "a &lt; b" in page and "#ff0000" in page and "$" not in page
    assert repr(drawn) == "<a map of 12 pictures>" and drawn.width == 720
    assert len(set(re.findall(r"background-position:[^\"]*", page))) == COUNT


def test_a_map_is_the_same_every_time_and_styles_no_other(points, pictures):
    one, again, other = (plots.picture_map(points, p, GROUPS, NAMES).page
                         for p in (pictures, pictures.clone(), pictures.flip(0)))
    own = [set(re.findall(r"\.(m[0-9a-f]{8})", page)) for page in (one, other)]
    assert one == again and all(len(names) == 1 for names in own) and not own[0] & own[1]


def test_no_two_pictures_overlap_and_none_goes_far(generator):
    points = torch.randn(60, 2, generator=generator).numpy()  # most of them crowd together
    cells, (across, down) = _apart(points)
    assert len({tuple(cell) for cell in cells}) == 60
    assert (cells >= 0).all() and (cells < (across, down)).all() and across * down >= 180
    right = np.corrcoef(points[:, 0], cells[:, 0])[0, 1]
    lower = np.corrcoef(points[:, 1], cells[:, 1])[0, 1]
    assert right > 0.9 and lower > 0.9


@pytest.mark.parametrize("change, error, words", [
    ({"names": NAMES[:3]}, ValueError, "names 3: give one of each"),
    ({"pictures": torch.zeros(COUNT, 3, 4, 4, dtype=torch.uint8)}, TypeError, "pictures has dtype"),
    ({"width": 20}, ValueError, "width=20 is too small"),
    ({"legend": {1: (0, 0, 0)}}, TypeError, "the keys of legend"),
])
def test_picture_map_refuses_what_does_not_fit(points, pictures, change, error, words):
    given = {"points": points, "pictures": pictures, "colors": GROUPS, "names": NAMES}
    with pytest.raises(error, match=words):
        plots.picture_map(**given | change)


def test_a_map_that_no_notebook_could_take_is_refused(points, pictures, monkeypatch):
    monkeypatch.setattr("cs_vis.plots.maps.MOST_BYTES", 2000)
    with pytest.raises(ValueError, match="is the most that a notebook takes: pass fewer"):
        plots.picture_map(points, pictures, GROUPS, NAMES)
