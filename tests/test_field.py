"""What a neuron can see: as the layers say it, at the borders too, and nothing is left behind."""

import pytest
import torch

from cs_vis.methods.field import Box, crop, field_of_view
from cs_vis.models import SpecimenNet

H, W = 48, 64
# Of SpecimenNet(((4,), (6, 6), (8,))): 3x3 convolutions, and a pool of 2 after each block.
FIELDS = {"conv1_1": (3, 1), "relu2_2": (12, 2), "pool2": (14, 4), "relu3_1": (22, 4)}  # size, step


@pytest.fixture(scope="module")
def model():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SpecimenNet(((4,), (6, 6), (8,)), 3).eval().requires_grad_(False)


@pytest.fixture
def image(device):
    return torch.rand(1, 3, H, W, generator=torch.Generator().manual_seed(1)).to(device)


def field(model, image, neuron, layer):
    return field_of_view(model.to(image.device), image, neuron, layer,
                         generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("layer", FIELDS)
def test_it_is_what_the_layers_add_up_to_at_every_place(model, image, layer):
    size, step = FIELDS[layer]
    rows, cols = H // step, W // step
    for row in (0, 1, rows // 2, rows - 1):
        for col in (0, cols // 2, cols - 2, cols - 1):
            # A neuron stands in the middle of the step x step pixels that it is pooled from.
            top, left = (round(place * step + step / 2 - size / 2) for place in (row, col))
            found = field(model, image, (2, row, col), layer)
            assert found == Box(top, top + size, left, left + size)


def test_pools_with_gaps_and_residual_paths_are_followed():
    class Residual(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 3, 5, padding=2)
            self.pool = torch.nn.MaxPool2d(3, 2, padding=1, ceil_mode=True)
            self.late = torch.nn.Conv2d(3, 2, 1)

        def forward(self, x):
            x = torch.relu_(self.conv(x)) + x
            return self.late(self.pool(x))

    image = torch.rand(1, 3, 33, 33)
    assert field(Residual().eval(), image, (1, 8, 4), "late") == Box(13, 20, 5, 12)
    gaps = torch.nn.Sequential(torch.nn.MaxPool2d(2, stride=1, dilation=3))
    box = field(gaps, image, (1, 8, 4), "0")
    assert box.top >= 8 and box.bottom <= 12 and box.left >= 4 and box.right <= 8


def test_a_field_larger_than_the_picture_is_the_picture(model):
    small = torch.rand(1, 3, 16, 16)
    assert field(model, small, (0, 2, 2), "relu3_1") == Box(0, 16, 0, 16)


def test_a_crop_is_white_where_it_leaves_the_picture(image):
    cut = crop(image, Box(-2, 6, W - 5, W + 3))
    assert cut.shape == (1, 3, 8, 8)
    assert (cut[:, :, :2] == 1).all() and (cut[..., 5:] == 1).all()
    assert torch.equal(cut[:, :, 2:, :5], image[:, :, :6, W - 5:])
    assert (crop(image, Box(-2, 6, 0, 8), outside=0)[:, :, :2] == 0).all()


def test_nothing_is_left_behind(model, image, generator):
    before, state = image.clone(), torch.get_rng_state()
    field(model, image, (0, 1, 1), "relu2_1")
    with pytest.raises(ValueError):
        field(model, image, (99, 1, 1), "relu2_1")
    assert torch.equal(image, before) and not image.requires_grad
    assert torch.equal(torch.get_rng_state(), state)
    assert all(p.grad is None and not p.requires_grad for p in model.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


@pytest.mark.parametrize("neuron, layer, message", [
    ((0,), "relu2_1", r"neuron=\(0,\) must be one neuron \(channel, row, col\)"),
    (1, "fc", "neuron=1 must be one neuron"),
    ((0, 99, 0), "relu2_1", r"neuron=\(0, 99, 0\) is outside this layer"),
    ((0, 0, 0), "relu9_1", "relu9_1"),
])
def test_what_is_no_neuron_is_refused(model, image, neuron, layer, message):
    with pytest.raises((ValueError, KeyError), match=message):
        field(model, image, neuron, layer)


def test_a_neuron_that_sees_nothing_is_refused(image):
    blind = SpecimenNet(((4,), (6,)), 3).requires_grad_(False)
    blind.conv2_1.weight.zero_()
    with pytest.raises(ValueError, match="sees nothing"):
        field(blind, image, (0, 1, 1), "relu2_1")
