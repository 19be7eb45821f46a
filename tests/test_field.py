"""What a neuron can see: as the layers say it, at the borders too, and nothing is left behind."""

import pytest
import torch

from cs_vis.methods.field import Box, crop, field_of_view, windows
from cs_vis.models import SpecimenNet, untrained

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


# ---- the windows that lead to a layer ----------------------------------------------------------

def test_the_windows_are_those_of_the_layers_on_the_way(model):
    conv, pool = (3, 1, 1), (2, 2, 0)
    assert windows(model, "conv1_1") == windows(model, "relu1_1") == [conv]
    assert windows(model, "relu3_1") == [conv, pool, conv, conv, pool, conv]


class Branches(torch.nn.Module):
    """Two ways side by side, one of them twice as wide; and pools of all sorts."""

    def __init__(self):
        super().__init__()
        self.pad, self.near = torch.nn.ZeroPad2d(2), torch.nn.Conv2d(3, 2, 1, stride=2)
        self.far = torch.nn.Conv2d(3, 2, 3, stride=2, padding="valid", dilation=2)
        self.mean, self.most = torch.nn.AvgPool2d(2), torch.nn.MaxPool2d(3, 1, padding=1)
        self.same, self.whole = torch.nn.Conv2d(4, 2, 5, padding="same"), torch.nn.Conv2d(2, 1, 1)

    def forward(self, x):
        x = self.pad(x)
        x = torch.cat([self.near(x[:, :, 2:-2, 2:-2]), self.far(x)], dim=1)
        x = self.same(self.most(self.mean(x)))
        return self.whole(x * torch.nn.functional.adaptive_avg_pool2d(x, 1))


def test_of_branches_the_wider_one_counts_and_pools_pads_and_gaps_are_read():
    model = Branches().eval()
    assert windows(model, "near") == [(1, 1, 2), (1, 2, 0)]
    assert windows(model, "same") == [(1, 1, 2), (5, 2, 0), (2, 2, 0), (3, 1, 1), (5, 1, 2)]


def test_windows_leave_nothing_behind(model):
    state = torch.get_rng_state()
    windows(model, "relu2_1")
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


@pytest.mark.parametrize("name, layer, message", [
    ("specimens", "fc", "layer='fc' sees all of the picture"),
    ("specimens", "average", "layer='average' sees all of the picture"),
    ("specimens", "relu9_1", "relu9_1"),
    ("inception_v3", "Mixed_6c.branch7x7dbl_4.bn", "only square ones are told"),
])
def test_where_no_square_window_leads_it_is_refused(name, layer, message):
    network = untrained(name, generator=torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match=message):
        windows(network, layer)


def test_a_layer_behind_an_average_over_all_places_sees_all():
    with pytest.raises(ValueError, match="layer='whole' sees all of the picture"):
        windows(Branches().eval(), "whole")


def test_the_branch_that_sees_most_is_the_one_that_the_gradient_finds():
    network = untrained("resnet18", generator=torch.Generator().manual_seed(0))
    image, size, step, start = torch.rand(1, 3, 224, 224), 1, 1, 0
    for kernel, stride, padding in windows(network, "layer3.0.conv1"):
        size, start, step = size + (kernel - 1) * step, start - padding * step, step * stride
    box = field(network, image, (0, 7, 6), "layer3.0.conv1")
    assert box == Box(start + 7 * step, start + 7 * step + size,
                      start + 6 * step, start + 6 * step + size)
