"""The panel of notebook 01 shows the student's maps of a specimen that turns."""

import sys

import pytest
import torch

from cs_vis import specimens, widgets
from cs_vis.models import SpecimenNet
from cs_vis.reference.filters_and_activations import activation_maps
from cs_vis.widgets import filters_and_activations as home

LAYERS = ["relu1_1", "relu2_2"]


@pytest.fixture
def networks(device):
    found = {}
    for seed, name in enumerate(("ordinary", "robust")):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            found[name] = SpecimenNet(((4,), (6, 6)), 3).eval().requires_grad_(False).to(device)
    return found


@pytest.fixture
def scenes(device, generator):
    return {"bee": (9, "bee"), "noise": torch.rand(1, 3, 24, 16, generator=generator).to(device)}


@pytest.fixture
def asked(monkeypatch):
    """What the maps were asked of: (picture, layer, channel) of each figure."""
    seen, figure = [], home.maps_figure

    def noted(image, maps, channel, layer):
        seen.append((image, maps, channel, layer))
        return figure(image, maps, channel, layer)

    monkeypatch.setattr(home, "maps_figure", noted)
    return seen


def panel_of(networks, scenes, student=activation_maps, layers=LAYERS):
    return widgets.activation_panel(networks, scenes, layers, activation_maps=student)


def test_it_shows_all_maps_and_begins_at_the_strongest(networks, scenes, asked):
    panel = panel_of(networks, scenes)
    image, maps, channel, layer = asked[-1]
    assert panel.problem == "" and layer == "relu2_2"
    right = activation_maps(networks["ordinary"], specimens.draw(9, "bee").image.to(image), layer)
    torch.testing.assert_close(maps, right)
    assert channel == int(right.amax(dim=(1, 2)).argmax())
    assert panel.screen.drawn.alt.startswith("3 pictures: picture, relu2_2: 6 maps, channel")


def test_the_channels_are_those_of_the_layer(networks, scenes, asked):
    panel = panel_of(networks, scenes)
    assert panel.controls["channel"].max == 5
    panel.controls["channel"].value = 5
    panel.controls["network"].choose("robust")
    assert panel.controls["channel"].value == 5 and asked[-1][2] == 5
    panel.controls["layer"].choose("relu1_1")
    assert panel.controls["channel"].max == 3 and asked[-1][3] == "relu1_1"


def test_the_specimen_turns_and_grows_and_other_pictures_stay(networks, scenes, asked):
    panel = panel_of(networks, scenes)
    panel.controls["angle"].value, panel.controls["size"].value = 90, 0.5
    pose = specimens.draw(9, "bee").facts["pose"]
    right = specimens.draw(9, "bee", pose={"angle": pose["angle"] + torch.pi / 2,
                                           "size": pose["size"] / 2}).image
    torch.testing.assert_close(asked[-1][0].cpu(), right)
    panel.images.choose("noise")
    torch.testing.assert_close(asked[-1][0], scenes["noise"])


def test_turning_goes_once_around(networks, scenes, asked, monkeypatch):
    monkeypatch.setattr(home, "FRAMES", 4)
    panel = panel_of(networks, scenes)
    asked.clear()
    panel.controls["turn"].value = True
    assert len(asked) == 5
    torch.testing.assert_close(asked[0][0], asked[-1][0], atol=0.02, rtol=0)
    assert (asked[2][0] - asked[0][0]).abs().max() > 0.1


def test_an_unsolved_exercise_is_a_line_and_an_error_is_called_its_own(networks, scenes):
    def activation_maps(model, image, layer):
        raise NotImplementedError
    panel = panel_of(networks, scenes, activation_maps)
    assert panel.problem == "○ Solve the exercise above first: this part runs your activation_maps."

    def activation_maps(model, image, layer):
        return image[7]
    assert panel_of(networks, scenes, activation_maps).problem.startswith(
        "✗ Your activation_maps raised IndexError")


@pytest.mark.parametrize("change, error, words", [
    ({"networks": {}}, ValueError, "networks has 0 entries"),
    ({"layers": []}, ValueError, "layers 0"),
    ({"scenes": {}}, ValueError, "images has 0 entries"),
    ({"scenes": {"bee": (9, "wasp")}}, ValueError, "wasp"),
])
def test_what_makes_no_panel_is_refused(networks, scenes, change, error, words):
    with pytest.raises(error, match=words):
        panel_of(**({"networks": networks, "scenes": scenes} | change))


def test_without_ipywidgets_there_is_the_first_figure(networks, scenes, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    monkeypatch.delattr(widgets, "panels", raising=False)
    for name in ("panels", "controls", "screen"):
        monkeypatch.delitem(sys.modules, f"cs_vis.widgets.{name}", raising=False)
    shown = panel_of(networks, scenes)
    assert "pip install ipywidgets" in capsys.readouterr().out
    assert shown.alt.startswith("3 pictures")
