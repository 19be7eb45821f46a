"""The panel of notebook 06 takes the student's step down, as its sliders say."""

import pytest
import torch

from cs_vis import widgets
from cs_vis.methods.feature_inversion import invert
from cs_vis.models import SpecimenNet, activations
from cs_vis.reference import feature_inversion as reference
from cs_vis.widgets.feature_inversion import TINY

STUDENT = {name: getattr(reference, name)
           for name in ("inversion_step", "total_variation", "alpha_norm")}
LAYERS = ["relu1_1", "relu2_1", "fc"]


@pytest.fixture
def parts(device, generator):
    networks = {}
    for seed, name in enumerate(("ordinary", "robust")):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            networks[name] = SpecimenNet(((4,), (6, 6)), 3).eval().requires_grad_(False).to(device)
    pictures, starts = ({name: torch.rand(1, 3, 16, 16, generator=generator).to(device)
                         for name in "ab"} for _ in range(2))
    return networks, LAYERS, pictures, starts


def panel_of(parts, begin=0, **changes):
    return widgets.feature_inversion_panel(*parts, begin=begin, **(STUDENT | changes))


def set_to(panel, **values):
    for name, value in values.items():
        panel.controls[name].value = value


def expected(parts, who, layer, of, steps, **settings):
    networks, _, pictures, starts = parts
    target = activations(networks[who], pictures[of], layer)[layer]

    def prior(picture):
        return TINY * (40 * reference.total_variation(picture, 1.5)
                       + 30 * reference.alpha_norm(picture - 0.5, 2))
    return list(invert(reference.inversion_step, networks[who], layer, target, prior,
                       start=starts["a"], steps=steps, **settings))


def test_a_step_is_one_of_the_driver_s_with_the_sliders_values(parts):
    panel = panel_of(parts)
    set_to(panel, learning_rate=2.0, variation=40, beta=1.5, norm=30, alpha=2, smooth=0.3,
           momentum=0.5)
    panel.controls["of"].choose("b")
    assert panel.take()
    frame, = expected(parts, "robust", "relu2_1", "b", 1, learning_rate=2.0, smooth=0.3,
                      momentum=0.5)  # the last network and the middle layer are offered first
    torch.testing.assert_close(panel.image, frame.image, atol=1e-4, rtol=1e-4)
    assert panel.objectives == pytest.approx([frame.objective], abs=1e-4)


def test_sliders_and_choices_act_at_the_next_step(parts):
    panel = panel_of(parts)
    set_to(panel, momentum=0.0, smooth=0.0, learning_rate=0.0)
    before = panel.image
    assert panel.take() and torch.equal(panel.image, before)
    set_to(panel, learning_rate=1.0, variation=40, beta=1.5, norm=30, alpha=2)
    panel.controls["network"].choose("ordinary")
    panel.controls["layer"].choose("fc")
    assert panel.take()
    frame, = expected(parts, "ordinary", "fc", "a", 1, learning_rate=1.0, smooth=0, momentum=0)
    torch.testing.assert_close(panel.image, frame.image, atol=1e-4, rtol=1e-4)


def test_an_unsolved_exercise_is_a_line(parts):
    def total_variation(img, beta):
        raise NotImplementedError
    panel = panel_of(parts, begin=2, total_variation=total_variation)
    assert panel.problem == "○ Solve the exercise above first: this part runs your total_variation."


@pytest.mark.parametrize("place, empty, words", [(0, {}, "networks has 0 entries"),
                                                 (1, [], "layers has 0 entries"),
                                                 (2, {}, "images has 0 entries"),
                                                 (3, {}, "images has 0 entries")])
def test_what_makes_no_panel_is_refused(parts, place, empty, words):
    given = [*parts]
    given[place] = empty
    with pytest.raises(ValueError, match=words):
        panel_of(given)
