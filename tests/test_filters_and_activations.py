"""The exercises of notebook 01: reference, conditions of the checks, graded cells.

What holds for the checks of all notebooks is in test_checks, test_mistakes and test_goldens.
"""

import time

import numpy as np
import pytest
import torch

from cs_vis import load_model
from cs_vis.checks.exercise import CheckFailed
from cs_vis.checks.filters_and_activations import EXERCISES
from cs_vis.checks.filters_and_activations.cutting import PATCHES as CUTS
from cs_vis.checks.filters_and_activations.cutting import PLACES
from cs_vis.checks.filters_and_activations.patches import TINY, clear
from cs_vis.checks.filters_and_activations.reading import FACTORS, choices, counted
from cs_vis.checks.fixtures import chain_weights, drawn, numbers
from cs_vis.checks.harm import harms_between, state_of
from cs_vis.checks.inputs import Network, live
from cs_vis.grading.hidden import Cell, Failed
from cs_vis.methods.field import Box, crop, field_of_view, windows
from cs_vis.models import activations
from cs_vis.reference import filters_and_activations as reference
from test_hidden import judged_apart, right_answers
from tiny import tiny_images, tiny_net
from written import KNOWN, hidden_cells, verdict

NOTEBOOK = "01_filters_and_activations"
WRITTEN = KNOWN[NOTEBOOK]
CHECKS = {exercise.name: exercise for exercise in EXERCISES}
FILTERS, MAPS, FIELD, PATCHES = CHECKS
CELLS = hidden_cells(NOTEBOOK)
PLAN = (("conv", 3, 2, 1), ("relu_", 1, 1, 0), ("pool", 2, 2, 0), ("conv", 3, 1, 1))


def chain(dtype=torch.float64, device="cpu", plan=PLAN, seed=5):
    return live(Network("chain", chain_weights(numbers, seed, plan), plan=plan), device, dtype)


# --- the reference: filters_to_images

def test_filters_are_stretched_one_by_one_as_loops_do():
    weight = 3 * numbers(5, 3, 4, 2, seed=1) - 1
    weight[2] = 0.25
    wanted = np.zeros(weight.shape)
    for f, values in enumerate(weight.numpy()):
        low, high = values.min(), values.max()
        for place in np.ndindex(*values.shape):
            wanted[(f, *place)] = (values[place] - low) / (high - low) if high > low else 0
    found = reference.filters_to_images(weight)
    assert np.abs(found.numpy() - wanted).max() < 1e-12 and not found[2].any()
    assert (found.flatten(1).amin(dim=1) == 0).all()


def test_contrast_and_brightness_of_a_filter_do_not_matter():
    weight = numbers(4, 3, 3, 3, seed=2)
    gain, shift = numbers(2, 4, 1, 1, 1, seed=3)
    assert torch.allclose(reference.filters_to_images(weight),
                          reference.filters_to_images((gain + 0.5) * weight - shift))


@pytest.mark.parametrize("name", ["specimens", "specimens-robust"])
def test_filters_of_our_networks_become_pictures_and_stay_weights(name, device):
    weight = torch.nn.Parameter(load_model(name, device=device).conv1_1.weight)
    before = weight.detach().clone()
    found = reference.filters_to_images(weight)
    assert found.shape == weight.shape and found.device == weight.device
    assert not found.requires_grad and found.min() == 0 and found.max() == 1
    assert torch.equal(weight, before) and weight.grad is None


# --- the reference: activation_maps

@pytest.mark.parametrize("layer", ["conv1_1", "relu2_1", "pool3", "conv5_2"])
def test_maps_are_those_of_the_library(layer, device):
    model, image = load_model("specimens", device=device), tiny_images(1, 48, 64, device)
    before = state_of({"model": model, "image": image})
    found = reference.activation_maps(model, image, layer)
    assert torch.equal(found, activations(model, image, layer)[layer][0])
    assert not harms_between(before, state_of({"model": model, "image": image}))


def test_maps_are_those_before_a_later_layer_writes_over_them():
    model, image = chain(), tiny_images(1, 9, 8, dtype=torch.float64)
    found = reference.activation_maps(model, image, "features.0")
    wanted = torch.nn.functional.conv2d(image - 0.5, model.features[0].weight,
                                        model.features[0].bias, stride=2, padding=1)
    assert torch.allclose(found, wanted[0]) and (found < 0).any()


def test_no_hook_stays_after_an_error():
    model = tiny_net()
    with pytest.raises(RuntimeError):
        reference.activation_maps(model, tiny_images(1, 1, 1), "conv2")  # nothing left to pool
    with pytest.raises(ValueError):
        reference.activation_maps(model, tiny_images(1, 8, 8), "head")
    assert not any(part._forward_hooks for part in model.modules())


# --- the reference: receptive_field

def reach(layers, unit):
    """First and last pixel that a unit sees, by following every index through every window."""
    seen = {unit}
    for kernel, stride, padding in reversed(layers):
        seen = {i * stride - padding + j for i in seen for j in range(kernel)}
    return min(seen), max(seen)


@pytest.mark.parametrize("seed", range(6))
def test_the_field_is_what_indices_reach(seed):
    """Whatever the layers: kernels of 1, strides longer than kernels, much padding."""
    drawn_ = (numbers(1 + seed, 3, seed=40 + seed) * torch.tensor([5, 3, 4])).long()
    layers = [(1 + k, 1 + s, p) for k, s, p in drawn_.tolist()]
    size, stride, start = reference.receptive_field(layers)
    for unit in range(4):
        first, last = reach(layers, unit)
        assert (start + unit * stride, start + unit * stride + size) == (first, last + 1)


def test_published_fields_and_no_layer_at_all():
    """AlexNet and VGG-16 at their last pool, from Araujo, Norris and Sim 2019, table 1."""
    alexnet = [(11, 4, 2), (3, 2, 0), (5, 1, 2), (3, 2, 0)] + 3 * [(3, 1, 1)] + [(3, 2, 0)]
    vgg16 = [x for n in (2, 2, 3, 3, 3) for x in n * [(3, 1, 1)] + [(2, 2, 0)]]
    assert reference.receptive_field(alexnet)[:2] == (195, 32)
    assert reference.receptive_field(vgg16)[:2] == (212, 32)
    assert reference.receptive_field([]) == (1, 1, 0)


@pytest.mark.parametrize("layer", ["conv1_1", "pool1", "conv2_2", "conv3_2"])
def test_the_field_of_our_network_is_what_a_gradient_says(layer, generator):
    model, image = load_model("specimens"), tiny_images(1, 96, 96)
    size, stride, start = reference.receptive_field(windows(model, layer))
    side = activations(model, image, layer)[layer].shape[2]
    for row, col in ((side // 2, side // 2), (0, side - 1)):
        top, left = start + row * stride, start + col * stride
        found = field_of_view(model, image, (1, row, col), layer, generator=generator)
        assert found == Box(top, top + size, left, left + size)


# --- the reference: max_activating_patches

def test_places_and_patches_are_those_of_loops():
    model, images = chain(), tiny_images(6, 21, 26, dtype=torch.float64)
    patches, places = reference.max_activating_patches(model, images, "features.3", 2, 4)
    maps = activations(model, images, "features.3")["features.3"][:, 2].numpy()
    best = sorted(((values.max(), i, *np.unravel_index(values.argmax(), values.shape))
                   for i, values in enumerate(maps)), reverse=True)[:4]
    assert places.dtype == torch.long and places.tolist() == [[int(x) for x in b[1:]] for b in best]
    size, stride, start = 3 + 1 * 2 + 2 * 4, 4, -1 - 4
    assert patches.shape == (4, 3, size, size)
    for patch, (i, row, col) in zip(patches, places.tolist()):
        for y in range(size):
            for x in range(size):
                r, c = start + row * stride + y, start + col * stride + x
                inside = 0 <= r < 21 and 0 <= c < 26
                wanted = images[i, :, r, c] if inside else torch.ones(3, dtype=torch.float64)
                assert torch.equal(patch[:, y, x], wanted)


def test_a_patch_alone_excites_its_unit_as_much():
    """Where it lies inside the picture: no other pixel takes part."""
    model, images = chain(), tiny_images(8, 33, 33, dtype=torch.float64, seed=4)
    layer, channel = "features.3", 1
    patches, places = reference.max_activating_patches(model, images, layer, channel, 8)
    maps = activations(model, images, layer)[layer]
    size, stride, start = reference.receptive_field(windows(model, layer))
    tried = 0
    for patch, (i, row, col) in zip(patches, places.tolist()):
        top, left = start + row * stride, start + col * stride
        if min(top, left) >= 0 and max(top, left) + size <= 33:
            other = torch.rand(1, 3, 33, 33, dtype=torch.float64)
            other[..., top:top + size, left:left + size] = patch
            again = activations(model, other, layer)[layer][0, channel, row, col]
            assert torch.isclose(again, maps[i, channel, row, col])
            tried += 1
    assert tried


def test_patches_leave_no_trace_and_follow_the_device(device):
    model = load_model("specimens", device=device)
    images = tiny_images(3, 48, 64, device)
    before = state_of({"model": model, "images": images})
    patches, places = reference.max_activating_patches(model, images, "conv3_1", 5, 3)
    assert patches.device == images.device and patches.shape[0] == len(places) == 3
    assert not harms_between(before, state_of({"model": model, "images": images}))
    assert sorted(places[:, 0].tolist()) == [0, 1, 2]


def test_a_box_beyond_the_picture_is_white_and_as_large():
    image = torch.zeros(1, 3, 6, 8)
    for box in (Box(9, 13, 1, 4), Box(-9, -5, 2, 5), Box(1, 5, 20, 23), Box(-3, 9, -2, 10)):
        found = crop(image, box)
        assert found.shape[2:] == (box.bottom - box.top, box.right - box.left)
        inside = max(0, min(box.bottom, 6) - max(box.top, 0)) * max(
            0, min(box.right, 8) - max(box.left, 0))
        assert (found == 0).sum() == 3 * inside


ONE, TWO = torch.zeros(1, 3, 8, 8), torch.zeros(2, 3, 8, 8)


@pytest.mark.parametrize("call, words", [
    (lambda f, m: f.filters_to_images(ONE[0]), r"weight has shape .*\(F, 3, kh, kw\)"),
    (lambda f, m: f.filters_to_images(ONE[:, :2]), "weight has shape .*first"),
    (lambda f, m: f.filters_to_images(ONE.int()), "weight is of type .*float tensor"),
    (lambda f, m: f.filters_to_images(ONE / 0), "weight holds values that are NaN"),
    (lambda f, m: f.activation_maps(m, TWO, "conv1"), "image has shape .*one picture"),
    (lambda f, m: f.activation_maps(m, ONE, "conv9"), "layer='conv9' is not in this network"),
    (lambda f, m: f.activation_maps(ONE, ONE, "conv1"), "model=.*must be a network"),
    (lambda f, m: f.activation_maps(m, ONE, "head"), r"layer='head' gives \(1, 4\), but maps are"),
    (lambda f, m: f.receptive_field((3, 1, 1)), r"layers\[0\]=3 must be \(kernel"),
    (lambda f, m: f.receptive_field([(3, 1)]), r"layers\[0\]=\(3, 1\) must be \(kernel"),
    (lambda f, m: f.receptive_field("conv1"), "layers='conv1' must be a list"),
    (lambda f, m: f.receptive_field([(3, 1, 1), (0, 1, 1)]), r"layers\[1\]\[0\]=0 is too small"),
    (lambda f, m: f.receptive_field([(3, 0.5, 1)]), r"layers\[0\]\[1\]=0.5 is a float"),
    (lambda f, m: f.receptive_field([(3, 1, -1)]), r"layers\[0\]\[2\]=-1 is too small"),
    (lambda f, m: f.max_activating_patches(m, TWO, "conv1", 0, 3), "k=3 .*there are 2 images"),
    (lambda f, m: f.max_activating_patches(m, TWO, "conv1", 0, 0), "k=0 is too small"),
    (lambda f, m: f.max_activating_patches(m, TWO, "conv1", 6, 1), r"channel=\(6,\) is outside"),
    (lambda f, m: f.max_activating_patches(m, TWO, "head", 1, 1), "layer='head' gives"),
    (lambda f, m: f.max_activating_patches(m, TWO[0], "conv1", 1, 1), "images has shape"),
])
def test_what_does_not_fit_is_refused_in_words(call, words):
    with pytest.raises((TypeError, ValueError), match=words):
        call(reference, tiny_net())
    assert not ONE.any()


def test_a_layer_that_is_not_used_is_said():
    model = tiny_net()
    model.spare = torch.nn.Conv2d(3, 2, 1)
    with pytest.raises(ValueError, match="layer='spare' is in this network, but .*does not use"):
        reference.activation_maps(model, ONE, "spare")


# --- mistakes

@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("exercise, often", [(FIELD, 11), (PATCHES, 7)])
def test_two_slips_are_both_said(exercise, often):
    known = WRITTEN.COMBINED[exercise]
    assert len(known) > 250
    full = 0
    for names, function in known[::often]:
        given = set(verdict(exercise, function) or ())
        # Where two pairs of slips end in the same numbers, either of them is true.
        assert given and len(given) <= len(set(names)), (names, given)
        full += given == set(names)
    assert full > 0.85 * len(known[::often])


def test_a_slip_of_place_and_one_of_cut_are_both_said():
    for name, places in list(choices(PLACES, 1))[::3]:
        for other, cut in list(choices(CUTS[:-1], 1))[::5]:
            function = WRITTEN.patches_by(places, [*cut, WRITTEN.RIGHT_FIELD])
            if (name, other) == (("first images",), ("patches of other images",)):
                continue  # the rank is the image's number then
            if (name, other) == (("place in the picture instead of the map",),
                                 ("picture continued outside",)):
                continue  # so far outside that there is nothing to continue
            assert set(verdict(PATCHES, function)) == {*name, *other}, (name, other)


@pytest.mark.filterwarnings("ignore")
def test_two_slips_of_values_are_mostly_both_said():
    for exercise in (FILTERS, MAPS):
        pairs = [entry for entry in WRITTEN.MISTAKES[exercise] if len(entry[0]) == 2][::4]
        found = [set(verdict(exercise, function) or ()) == set(names) for names, function in pairs]
        assert sum(found) > 0.85 * len(found)


def test_what_nobody_knows_is_not_given_a_name():
    def shaken(*given):
        patches, places = reference.max_activating_patches(*given)
        return 0.9 * patches + 0.1 * patches.flip(3), places
    begun = time.process_time()
    assert verdict(PATCHES, shaken) == []
    assert time.process_time() - begun < 6  # about 1 alone on one core
    assert verdict(FIELD, lambda layers: (7, 5, 3)) == []
    assert verdict(FILTERS, lambda w: reference.filters_to_images(w) ** 1.2 * 0.9 + 0.01) == []


STRANGE = [None, 3, "x", torch.zeros(0), torch.tensor(float("nan")), torch.zeros(5, 3, 3, 3),
           (torch.zeros(3), torch.zeros(3)), (None, None), (1, 2, None), [[1], [2], [3]], {},
           (torch.zeros(3, 3, 8, 8), torch.zeros(3, 3)), (torch.zeros(3, 3), "x"),
           (torch.zeros(3, 3, 8, 8), torch.full((3, 3), float("nan"))),
           (torch.zeros(3, 3, 8, 8), torch.zeros(3, 2)),
           (torch.zeros(2, 3, 8, 8), torch.zeros(2, 3)),
           (torch.zeros(3, 3, 8, 8), torch.full((3, 3), 10 ** 9)), torch.zeros(3), np.zeros(3)]


@pytest.mark.parametrize("result", STRANGE, ids=range(len(STRANGE)))
@pytest.mark.parametrize("exercise", CHECKS)
def test_what_is_no_answer_is_rejected_without_an_error(exercise, result):
    def strange(*given):
        return result
    assert verdict(exercise, strange) is not None
    for cell in CELLS.values():
        if isinstance(cell, Cell) and cell.exercise.name == exercise:
            with pytest.raises(Failed):
                cell(strange)


@pytest.mark.parametrize("constant, right", [(1e-12, True), (1e-8, True), (1e-6, True),
                                             (2 ** -23, True), (1e-4, False), (1e-3, False),
                                             (1e-2, False), (1, False)])
def test_a_constant_in_the_divisor_is_right_if_small_and_said_if_large(constant, right):
    function = WRITTEN.filters_by(scale=lambda w, axes: (w - WRITTEN.low(w, axes)) / (
        WRITTEN.span(w, axes) + constant))
    assert verdict(FILTERS, function) == (None if right else ["large constant in the divisor"])
    if right:
        CELLS["fresh_filters"](function)
    else:
        with pytest.raises(Failed):
            CELLS["fresh_filters"](function)


def test_other_layers_than_convolutions_are_copied_too():
    def function(model, image, layer):
        part, kept = model.get_submodule(layer), []
        with part.register_forward_hook(lambda module, inputs, output: kept.append(
                output.clone() if isinstance(part, torch.nn.Conv2d) else output)):
            model(image)
        return kept[0][0]
    assert verdict(MAPS, function) is not None
    with pytest.raises(Failed):
        CELLS["in_place"](function)


@pytest.mark.parametrize("constant", [1e-7, 2 ** -23, 1e-6])
def test_a_filter_of_one_value_and_a_small_constant(constant):
    def function(weight):
        low, high = (f(weight.detach(), WRITTEN.AXES[""]) for f in (WRITTEN.low, WRITTEN.high))
        return (weight.detach() - low) / (high - low).clamp(min=constant)
    assert verdict(FILTERS, function) is None
    CELLS["fresh_filters"](function)


def test_names_are_found_within_a_second_of_work():
    def aside(model, images, layer, channel, k):
        patches, places = reference.max_activating_patches(model, images, layer, channel, k)
        return patches.roll(1, 3), places
    verdict(PATCHES, aside)  # what is stored is read once
    begun = time.process_time()
    assert verdict(PATCHES, aside) == ["shifted right"]
    assert time.process_time() - begun < 2  # 0.5 alone


def test_maps_that_hold_nan_are_blamed_on_no_habit():
    def scaled(*given):
        maps = reference.activation_maps(*given)
        return maps / maps.relu().amax(dim=(1, 2), keepdim=True)
    assert not set(verdict(MAPS, scaled)) & {trap.name for trap in CHECKS[MAPS].traps}


def test_the_receptive_field_is_named_where_patches_are_cut_by_another():
    def function(model, images, layer, channel, k):
        patches, places = reference.max_activating_patches(model, images, layer, channel, k)
        return torch.nn.functional.pad(patches, (1, 1, 1, 1)), places
    with pytest.raises(CheckFailed, match="receptive_field is part of this"):
        CHECKS[PATCHES](function)


# --- what the checks try

def test_cases_of_the_patches_have_clear_winners_and_reach_over_borders():
    beyond = set()
    for case in CHECKS[PATCHES].cases:
        given = case.inputs(numbers)
        assert clear(case, given), case.name
        alive = live(given, "cpu", torch.float64)
        size, stride, start = reference.receptive_field(windows(alive["model"], alive["layer"]))
        _, places = reference.max_activating_patches(**alive)
        for axis, side in ((1, given["images"].shape[2]), (2, given["images"].shape[3])):
            first = start + places[:, axis] * stride
            beyond |= {(axis, "before")} if (first < 0).any() else set()
            beyond |= {(axis, "after")} if (first + size > side).any() else set()
    assert len(beyond) == 4
    assert [case.name for case in CHECKS[PATCHES].cases if case.tiny] == list(TINY)


def test_every_rule_of_a_field_shows_in_the_cases():
    """No form of a slip gives what is right, or what another slip alone gives."""
    cases = [case.inputs(numbers)["layers"] for case in CHECKS[FIELD].cases]
    seen = {}
    for number in (0, 1):
        for names, rules in choices(FACTORS, number):
            found = tuple(counted(layers, *rules) for layers in cases)
            assert seen.get(found, names) == names, (names, seen[found])
            seen[found] = names
    sizes, strides, starts = zip(*(counted(layers, *next(choices(FACTORS, 0))[1])
                                   for layers in cases))
    assert len(set(sizes)) == len(cases) and min(starts) < -10 and max(strides) > 5


def test_a_chain_is_made_by_its_plan():
    model = chain(plan=(("conv", 5, 2, 2), ("norm", 1, 1, 0), ("relu_", 1, 1, 0),
                        ("average", 2, 2, 0), ("relu", 1, 1, 0), ("conv", 3, 1, 0)))
    assert [type(part).__name__ for part in model.features] == [
        "Conv2d", "Identity", "ReLU", "AvgPool2d", "ReLU", "Conv2d"]
    assert model.features[2].inplace and not model.features[4].inplace
    assert windows(model, "features.5") == [(5, 2, 2), (2, 2, 0), (3, 1, 0)]
    assert not any(w.requires_grad for w in model.parameters()) and not model.training


# --- graded cells

def test_wrong_work_fails_when_judged_apart(tmp_path):
    right = right_answers(NOTEBOOK)
    wrong = right.replace("flatten(1).aminmax(dim=1)", "flatten(1).abs().aminmax(dim=1)")
    wrong = wrong.replace("output.detach().clone()", "output.detach()")
    wrong = wrong.replace("start -= padding * stride", "start -= padding")
    wrong = wrong.replace("descending=True", "descending=False")
    said = judged_apart(tmp_path, NOTEBOOK, wrong)
    failed = {name for name, sentence in said.items() if sentence}
    assert failed == set(CELLS) - {"leaves_nothing", "plain_field"}  # there without padding
    assert "start" in said["mixed_field"] and "differ" in said["fresh_filters"]


def test_places_and_patches_are_graded_apart():
    def written_down_wrong(*given):
        patches, places = reference.max_activating_patches(*given)
        return patches, places.flip(0)

    def cut_wrong(model, images, *given):
        patches, places = reference.max_activating_patches(model, images, *given)
        return patches.clamp(max=0.9), places
    CELLS["found_places"](cut_wrong)
    for cell, function in (("cut_patches", cut_wrong), ("found_places", written_down_wrong)):
        with pytest.raises(Failed):
            CELLS[cell](function)


@pytest.mark.parametrize("seed", range(3))
def test_fresh_pictures_have_clear_winners(seed):
    for given in CELLS["found_places"].draw(torch.Generator().manual_seed(seed)):
        assert clear(None, given)
    noise = drawn(torch.Generator().manual_seed(seed))
    assert len({float(noise(1, seed=0)) for _ in range(9)}) > 3
