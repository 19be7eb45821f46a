"""The panel of notebook 08 dreams by the student's functions, as its sliders say."""

import re

import pytest
import torch

from cs_vis import widgets
from cs_vis.methods.deepdream import GROWN, Channels, Guided, dream_step, nearer
from cs_vis.models import SpecimenNet
from cs_vis.reference.deepdream import deepdream_step, match_guide, octave_pyramid

STUDENT = {"deepdream_step": deepdream_step, "octave_pyramid": octave_pyramid,
           "match_guide": match_guide}
LAYERS = ["relu2_2", "relu1_1"]


@pytest.fixture
def parts(device, generator):
    networks = {}
    for seed, name in enumerate(("ordinary", "robust")):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            networks[name] = SpecimenNet(((4,), (6, 6)), 3).eval().requires_grad_(False).to(device)
    starts = {name: torch.rand(1, 3, 16, 20, generator=generator).to(device) for name in "ab"}
    return networks, starts, LAYERS


def panel_of(parts, begin=0, **changes):
    return widgets.deepdream_panel(*parts, begin=begin, **(STUDENT | changes))


def set_to(panel, **values):
    for name, value in values.items():
        panel.controls[name].value = value


def grown(parts, model, picture, octaves=3, **rates):
    """One step of the panel, and the objective: the last of its octaves."""
    grow = dream_step(deepdream_step, model, GROWN, generator=torch.Generator().manual_seed(0))
    read = []

    def one(x):
        x, objective = grow(x, **({"learning_rate": 0.012, "reach": 8} | rates))
        read.append(objective)
        return x

    return octave_pyramid(picture, one, octaves, 1.4), read[-1].item()


def test_a_step_is_one_in_each_octave(parts):
    networks, starts, _ = parts
    panel = panel_of(parts)
    assert panel.take()
    model = Channels(networks["robust"], "relu2_2", balanced=True)  # the last network comes first
    right, objective = grown(parts, model, starts["a"])
    torch.testing.assert_close(panel.image, right)
    assert panel.objectives == pytest.approx([objective])


def test_what_a_control_says_acts_at_the_next_step(parts):
    networks, starts, _ = parts
    panel = panel_of(parts)
    panel.take()
    set_to(panel, learning_rate=0.03, octaves=2, reach=0, channel=3, balanced=False, zoom=1.02)
    panel.controls["network"].choose("ordinary")
    panel.controls["guide"].choose("b")
    before = panel.image
    panel.take()
    model = Guided(Channels(networks["ordinary"], "relu2_2", 3), GROWN, starts["b"], match_guide)
    right, objective = grown(parts, model, before, octaves=2, learning_rate=0.03, reach=0)
    torch.testing.assert_close(panel.image, nearer(right, 1.02))
    assert panel.objectives[1:] == pytest.approx([objective])


def test_the_channels_are_those_of_the_layer(parts):
    panel = panel_of(parts)
    assert (panel.controls["channel"].min, panel.controls["channel"].max) == (-1, 5)
    panel.controls["channel"].value = 5
    panel.controls["layer"].choose("relu1_1")
    assert panel.controls["channel"].max == 3 and panel.controls["channel"].value == 3
    assert panel.take() and panel.problem == ""


def test_what_is_not_given_has_no_control(parts):
    panel = panel_of(parts, octave_pyramid=None, match_guide=None)
    assert {"octaves", "scale", "guide"}.isdisjoint(panel.controls)
    set_to(panel, reach=0)
    assert panel.take() and panel.problem == ""
    model = Channels(parts[0]["robust"], "relu2_2", balanced=True)
    torch.testing.assert_close(panel.image,
                               deepdream_step(parts[1]["a"], model, GROWN, 0.012, 0, 0))


def test_an_unsolved_exercise_is_a_line(parts):
    def octave_pyramid(img, dream, octaves, scale):
        raise NotImplementedError
    panel = panel_of(parts, begin=2, octave_pyramid=octave_pyramid)
    assert panel.problem == "○ Solve the exercise above first: this part runs your octave_pyramid."


def test_what_a_function_raises_is_called_its_own(parts):
    def deepdream_step(img, model, layer, learning_rate, ox, oy):
        return img + model(img)
    panel = panel_of(parts, begin=1, deepdream_step=deepdream_step)
    assert re.match(r"✗ Your deepdream_step raised RuntimeError \(.*\) in line \d+: "
                    r"return img \+ model\(img\)", panel.problem)


@pytest.mark.parametrize("change, error, words", [
    ({"networks": {}}, ValueError, "networks has 0 entries"),
    ({"layers": []}, ValueError, "layers 0"),
    ({"layers": "relu1_1"}, TypeError, "layers='relu1_1' must be a list"),
    ({"starts": {}}, ValueError, "images has 0 entries"),
])
def test_what_makes_no_panel_is_refused(parts, change, error, words):
    given = dict(zip(("networks", "starts", "layers"), parts)) | STUDENT | change
    with pytest.raises(error, match=words):
        widgets.deepdream_panel(**given)


def test_without_ipywidgets_there_is_the_picture_after_the_first_steps(parts, no_ipywidgets, capsys):
    shown = panel_of(parts, begin=2)
    assert "pip install ipywidgets" in capsys.readouterr().out and shown.pixels.shape[:2] == (16, 20)
