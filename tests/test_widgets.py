"""The panel runs the student's functions; so do the small helpers that notebooks lean on."""

import re

import numpy as np
import pytest
import torch

from cs_vis import plots, widgets
from cs_vis.widgets import saliency as panels
from cs_vis.methods.occlusion import spread
from cs_vis.methods.saliency import DeconvReLU, backprop, smooth_saliency
from cs_vis.models import SpecimenNet
from cs_vis.reference import saliency as reference

STUDENT = {name: getattr(reference, name) for name in
           ("compute_saliency_maps", "occlusion_map", "GuidedReLU", "segment_by_saliency")}


def network(classes, widths=((4,), (6, 6))):
    with torch.random.fork_rng():
        torch.manual_seed(len(widths) + classes)
        return SpecimenNet(widths, classes).eval().requires_grad_(False)


@pytest.fixture
def parts(device, generator):
    models = {"small": network(3).to(device), "deep": network(5, ((4,), (6,), (8,))).to(device)}
    images = {name: torch.rand(1, 3, 32, 40, generator=generator).to(device) for name in "ab"}
    return models, images


@pytest.fixture
def panel(parts):
    return widgets.saliency_panel(*parts, **STUDENT)


def pixels(panel, axes=1):
    return panel.screen.drawn.axes[axes].images[0].get_array()


def expected(method, model, image, y):
    """The two pictures beside the image, unsmoothed, from the reference alone."""
    labels = torch.tensor([y], device=image.device)
    saliency = reference.compute_saliency_maps(image, labels, model)[0]
    if method == "smoothed saliency":
        draws = torch.Generator(image.device).manual_seed(0)
        noisy = [image + 0.05 * torch.randn(image.shape, generator=draws, device=image.device)
                 for _ in range(8)]
        saliency = sum(reference.compute_saliency_maps(x, labels, model)[0] for x in noisy) / 8
    if method == "segmentation":
        mask = reference.segment_by_saliency(image, saliency)
        return plots.outlined(image, mask), plots.cut_out(image, mask)
    if method in ("guided backprop", "deconvnet"):
        rule = reference.GuidedReLU if method == "guided backprop" else DeconvReLU
        gradient = backprop(model, image, y, relu=rule)
        return plots.signed(gradient), plots.heat(image, gradient.abs().amax(dim=1))
    if method == "occlusion":
        whole = model(image).softmax(dim=1)[0, y].item()
        left = whole - hidden_by_patches(model, image, y, patch=24, stride=12)
        return plots.occlusion_picture(left, whole), plots.occlusion_picture(left, whole, image)
    return plots.grey(saliency), plots.heat(image, saliency)


def hidden_by_patches(model, image, y, patch, stride):
    """The probability lost, as the mean over the patches that cover a pixel; (H, W)."""
    whole = model(image).softmax(dim=1)[0, y]
    total, count = torch.zeros(2, *image.shape[2:], device=image.device)
    for top in sorted({*range(0, image.shape[2] - patch, stride), image.shape[2] - patch}):
        for left in sorted({*range(0, image.shape[3] - patch, stride), image.shape[3] - patch}):
            at = slice(top, top + patch), slice(left, left + patch)
            covered = image.clone()
            covered[(..., *at)] = model.mean_color.to(image).view(3, 1, 1)
            total[at] += (whole - model(covered).softmax(dim=1)[0, y]).clamp(min=0)
            count[at] += 1
    return total / count


def words(panel):
    return [text.get_text() for text in panel.screen.drawn.texts]


def test_it_starts_with_the_first_network_image_and_method(panel):
    labels = [panel.controls[name].label for name in ("network", "method", "y", "layer")]
    assert [panel.images.label, *labels] == ["a", "small", "saliency", "the network's answer",
                                             "class score"]
    assert len(panel.screen.drawn.axes) == 3 and panel.problem == ""


@pytest.mark.parametrize("method", ["saliency", "smoothed saliency", "guided backprop",
                                    "deconvnet", "occlusion", "segmentation"])
def test_every_method_draws_its_own_picture(panel, parts, method):
    panel.controls["method"].choose("occlusion" if method != "occlusion" else "saliency")
    before = panel.screen.drawn
    panel.controls["y"].choose("class 2")
    panel.controls["smoothing"].value = 0.0
    panel.controls["method"].choose(method)
    assert panel.problem == "" and panel.screen.drawn is not before
    model, image = parts[0]["small"], parts[1]["a"]
    wanted = [plots.picture(image), *expected(method, model, image, 2)]
    assert len(panel.screen.drawn.axes) == 3
    for axes, one in enumerate(wanted):
        np.testing.assert_allclose(pixels(panel, axes), one.pixels, atol=1e-3)


def test_saliency_is_the_student_s_function_smoothed(panel, parts):
    models, images = parts
    panel.controls["smoothing"].value = 0.0
    panel.controls["y"].choose("class 2")
    expected = reference.compute_saliency_maps(
        images["a"], torch.tensor([2], device=images["a"].device), models["small"])
    assert (pixels(panel) == plots.grey(expected[0]).pixels).all()
    panel.controls["smoothing"].value = 3.0
    assert pixels(panel).std() < plots.grey(expected[0]).pixels.std()


def test_the_class_asked_for_stands_above_the_picture(panel):
    panel.controls["y"].choose("class 1")
    assert "why class 1?" in words(panel)


def test_layer_and_channel_ask_a_neuron_instead_of_a_class(panel):
    assert panel.controls["channel"].disabled and not panel.controls["y"].disabled
    panel.controls["layer"].choose("relu2_1")
    channel = panel.controls["channel"]
    assert channel.max == 5 and panel.controls["y"].disabled and not channel.disabled
    first = pixels(panel)
    panel.controls["channel"].value = 4
    assert "relu2_1, channel 4" in words(panel)
    assert (pixels(panel) != first).any()
    panel.controls["method"].choose("guided backprop")
    assert panel.problem == ""


def test_occlusion_knows_classes_only(panel):
    panel.controls["layer"].choose("relu2_1")
    panel.controls["method"].choose("occlusion")
    assert panel.controls["layer"].disabled and not panel.controls["y"].disabled
    assert any(word.startswith("why ") for word in words(panel))


@pytest.mark.parametrize("method, works", [("saliency", True), ("guided backprop", True),
                                           ("occlusion", False), ("segmentation", False)])
def test_smoothing_can_be_set_only_where_it_shows(panel, method, works):
    panel.controls["method"].choose(method)
    assert panel.controls["smoothing"].disabled == (not works)
    before = pixels(panel, axes=2)
    panel.controls["smoothing"].value = 4.0
    assert (pixels(panel, axes=2) != before).any() == works


def test_another_network_offers_its_own_classes_and_layers(panel):
    panel.controls["y"].choose("class 1")
    panel.controls["network"].choose("deep")
    y = panel.controls["y"]
    assert len(y.options) == 6 and y.chosen == 1  # the answer, and five classes
    assert "relu3_1" in panel.controls["layer"].things
    panel.controls["layer"].choose("relu3_1")
    panel.controls["channel"].value = 7
    panel.controls["network"].choose("small")
    assert panel.controls["layer"].chosen is None and panel.problem == ""


def test_a_layer_that_both_networks_have_keeps_its_choice_within_its_channels(panel):
    panel.controls["layer"].choose("relu2_1")
    panel.controls["channel"].value = 5
    panel.controls["network"].choose("deep")
    chosen = [panel.controls["layer"].chosen, panel.controls["channel"].value]
    assert chosen == ["relu2_1", 5] and panel.problem == ""


def test_only_methods_whose_function_is_given_are_offered(parts):
    panel = widgets.saliency_panel(*parts, GuidedReLU=reference.GuidedReLU)
    assert list(panel.controls["method"].things) == ["guided backprop", "deconvnet"]


def test_an_unsolved_exercise_gets_the_kind_line_and_the_panel_lives_on(parts):
    def unsolved(X, y, model):
        raise NotImplementedError
    panel = widgets.saliency_panel(*parts, **STUDENT | {"compute_saliency_maps": unsolved})
    assert panel.problem == ("○ Solve the exercise above first: this part runs your "
                             "compute_saliency_maps.")
    assert panel.screen.drawn is None
    panel.controls["method"].choose("guided backprop")
    assert panel.problem == "" and panel.screen.drawn is not None


def test_what_the_student_s_function_raises_is_shown(parts):
    def broken(X, y, model):
        raise ValueError("shape (3,)")
    panel = widgets.saliency_panel(*parts, **STUDENT | {"compute_saliency_maps": broken})
    assert re.fullmatch(r"✗ Your compute_saliency_maps raised ValueError \(shape \(3,\)\) in line "
                        r"\d+: raise ValueError\(.*\)\. Its check above says more\.",
                        panel.problem)


def test_errors_are_traced_through_decorators_and_autograd_functions(parts):
    @torch.no_grad()
    def broken_map(image, y, model, patch, stride):
        raise KeyError("patch")

    class BrokenReLU(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clamp(min=0)

        @staticmethod
        def backward(ctx, g):
            raise ValueError("no ctx")

    panel = widgets.saliency_panel(*parts, occlusion_map=broken_map, GuidedReLU=BrokenReLU)
    assert re.match(r"✗ Your GuidedReLU raised ValueError \(no ctx\) in line \d+: raise",
                    panel.problem)
    panel.controls["method"].choose("occlusion")
    assert re.match(r"✗ Your occlusion_map raised KeyError \('patch'\) in line \d", panel.problem)


def test_a_result_that_cannot_be_drawn_is_said_to_be_theirs(parts):
    def flat(X, y, model):
        return torch.full_like(X[:, 0], torch.nan)  # the drawing refuses it
    panel = widgets.saliency_panel(*parts, **STUDENT | {"compute_saliency_maps": flat})
    assert panel.problem.startswith("✗ This part cannot use what your compute_saliency_maps "
                                    "returned. ")


def test_what_an_error_says_is_text_and_no_html(parts):
    def broken(X, y, model):
        raise TypeError("<b>int</b>")
    panel = widgets.saliency_panel(*parts, **STUDENT | {"compute_saliency_maps": broken})
    assert "<b>int" in panel.problem
    assert "<b>" not in panel.message.value and "&lt;b&gt;int" in panel.message.value


def test_an_error_of_ours_is_not_called_theirs_and_takes_the_old_picture_away(panel, monkeypatch):
    monkeypatch.setattr(panels, "draw", lambda *args: 1 / 0)
    panel.images.choose("b")
    assert panel.problem == ("✗ No picture, for this went wrong: ZeroDivisionError: "
                             "division by zero")
    assert panel.screen.drawn is None and panel.screen.image.layout.display == "none"
    monkeypatch.undo()
    panel.images.choose("a")
    assert panel.problem == "" and panel.screen.image.layout.display == ""


def test_a_notebook_keeps_a_picture_that_the_controls_update(panel, monkeypatch):
    shown, updates = [], []

    class Handle:
        def update(self, data, **kwargs):
            updates.append(data)

    def display(data, **kwargs):
        shown.append(data)
        return Handle() if kwargs.get("display_id") else None

    monkeypatch.setattr("cs_vis.widgets.screen.display", display)
    panel._ipython_display_()
    assert "controls appear" in shown[1]["text/plain"]
    assert "image/jpeg" in shown[0]
    panel.images.choose("b")
    assert len(updates) == 1 and updates[0]["image/jpeg"] != shown[0]["image/jpeg"]


def test_a_picture_that_was_asked_for_its_gradient_does_no_harm(parts):
    """`X.requires_grad_()` is allowed in the exercise, and its slices would be no leaves."""
    def familiar(X, y, model):
        X.requires_grad_()
        X.grad = None
        model(X).gather(1, y.view(-1, 1)).sum().backward()
        return X.grad.abs().amax(dim=1)

    models, images = parts
    batch = torch.cat(list(images.values())).requires_grad_()
    panel = widgets.saliency_panel(models, {"first": batch[:1]}, compute_saliency_maps=familiar)
    assert panel.problem == ""
    y = torch.tensor([1, 2], device=batch.device)
    smooth_saliency(batch, y, models["small"], familiar, samples=2,
                    generator=torch.Generator().manual_seed(0))


def test_without_ipywidgets_there_is_a_sentence_and_a_picture(parts, no_ipywidgets, capsys):
    figure = widgets.saliency_panel(*parts, **STUDENT)
    assert "pip install ipywidgets" in capsys.readouterr().out
    assert isinstance(figure, plots.Figure) and len(figure.axes) == 3
    np.testing.assert_allclose(figure.axes[0].images[0].get_array(),
                               plots.picture(parts[1]["a"]).pixels)


def test_without_ipywidgets_an_unsolved_exercise_is_a_line_too(parts, no_ipywidgets, capsys):
    def unsolved(X, y, model):
        raise NotImplementedError
    assert widgets.saliency_panel(*parts, compute_saliency_maps=unsolved) is None
    assert "runs your compute_saliency_maps." in capsys.readouterr().out


@pytest.mark.parametrize("change, message", [
    (lambda models, images: ({}, images, STUDENT), "models has 0 entries"),
    (lambda models, images: (models, {}, STUDENT), "images has 0 entries"),
    (lambda models, images: (models, images, {}), "a function for 0 methods"),
])
def test_an_empty_panel_is_refused_in_a_sentence(parts, change, message):
    models, images, functions = change(*parts)
    with pytest.raises(ValueError, match=message):
        widgets.saliency_panel(models, images, **functions)


def test_the_networks_and_images_stay_as_they_were(parts):
    models, images = parts
    before = {name: image.clone() for name, image in images.items()}
    panel = widgets.saliency_panel(models, images, **STUDENT)
    for method in panel.controls["method"].things:
        panel.controls["method"].choose(method)
    assert all(torch.equal(images[name], before[name]) for name in images)
    assert not any(p.requires_grad or p.grad is not None for p in models["small"].parameters())
    assert not models["small"].training


# ---- what notebooks lean on -----------------------------------------------------------------

@pytest.mark.parametrize("size, patch, stride", [
    ((16, 16), 8, 4), ((17, 23), 5, 4), ((9, 9), 9, 3)])
def test_spread_is_the_mean_over_the_windows_that_cover_a_pixel(size, patch, stride, device,
                                                                generator):
    tops, lefts = (reference.positions(side, patch, stride) for side in size)
    values = torch.rand(len(tops), len(lefts), generator=generator, dtype=torch.float64).to(device)
    got = spread(values, size, patch, stride)
    for row in range(size[0]):
        for col in range(size[1]):
            over = [values[r, c].item() for r, top in enumerate(tops)
                    for c, left in enumerate(lefts)
                    if top <= row < top + patch and left <= col < left + patch]
            assert got[row, col].item() == pytest.approx(sum(over) / len(over))


def test_positions_are_those_of_the_occlusion_map():
    assert reference.positions(128, 32, 20) == [0, 20, 40, 60, 80, 96]
    map = reference.occlusion_map(torch.rand(1, 3, 32, 45), 0, network(3), patch=16, stride=7)
    assert tuple(map.shape) == tuple(len(reference.positions(side, 16, 7)) for side in (32, 45))


@pytest.mark.parametrize("call, message", [
    (lambda: spread(torch.zeros(2, 2), (16, 16), 8, 4), r"values has shape \(2, 2\).*3 × 3"),
    (lambda: reference.positions(16, 20, 4), "patch=20, stride=4"),
    (lambda: reference.positions(16, 8, 0), "patch=8, stride=0"),
])
def test_windows_that_do_not_fit_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
