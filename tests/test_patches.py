"""Peaks over a collection, and what lies where they are, against plain loops."""

from typing import NamedTuple

import pytest
import torch

from cs_vis import activations, specimens
from cs_vis.methods.patches import (Detector, Peaks, batched, detectors, owner_names, owners_at,
                                    peaks)
from cs_vis.models import SpecimenNet

LAYERS = ["relu1_1", "conv2_1"]


class Drawn(NamedTuple):
    labels: torch.Tensor
    owners: torch.Tensor


@pytest.fixture
def model(device):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SpecimenNet(((4,), (6,)), 3).eval().requires_grad_(False).to(device)


@pytest.fixture
def pictures(generator):
    return (255 * torch.rand(7, 3, 12, 20, generator=generator)).byte()


def test_peaks_are_those_of_every_picture(model, pictures, device):
    found = peaks(model, batched(pictures, device, 3), LAYERS)
    assert list(found) == LAYERS
    for layer in LAYERS:
        maps = activations(model, pictures.to(device).float() / 255, layer)[layer].cpu()
        values, rows, cols = found[layer]
        torch.testing.assert_close(values, maps.amax(dim=(2, 3)))
        n, c = torch.meshgrid(*map(torch.arange, values.shape), indexing="ij")
        torch.testing.assert_close(maps[n, c, rows, cols], values)


def test_floats_are_pictures_as_they_are(pictures):
    whole = torch.cat([*batched(pictures, size=2)])
    assert torch.equal(torch.cat([*batched(whole)]), whole) and whole.max() <= 1


def test_nothing_to_look_at_is_refused(model):
    with pytest.raises(ValueError, match="batches has no pictures"):
        peaks(model, [], LAYERS)
    with pytest.raises(TypeError, match="layers='relu1_1' must be a list"):
        peaks(model, [], "relu1_1")


def test_every_pixel_s_owner_is_named():
    names = owner_names()
    bee, clock = (specimens.class_names.index(kind) for kind in ("bee", "clock"))
    owners = torch.zeros(2, 6, 8, dtype=torch.uint8)
    owners[0, 2, 3], owners[1, 5, 7] = 2, 3
    collection = Drawn(torch.tensor([bee, clock]), owners)
    at = owners_at(collection, torch.tensor([0, 0, 1, 1]), torch.tensor([2, 0, 5, 99]),
                   torch.tensor([3, 0, 7, 99]))
    assert [names[i] for i in at] == ["bee: body", "background", "clock: hands", "clock: hands"]


@pytest.fixture
def drawn(generator):
    """Twelve pictures; the middle of channel 0's best patches is a bee's head, of others any."""
    labels = torch.tensor([1] * 8 + [0] * 4)[torch.randperm(12, generator=generator)]
    owners = torch.randint(0, 4, (12, 16, 16), generator=generator, dtype=torch.uint8)
    found = Peaks(torch.rand(12, 3, generator=generator),
                  *torch.randint(0, 5, (2, 12, 3), generator=generator))
    field = (5, 3, -1)
    for n in range(12):
        row, col = (-1 + int(x[n, 0]) * 3 + 2 for x in found[1:])
        owners[n, row, col] = 3
    found.values[:, 0] += labels
    return Drawn(labels, owners), found, field


def test_detectors_are_named_on_one_half_and_judged_on_the_other(drawn, generator):
    (labels, owners), (values, rows, cols), field = drawn
    right, k = [], 2
    for c in range(3):
        def part_of(n):
            row, col = (field[2] + int(x[n, c]) * field[1] + field[0] // 2 for x in (rows, cols))
            own = int(owners[n, row, col])
            kind = specimens.class_names[labels[n]]
            return f"{kind}: {specimens.part_names(kind)[own - 1]}" if own else "background"
        best = [sorted(half, key=lambda n: -values[n, c])[:k] for half in (range(6), range(6, 12))]
        chosen = [part_of(n) for n in best[0]]
        found = detectors(*drawn, k=k, generator=generator)[c]
        assert found.name in chosen or set(chosen) == {"background"}
        assert found.name != "background" and found.channel == c
        right.append(sum(part_of(n) == found.name for n in best[1]) / k)
        assert found.share == pytest.approx(right[-1]) and 0 <= found.base <= 1
    first = detectors(*drawn, k=k, generator=generator)[0]
    assert isinstance(first, Detector) and first.name == "bee: head" and first.share == 1


def test_too_many_patches_are_refused(drawn, generator):
    with pytest.raises(ValueError, match="k=7 is too large: there are 6 pictures in each half"):
        detectors(*drawn, k=7, generator=generator)


def test_networks_are_at_hand_where_their_weights_lie_in_the_folder(tmp_path, monkeypatch):
    from cs_vis.models.weights import at_hand
    (tmp_path / "alexnet-owt-7be5be79.pth").touch()
    (tmp_path / "resnet18x.pth").touch()
    monkeypatch.setenv("CS_VIS_WEIGHTS", str(tmp_path))
    assert at_hand(["resnet18", "alexnet"]) == ["alexnet"]
    monkeypatch.delenv("CS_VIS_WEIGHTS")
    assert at_hand(["resnet18", "alexnet"]) == []
