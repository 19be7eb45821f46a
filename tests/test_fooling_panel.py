"""The panel of notebook 04 takes the student's steps, and shows the picture and its change."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from cs_vis import plots, widgets
from cs_vis.reference import fooling_images as reference
from page import Page
from test_attacks import network

STUDENT = {name: getattr(reference, name)
           for name in ("make_fooling_image", "attack_step", "magnified_difference")}


@pytest.fixture
def parts(device, generator):
    other = network()
    other.class_names = ["a", "b", "d"]
    other.fc.bias.copy_(torch.tensor([0.0, 0.0, 9.0]))  # says d to everything
    models = {"one": network().to(device), "other": other.to(device)}
    images = {name: torch.rand(1, 3, 16, 20, generator=generator).to(device) for name in "xyz"}
    return models, images


@pytest.fixture
def panel(parts):
    panel = widgets.fooling_panel(*parts, **STUDENT)
    panel.reset.click()
    return panel


def says(model, image):
    return model.class_names[model(image).argmax()]


def elsewhere(panel, model):
    """Choose a target that the network does not say, and return its index."""
    said = model(panel.images.chosen).argmax().item()
    panel.controls["target"].choose(model.class_names[(said + 1) % 3])
    return (said + 1) % 3


def words(panel):
    return [text.get_text() for text in panel.screen.drawn.texts]


def test_each_step_is_one_of_the_student_s_loop(panel, parts):
    model, image = parts[0]["one"], parts[1]["x"]
    target = elsewhere(panel, model)
    gradient = torch.autograd.grad(model(leaf := image.clone().requires_grad_())[0, target],
                                   leaf)[0]
    panel.one.click()
    torch.testing.assert_close(panel.image, image + gradient / gradient.norm())
    assert panel.objectives == [pytest.approx(model(image).softmax(1)[0, target].item())]


def test_at_the_end_it_is_the_fooling_image(panel, parts):
    model, image = parts[0]["one"], parts[1]["x"]
    target = elsewhere(panel, model)
    for _ in range(100):
        panel.one.click()
    wanted = reference.make_fooling_image(image, target, model)
    assert says(model, wanted) == model.class_names[target]  # so it ended by itself
    torch.testing.assert_close(panel.image, wanted)
    assert "Nothing is left to do" in panel.message.value


@pytest.mark.parametrize("norm, name, radius", [("L∞", "linf", 6 / 255), ("L2", "l2", 3.0)])
def test_away_from_the_answer_is_the_student_s_attack_step(panel, parts, norm, name, radius):
    model, image = parts[0]["one"], parts[1]["x"]
    panel.controls["method"].choose("away from the answer")
    panel.controls["norm"].choose(norm)
    y = model(image).argmax(dim=1)
    wanted = image
    for _ in range(3):
        panel.one.click()
        wanted = reference.attack_step(wanted, image, y, model, 0.25 * radius, radius, name)
        torch.testing.assert_close(panel.image, wanted)
    assert panel.objectives[2] < panel.objectives[0] == pytest.approx(
        model(image).softmax(1)[0, y].item())


def test_sliders_act_at_the_next_step(panel, parts):
    image = parts[1]["x"]
    panel.controls["method"].choose("away from the answer")
    for radius, rate in ((2.0, 1.0), (8.0, 0.5)):
        panel.controls["linf"].value, panel.controls["rate"].value = radius, rate
        before = panel.image
        panel.one.click()
        assert (panel.image - before).abs().max() == pytest.approx(rate * radius / 255, rel=1e-3)
    assert (panel.image - image).abs().max() <= 8 / 255 + 1e-6


def test_only_what_the_method_uses_can_be_set(panel):
    def disabled():
        return {name for name, control in panel.controls.items() if control.disabled}
    assert disabled() == {"norm", "rate", "linf", "l2"}
    panel.controls["method"].choose("away from the answer")
    assert disabled() == {"target", "l2"}
    panel.controls["norm"].choose("L2")
    assert disabled() == {"target", "linf"}


def test_the_magnification_is_drawn_at_once_and_takes_no_step(panel, parts):
    elsewhere(panel, parts[0]["one"])
    panel.one.click()
    now, image = panel.image, parts[1]["x"]
    panel.controls["scale"].value = 0.2
    assert panel.image is now
    shown = panel.screen.drawn.axes[2].images[0].get_array()
    wanted = reference.magnified_difference(image, now, 0.2)
    np.testing.assert_allclose(shown, plots.picture(wanted).pixels, atol=1e-6)
    assert "±0.2" in words(panel)
    assert any(f"{(now - image).norm():.2f} long" in line for line in words(panel))


def test_another_network_says_its_own_words(panel, parts):
    panel.controls["network"].choose("other")
    assert panel.controls["target"].things == {"a": "a", "b": "b", "d": "d"}
    assert words(panel)[0].startswith("d, ") and panel.problem == ""


def test_another_picture_starts_anew(panel, parts):
    elsewhere(panel, parts[0]["one"])
    panel.one.click()
    panel.images.choose("y")
    assert torch.equal(panel.image, parts[1]["y"]) and panel.objectives == []
    np.testing.assert_allclose(panel.screen.drawn.axes[0].images[0].get_array(),
                               plots.picture(parts[1]["y"]).pixels)


def test_it_begins_with_a_few_steps_towards_what_the_last_picture_shows(parts):
    panel = widgets.fooling_panel(*parts, **STUDENT)
    model, images = parts[0]["one"], parts[1]
    assert panel.controls["target"].chosen == says(model, images["z"])
    assert len(panel.objectives) <= 3


def test_without_the_difference_exercise_a_signed_picture_is_drawn(parts):
    panel = widgets.fooling_panel(*parts, attack_step=reference.attack_step)
    assert list(panel.controls["method"].things) == ["away from the answer"]
    assert len(panel.screen.drawn.axes) == 3


def test_an_unsolved_exercise_is_one_line_and_the_panel_lives_on(parts):
    def unsolved(X, target_y, model):
        raise NotImplementedError
    panel = widgets.fooling_panel(*parts, **STUDENT | {"make_fooling_image": unsolved})
    assert panel.problem == ("○ Solve the exercise above first: this part runs your "
                             "make_fooling_image.")
    panel.controls["method"].choose("away from the answer")
    panel.one.click()
    assert panel.problem == "" and panel.screen.drawn is not None


def test_what_the_student_s_function_raises_or_returns_wrongly_is_said(parts):
    def broken(X, original, y, model, rate, radius, norm):
        raise ValueError("shape (3,)")

    def nothing(X, original, y, model, rate, radius, norm):
        model(X)

    for function, said in ((broken, r"✗ Your attack_step raised ValueError \(shape \(3,\)\)"),
                           (nothing, "✗ This part cannot use what your attack_step returned")):
        panel = widgets.fooling_panel(*parts, attack_step=function)
        assert re.match(said, panel.problem), panel.problem


def test_networks_and_images_stay_as_they_were(panel, parts):
    models, images = parts
    before = {name: image.clone() for name, image in images.items()}
    for method in panel.controls["method"].things:
        panel.controls["method"].choose(method)
        panel.one.click()
    assert all(torch.equal(images[name], before[name]) for name in images)
    assert not any(p.requires_grad or p.grad is not None for p in models["one"].parameters())
    assert not models["one"]._forward_hooks and not models["one"]._forward_pre_hooks


def test_without_ipywidgets_there_is_a_sentence_and_a_picture(parts, no_ipywidgets, capsys):
    figure = widgets.fooling_panel(*parts, **STUDENT)
    assert "pip install ipywidgets" in capsys.readouterr().out
    assert isinstance(figure, plots.Figure) and len(figure.axes) == 3


@pytest.mark.parametrize("change, words", [
    (lambda models, images: ({}, images, STUDENT), "models has 0 entries"),
    (lambda models, images: (models, {}, STUDENT), "images 0"),
    (lambda models, images: (models, images, {}), "a function for 0 methods"),
    (lambda models, images: (models, images, {"magnified_difference": min}), "for 0 methods"),
])
def test_an_empty_panel_is_refused_in_a_sentence(parts, change, words):
    models, images, functions = change(*parts)
    with pytest.raises(ValueError, match=words):
        widgets.fooling_panel(models, images, **functions)


# ---- in a kernel ----------------------------------------------------------------------------

CELL = """
import torch
from cs_vis import widgets
from cs_vis.reference import fooling_images as reference
from test_attacks import network
model, pictures = network(), torch.rand(3, 3, 16, 20, generator=torch.Generator().manual_seed(0))
def attack_step(X, original, y, model, rate, radius, norm):
    return reference.attack_step(X, original, y, model, rate, radius, norm)
panel = widgets.fooling_panel({"one": model}, dict(zip("xyz", pictures.split(1))),
                              attack_step=attack_step,
                              magnified_difference=reference.magnified_difference)
panel
"""
MENDED = """
def attack_step(X, original, y, model, rate, radius, norm):
    model(X)
    return original
"""


def test_it_plays_follows_a_slider_and_picks_up_a_function_defined_anew(tmp_path):
    page = Page(tmp_path, path=Path(__file__).parent)
    try:
        assert page.run(CELL) == ""
        page.move(page.named("panel"), _view_count=1)
        page.press(page.find("ButtonModel", "play"))
        assert page.wait(lambda m: len(page.frames) > 3, timeout=30)
        page.move(page.find("FloatSliderModel", "L∞ radius"), value=20.0)
        page.wait(timeout=1)
        farthest = "print((panel.image - panel.images.chosen).abs().max().item() * 255)"
        assert 6.1 < float(page.run(farthest)) <= 20.01
        assert "probability of the class: " in page.chart
        page.run(MENDED)
        page.wait(timeout=1)
        assert float(page.run(farthest)) == 0
    finally:
        page.close()
