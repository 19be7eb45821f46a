"""The panel of notebook 05 climbs by the student's functions, as its sliders say."""

import re

import pytest
import torch

from cs_vis import widgets
from cs_vis.methods.class_visualization import STRENGTHS, visualize
from cs_vis.models import SpecimenNet
from cs_vis.reference import class_visualization as reference

STEP = reference.class_visualization_update_step
HELPERS = {name: getattr(reference, name) for name in STRENGTHS}
STUDENT = {"class_visualization_update_step": STEP, **HELPERS}


@pytest.fixture
def parts(device, generator):
    networks = {}
    for seed, name in enumerate(("ordinary", "robust")):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            networks[name] = SpecimenNet(((4,), (6, 6)), 3).eval().requires_grad_(False).to(device)
    starts = {name: torch.rand(1, 3, 16, 16, generator=generator).to(device) for name in "ab"}
    return networks, starts


def panel_of(parts, begin=0, **changes):
    return widgets.class_visualization_panel(*parts, begin=begin, **(STUDENT | changes))


def set_to(panel, **values):
    for name, value in values.items():
        panel.controls[name].value = value


def test_a_step_is_one_of_the_driver_s_with_the_sliders_values(parts):
    networks, starts = parts
    panel = panel_of(parts)
    set_to(panel, learning_rate=2.0, l2_reg=0.01, reach=3, sigma=1.0, every=1, pixels=0.2,
           gradients=0.3)
    panel.controls["y"].choose("class 2")
    assert panel.take() and panel.take()
    model = networks["robust"]  # the last one is offered first
    frames = list(visualize(STEP, model, 2, HELPERS, start=starts["a"] - 0.5, steps=2,
                            learning_rate=2.0, l2_reg=0.01, reach=3, sigma=1.0, every=1,
                            pixels=0.2, gradients=0.3, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(panel.image, frames[-1].image, atol=1e-4, rtol=1e-4)
    assert panel.objectives == pytest.approx([frame.objective for frame in frames], abs=1e-4)


def test_a_slider_acts_at_the_next_step(parts):
    panel = panel_of(parts)
    set_to(panel, reach=0, sigma=0.0, pixels=0.0, gradients=0.0, l2_reg=0.0, in_range=False)
    set_to(panel, learning_rate=1.0)
    before = panel.image
    panel.take()
    first = (panel.image - before).norm().item()
    set_to(panel, learning_rate=3.0)
    before = panel.image
    panel.take()
    assert [first, (panel.image - before).norm().item()] == pytest.approx([1, 3], rel=1e-3)


def test_the_class_and_the_network_can_change_on_the_way(parts):
    panel = panel_of(parts)
    panel.take()
    panel.controls["y"].choose("class 1")
    panel.controls["network"].choose("ordinary")
    before, mean = panel.image, parts[0]["ordinary"].mean_color.view(3, 1, 1)
    set_to(panel, reach=0)
    panel.take()
    score = parts[0]["ordinary"](before - mean + mean)[0, 1].item()
    assert panel.objectives[-1] == pytest.approx(score, abs=1e-4) and len(panel.objectives) == 2


def test_there_is_a_slider_for_each_helper_that_is_given(parts):
    panel = panel_of(parts, blur=None, clip_small_pixels=None)
    assert {"sigma", "pixels"}.isdisjoint(panel.controls) and "gradients" in panel.controls
    assert panel.take() and panel.problem == ""


def test_an_unsolved_exercise_is_a_line(parts):
    def jitter(img, ox, oy):
        raise NotImplementedError
    panel = panel_of(parts, begin=2, jitter=jitter)
    assert panel.problem == "○ Solve the exercise above first: this part runs your jitter."
    set_to(panel, reach=0)
    assert panel.take() and panel.problem == ""


def test_what_a_function_raises_is_called_its_own(parts):
    def class_visualization_update_step(img, model, target_y, l2_reg, learning_rate):
        img += model(img)
    panel = panel_of(parts, begin=1,
                     class_visualization_update_step=class_visualization_update_step)
    assert re.match(r"✗ Your class_visualization_update_step raised RuntimeError \(.*\) in line "
                    r"\d+: img \+= model\(img\)", panel.problem)


@pytest.mark.parametrize("change, error, words", [
    ({"networks": {}}, ValueError, "networks has 0 entries"),
    ({"starts": {}}, ValueError, "images has 0 entries"),
    ({"smear": abs}, TypeError, "'smear' is none of the helpers"),
])
def test_what_makes_no_panel_is_refused(parts, change, error, words):
    given = {"networks": parts[0], "starts": parts[1]} | STUDENT | change
    with pytest.raises(error, match=words):
        widgets.class_visualization_panel(**given)


def test_without_ipywidgets_there_is_the_picture_after_the_first_steps(parts, no_ipywidgets, capsys):
    shown = panel_of(parts, begin=2)
    assert "pip install ipywidgets" in capsys.readouterr().out and shown.pixels.shape == (16, 16, 3)
