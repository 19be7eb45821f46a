"""Figures: sizes, clamping, symmetric scales, and a sentence for what cannot be drawn."""

import re
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from cs_vis import plots
from cs_vis.plots import figures

H, W = 20, 30


@pytest.fixture
def image(device, generator):
    return torch.rand(1, 3, H, W, generator=generator).to(device)


@pytest.fixture
def mask(device):
    inside = torch.zeros(H, W, dtype=torch.bool)
    inside[5:12, 8:20] = True
    return inside.to(device)


# ---- one picture ----------------------------------------------------------------------------

def test_picture_is_the_image_itself_and_is_clamped_not_rescaled(image):
    wide = image * 3 - 1  # from -1 to 2
    drawn = plots.picture(wide).pixels
    np.testing.assert_allclose(drawn, wide[0].permute(1, 2, 0).cpu().clip(0, 1), atol=1e-6)
    faint = plots.picture(image * 0.1).pixels
    assert faint.max() <= 0.1  # a dark image stays dark


def test_picture_takes_every_single_image_and_a_mask(image, mask):
    drawn = plots.picture(image)
    for same in (image[0], image[0].permute(1, 2, 0).cpu().numpy(), drawn, image.double()):
        np.testing.assert_allclose(plots.picture(same).pixels, drawn.pixels, atol=1e-6)
    assert set(np.unique(plots.picture(mask).pixels)) == {0.0, 1.0}


def test_grey_is_linear_from_zero_and_says_what_is_white(device):
    map = torch.linspace(0, 4, H * W, device=device).view(H, W)
    shown = plots.grey(map, white=2.0)
    np.testing.assert_allclose(shown.pixels[..., 1], (map / 2).clip(0, 1).cpu(), atol=1e-6)
    assert shown.note == "white: 2"
    white = float(plots.grey(map).note.removeprefix("white: "))
    assert white == pytest.approx(np.quantile(map.cpu(), 0.995), rel=0.05)


def test_signed_has_mid_grey_at_zero_and_one_scale_for_both_signs(device):
    gradient = torch.zeros(1, 3, H, W, device=device)
    gradient[0, 0, 2, 3], gradient[0, 2, 4, 5] = 0.5, -0.25
    shown = plots.signed(gradient, scale=0.5)
    assert shown.pixels[0, 0, 0] == 0.5
    assert shown.pixels[2, 3, 0] == 1.0 and shown.pixels[4, 5, 2] == 0.25
    assert shown.note == "±0.5"
    mirrored = plots.signed(-gradient, scale=0.5).pixels
    np.testing.assert_allclose(mirrored, 1 - shown.pixels)


def test_signed_takes_a_map_and_its_own_scale(generator):
    values = torch.randn(H, W, generator=generator)
    shown = plots.signed(values)
    assert shown.pixels.shape == (H, W, 3)
    assert float(shown.note[1:]) == pytest.approx(np.quantile(values.abs(), 0.995), rel=0.05)


def test_zero_maps_are_black_or_grey_without_a_division_by_zero():
    zero = torch.zeros(H, W)
    assert (plots.grey(zero).pixels == 0).all()
    assert (plots.signed(zero).pixels == 0.5).all()
    assert plots.grey(zero).note == plots.heat(torch.rand(1, 3, H, W), zero).note == "0 everywhere"
    assert np.isfinite(plots.heat(torch.rand(1, 3, H, W), zero).pixels).all()


def test_heat_keeps_cold_pixels_grey_and_colours_hot_ones(image, mask):
    shown = plots.heat(image, mask.float())
    cold, hot = shown.pixels[0, 0], shown.pixels[8, 10]
    assert np.ptp(cold) < 1e-6 and np.ptp(hot) > 0.2
    assert shown.note == "brightest: 1"


def test_coloured_gets_lighter_with_the_value():
    light = plots.coloured(torch.linspace(0, 1, 12).view(3, 4)).pixels.sum(axis=2).ravel()
    assert (np.diff(light) > 0).all()
    assert plots.coloured(torch.zeros(3, 4), top=0.326681).note == "dark: 0, light: 0.33"


def test_rounding_below_zero_is_no_sign():
    left = torch.full((3, 4), -6e-8)
    assert (plots.coloured(left, top=0.9).pixels == plots.coloured(0 * left, top=0.9).pixels).all()
    assert plots.grey(torch.tensor([[1.0, -1e-8]])).pixels.min() == 0
    with pytest.raises(ValueError, match="negative values"):
        plots.grey(torch.tensor([[1.0, -1e-3]]))


def test_outline_runs_along_the_border_and_leaves_the_rest(image, mask):
    drawn = plots.outlined(image, mask, color=(0, 1, 0)).pixels
    zoom = drawn.shape[0] // H
    plain = plots.picture(image).pixels.repeat(zoom, axis=0).repeat(zoom, axis=1)
    line = (drawn == (0, 1, 0)).all(axis=2)
    inside = mask.cpu().numpy().repeat(zoom, axis=0).repeat(zoom, axis=1)
    assert line.any() and not (line & inside).any()  # just outside the object
    np.testing.assert_array_equal(drawn[8 * zoom, 14 * zoom], plain[8 * zoom, 14 * zoom])
    np.testing.assert_array_equal(drawn[0, 0], plain[0, 0])


def test_two_outlines_lie_on_one_picture(image, mask):
    twice = plots.outlined(plots.outlined(image, mask, color=(0, 1, 0)), ~mask, color=(1, 0, 0))
    colours = {tuple(c) for c in twice.pixels.reshape(-1, 3)}
    assert {(0, 1, 0), (1, 0, 0)} <= colours
    assert twice.pixels.shape[0] % H == 0


def test_cut_out_darkens_the_outside_only(image, mask):
    drawn, inside = plots.cut_out(image, mask).pixels, mask.cpu().numpy()
    plain = plots.picture(image).pixels
    np.testing.assert_allclose(drawn[inside], plain[inside])
    np.testing.assert_allclose(drawn[~inside], 0.2 * plain[~inside])


def test_inputs_stay_as_they_were(image, mask):
    before = image.clone()
    plots.show([image, plots.outlined(image, mask), plots.cut_out(image, mask),
                plots.heat(image, mask.float())])
    assert torch.equal(image, before)


@pytest.mark.parametrize("call, message", [
    (lambda: plots.picture(torch.rand(H, W)), r"image has shape \(20, 30\).*plots.grey"),
    (lambda: plots.picture(torch.rand(2, 3, H, W)), r"image has shape \(2, 3, 20, 30\).*\[i:i"),
    (lambda: plots.picture(np.zeros((H, W, 3), np.uint8)), "image has dtype uint8.*images.load"),
    (lambda: plots.grey(torch.rand(2, H, W)), r"map has shape \(2, 20, 30\).*maps\[i\]"),
    (lambda: plots.grey(torch.full((H, W), torch.nan)), "map holds values that are NaN"),
    (lambda: plots.grey(-torch.rand(H, W)), r"map holds negative .*plots.signed\(map\).*map.abs"),
    (lambda: plots.heat(torch.rand(1, 3, H, W), -torch.rand(H, W)), "negative .*plots.heat begins"),
    (lambda: plots.coloured(-torch.rand(H, W)), "map holds negative values, down to -"),
    (lambda: plots.coloured(torch.rand(H, W), "magna"), "colors='magna' .*nearest is 'magma'"),
    (lambda: plots.coloured(torch.rand(H, W), top=torch.inf), "top=inf must be above 0 and fin"),
    (lambda: plots.grey(torch.rand(0, W)), r"map has shape \(0, 30\): there is nothing in it"),
    (lambda: plots.signed(torch.full((H, W), torch.nan)), "gradient holds values that are NaN"),
    (lambda: plots.picture(torch.full((3, H, W), torch.nan)), "image holds values that are NaN"),
    (lambda: plots.picture(np.zeros((H, W, 3), np.int64)), "image has dtype int64.*divide by 255"),
    (lambda: plots.picture(torch.rand(3, 0, W)), "nothing in it to draw"),
    (lambda: plots.picture(torch.rand(3, H, W, device="meta")), "on the device 'meta'"),
    (lambda: plots.outlined(torch.rand(1, 3, H, W), torch.ones(H, W) > 0, color=(0, 2, 0)),
     r"color\[1\]=2 is out of range; it must lie from 0 to 1"),
    (lambda: plots.bars({"a": {"x": float("nan")}}), r"scores\['a'\]\['x'\]=nan is out of range"),
    (lambda: plots.show([torch.rand(1, 3, H, W)], height=0), "height=0 is out of range"),
    (lambda: plots.grey(torch.rand(H, W), white=0), "white=0 must be above 0"),
    (lambda: plots.signed(torch.rand(2, 3, H, W)), r"gradient has shape \(2, 3, 20, 30\)"),
    (lambda: plots.signed(torch.rand(H, W), scale=-1), "scale=-1 must be above 0"),
    (lambda: plots.heat(torch.rand(1, 3, H, W), torch.rand(H, H)), "map is 20×20, the image 20×30"),
    (lambda: plots.outlined(torch.rand(1, 3, H, W), torch.rand(H, W)), "mask has .*map > t"),
    (lambda: plots.cut_out(torch.rand(1, 3, H, W), torch.ones(H, H) > 0), "mask is 20×20"),
    (lambda: plots.show([]), "pictures.*empty row"),
    (lambda: plots.show([torch.rand(1, 3, H, W)], ["a", "b"]), "titles.*more than the pictures"),
    (lambda: plots.show([torch.rand(1, 3, H, W)], labels=["a", "b"]), "labels has 2 entries for 1"),
    (lambda: plots.bars({"a": {"x": 1.0}}, baselines=["b"]), r"baselines=\['b'\].*rows \['a'\]"),
    (lambda: plots.bars({}), "must be a row of scores"),
])
def test_what_cannot_be_drawn_is_refused_in_a_sentence(call, message):
    with pytest.raises(ValueError, match=re.compile(message, re.S)):
        call()


@pytest.mark.parametrize("call, message", [
    (lambda: plots.picture("bee.png"), "image='bee.png' must be a tensor or an array of numbers"),
    (lambda: plots.picture(None), "image=<NoneType> must be a tensor or an array"),
    (lambda: plots.grey(np.array(["a"])), "map=<ndarray> must be a tensor or an array of numbers"),
    (lambda: plots.grey(torch.rand(H, W), white="2"), "white='2' must be a number above 0"),
    (lambda: plots.outlined(torch.rand(1, 3, H, W), torch.ones(H, W) > 0, color="red"),
     r"color='red' must be three numbers in \[0, 1\]"),
    (lambda: plots.show(torch.rand(3, 3, H, W), "bee"), r"titles='bee' is one text.*titles=\['bee'\]"),
    (lambda: plots.show([torch.rand(1, 3, H, W)], labels="b"), "labels='b' is one text, but must be"),
    (lambda: plots.show([torch.rand(1, 3, H, W)], [3]), "titles holds 3, of type int, but must"),
    (lambda: plots.show([torch.rand(1, 3, H, W)], 3), "titles=<int> must be a list of texts"),
    (lambda: plots.show([torch.rand(1, 3, H, W)], caption=3), "caption holds 3, of type int"),
    (lambda: plots.show(plots.picture(torch.rand(1, 3, H, W))), "pictures=<Picture> must be a list"),
    (lambda: plots.show(None), "pictures=<NoneType> must be a list of pictures"),
    (lambda: plots.show([[torch.rand(1, 3, H, W)], torch.rand(1, 3, H, W)]), "lists and single pic"),
    (lambda: plots.bars([0.5]), "scores=<list> must be a dict of dicts"),
    (lambda: plots.bars({"a": {"x": "high"}}), r"scores\['a'\]\['x'\]='high' is a str"),
    (lambda: plots.bars({"a": {"x": 0.5}}, baselines="a"), "baselines='a' is one text"),
])
def test_what_is_of_another_kind_is_refused_in_a_sentence(call, message):
    with pytest.raises(TypeError, match=re.compile(message, re.S)):
        call()


# ---- figures --------------------------------------------------------------------------------

def test_show_gives_each_picture_its_place_size_and_words(image):
    row = [image, plots.grey(image[0, 0], white=0.5)]
    figure = plots.show([row, row[:1]], ["photograph", "map"], labels=["first", "second"],
                       height=1.0, caption="a caption")
    for axes, one in zip(figure.axes, [*row, image], strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), plots.picture(one).pixels)
    wide, tall = figure.get_size_inches()
    for axes in figure.axes:
        place = axes.get_position()
        assert place.height * tall == pytest.approx(1.0)
        assert place.width * wide == pytest.approx(1.5)  # 30 × 20 pixels
        assert 0 <= place.x0 and place.x1 <= 1 and 0 <= place.y0 and place.y1 <= 1
        assert not axes.axison
    words = {text.get_text() for text in figure.texts} - {""}
    assert words == {"photograph", "map", "first", "second", "white: 0.5", "a caption"}
    assert {text.get_fontsize() for text in figure.texts} == {figures.SIZE}


def test_pictures_do_not_overlap(image):
    boxes = [axes.get_position() for axes in plots.show([[image] * 3] * 2, ["a", "b", "c"]).axes]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_titles_may_differ_for_each_picture(image):
    figure = plots.show([[image, image], [image, image]], [["a", "b"], ["c", "d"]])
    assert [t.get_text() for t in figure.texts if t.get_text()] == ["a", "b", "c", "d"]


def test_a_figure_becomes_a_small_jpeg_with_a_text_alternative(image):
    figure = plots.show([image], ["ladybug"])
    data, metadata = figure.bundle()
    decoded = Image.open(BytesIO(data["image/jpeg"]))
    assert decoded.format == "JPEG"
    assert decoded.width == pytest.approx(figure.get_figwidth() * figures.CRISP, abs=1)
    assert "ladybug" in data["text/plain"]
    assert metadata["image/jpeg"]["alt"] == "1 pictures: ladybug"


def test_a_notebook_shows_a_figure_once(image, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *args, **kwargs: shown.append(kwargs))
    plots.show([image])._ipython_display_()
    assert len(shown) == 1 and shown[0]["raw"]


def test_pyplot_is_left_alone(image):
    import matplotlib.pyplot as plt
    plots.show([image])
    assert plt.get_fignums() == []


def test_bars_draw_the_values_and_mark_the_baseline():
    figure = plots.bars({"saliency": {"energy": 0.7}, "centre": {"energy": 0.25, "IoU": 0.5}},
                       baselines=["centre"], caption="60 pictures")
    energy, overlap = figure.axes
    assert [bar.get_width() for bar in energy.patches] == [0.7, 0.25]
    assert [bar.get_width() for bar in overlap.patches] == [0.5]
    assert energy.lines[0].get_xdata()[0] == 0.25
    assert {"0.70", "0.25"} == {text.get_text() for text in energy.texts}
    assert energy.get_xlim() == (0, 1)
    data, _ = figure.bundle()
    assert Image.open(BytesIO(data["image/png"])).format == "PNG"
    assert "saliency energy 0.70" in data["text/plain"]


# ---- curves ---------------------------------------------------------------------------------

def test_curves_draw_each_line_in_its_chart_and_name_it_once():
    lines = {"ordinary": ([1, 2, 4], [0.2, 0.5, 1.0]), "robust": (np.array([2, 8]), [0.1, 0.4])}
    figure = plots.curves({"steps": lines, "L2": {"robust": ([3], [0.5])}}, up="share",
                          caption="100 pictures", log=True)
    steps, length = figure.axes
    for drawn, (xs, ys) in zip(steps.lines, lines.values(), strict=True):
        np.testing.assert_array_equal(drawn.get_xydata(), np.stack([xs, ys], axis=1))
    assert steps.get_xscale() == "log" and steps.get_ylim() == pytest.approx((-0.02, 1.02))
    assert steps.lines[1].get_color() == length.lines[0].get_color() != steps.lines[0].get_color()
    words = [text.get_text() for text in figure.texts]
    assert words == ["ordinary", "robust", "steps", "L2", "share", "100 pictures"]
    data, metadata = figure.bundle()
    assert Image.open(BytesIO(data["image/png"])).format == "PNG"
    assert "ordinary from 0.20 at 1 to 1.00 at 4" in metadata["image/png"]["alt"]


def test_the_names_of_curves_have_room_beside_one_chart():
    names = ["pixels", "untrained", "ordinary", "robust"]
    figure = plots.curves({"depth": {name: ([1, 2], [0.1, 0.2]) for name in names}})
    renderer = figure.canvas.get_renderer() if hasattr(figure.canvas, "get_renderer") else None
    last, = [text for text in figure.texts if text.get_text() == "robust"]
    assert last.get_window_extent(renderer).x1 <= figure.bbox.x1


def test_whole_numbers_have_whole_ticks():
    axes, = plots.curves({"depth": {"a": (range(12), [0.5] * 12)}}).axes
    low, high = axes.get_xlim()
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert len(ticks) > 3 and all(tick % 1 == 0 for tick in ticks)


def test_curves_fit_values_above_one_where_no_end_is_given():
    axes, = plots.curves({"batches": {"loss": (range(3), [3.0, 2.0, 1.0])}}, most=None).axes
    assert -0.1 < axes.get_ylim()[0] <= 0 and 3 <= axes.get_ylim()[1] < 4


@pytest.mark.parametrize("panels, error, message", [
    ([1], TypeError, "panels=<list> must be a dict of dicts"),
    ({"x": [1]}, TypeError, "panels=<dict> must be a dict of dicts"),
    ({}, ValueError, "must have a chart"),
    ({"x": {}}, ValueError, "every chart a line"),
    ({"x": {"a": 3}}, TypeError, r"panels\['x'\]\['a'\]=<int> must be a pair of lists"),
    ({"x": {"a": ("b", "c")}}, TypeError, "a pair of lists of numbers"),
    ({"x": {"a": ([1, 2], [1])}}, ValueError, r"shapes \(2,\) and \(1,\)"),
    ({"x": {"a": ([], [])}}, ValueError, "at least one number"),
    ({"x": {"a": ([1], [np.nan])}}, ValueError, "NaN"),
    ({"x": {"a": ([0], [1])}}, ValueError, "begins at 0: with log=True all xs must be above 0"),
    ({"x": {str(n): ([1], [1]) for n in range(5)}}, ValueError, "has 5 names"),
])
def test_what_is_no_curve_is_refused_in_a_sentence(panels, error, message):
    with pytest.raises(error, match=message):
        plots.curves(panels, log=True)


def test_a_live_place_shows_the_newest_figure_and_nothing_outside_a_notebook(image, monkeypatch):
    plots.live()(plots.show([image]))  # no notebook here: nothing happens
    shown, updated = [], []

    class Place:
        def update(self, data, **kwargs):
            updated.append(data)

    monkeypatch.setattr("cs_vis.cell.in_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display",
                        lambda data, **kwargs: shown.append(data) or Place())
    newest = plots.live()
    for _ in range(3):
        newest(plots.show([image]))
    assert shown == [{}] and len(updated) == 3 and "image/jpeg" in updated[0]


def test_a_label_of_wide_letters_has_its_room(image):
    """Measured by the figure's own renderer: nothing is cut off at the left."""
    figure = plots.show([image], labels=["and momentum, mmm"])
    figure.canvas.draw()
    label, = (text for text in figure.texts if "momentum" in text.get_text())
    assert label.get_window_extent().x0 >= 0
