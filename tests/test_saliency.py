"""The four model answers and their drivers, against Captum, loops and finite differences."""

import copy
from contextlib import nullcontext

import captum.attr
import numpy as np
import pytest
import torch
import torch.nn.functional as F
import torchvision
from scipy.ndimage import gaussian_filter
from torch import nn

from cs_vis.checks.fixtures import numbers
from cs_vis.checks.saliency.scenes import mosaic
from cs_vis.checks.harm import harms_between, state_of
from cs_vis.methods.occlusion import occlusion_loss, spread
from cs_vis.methods.saliency import (DeconvReLU, backprop, every_relu, smooth,
                                     smooth_saliency)
from cs_vis.models import SpecimenNet, untrained
from cs_vis.reference.saliency import (GuidedReLU, compute_saliency_maps, occlusion_map,
                                       segment_by_saliency)
from tiny import tiny_images, tiny_net

DOUBLE = torch.float64
RELU_SPELLINGS = {
    "nn.ReLU()": nn.ReLU(), "nn.ReLU(inplace=True)": nn.ReLU(inplace=True),
    "F.relu": F.relu, "F.relu(inplace=True)": lambda x: F.relu(x, inplace=True),
    "F.relu(x, True)": lambda x: F.relu(x, True), "F.relu(input=x)": lambda x: F.relu(input=x),
    "F.relu_": F.relu_, "torch.relu": torch.relu, "torch.relu_": torch.relu_,
    "Tensor.relu": lambda x: x.relu(), "Tensor.relu_": lambda x: x.relu_(),
    "relu_, answer unused": lambda x: (x.relu_(), x)[1],
    "relu_, seen through a view": lambda x: (x.flatten(1), x.relu_())[0].view(x.shape),
    "relu_, seen through detach": lambda x: (x.detach(), x.relu_(), x)[2],
    "relu_ of a view": lambda x: (x[:, :1].relu_(), x[:, 1:].relu_(), x)[2],
}
RELU6_SPELLINGS = {
    "nn.ReLU6()": nn.ReLU6(), "nn.ReLU6(inplace=True)": nn.ReLU6(inplace=True),
    "nn.Hardtanh": nn.Hardtanh(0, 6), "F.relu6": F.relu6, "F.relu6(x, True)": lambda x: F.relu6(x, True),
    "F.hardtanh": lambda x: F.hardtanh(x, 0, 6), "F.hardtanh_": lambda x: F.hardtanh_(x, 0, 6),
    "F.hardtanh, by name": lambda x: F.hardtanh(input=x, min_val=0.0, max_val=6.0, inplace=True),
}


class TrueReLU(torch.autograd.Function):
    """A ReLU with its own gradient."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, gradient):
        x, = ctx.saved_tensors
        return gradient * (x > 0)


class GuidedReLU6(torch.autograd.Function):
    """Guided backprop through a ReLU6, written out: what is positive passes where 0 < x < 6."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(0, 6)

    @staticmethod
    def backward(ctx, gradient):
        x, = ctx.saved_tensors
        return gradient.clamp(min=0) * ((x > 0) & (x < 6))


RULES = {"gradient": TrueReLU, "guided": GuidedReLU, "deconvnet": DeconvReLU}


class Spelled(nn.Module):
    """Two ReLUs in the given spelling, between layers with the weights of TinyNet."""

    def __init__(self, relu):
        super().__init__()
        self.body, self.relu = tiny_net("cpu", DOUBLE), relu
        self.mean_color = self.body.mean_color

    def forward(self, images):
        x = self.relu(self.body.conv1(images - 0.5))
        x = self.relu(self.body.conv2(self.body.pool(x)))
        return self.body.head(x.mean(dim=(2, 3)))


def network(name):
    """A network of this architecture with random weights, frozen, float64."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        if name == "specimens":
            model = SpecimenNet(widths=((8,), (12, 12), (16,)), classes=5)
        elif name == "tiny":
            model = Spelled(nn.ReLU())
        else:
            model = getattr(torchvision.models, name)(weights=None, num_classes=7)
            if name == "vgg11":  # its own classifier has a hundred million weights
                model.avgpool, model.classifier = nn.AdaptiveAvgPool2d(1), nn.Linear(512, 7)
    return model.to(DOUBLE).eval().requires_grad_(False)


def for_captum(model):
    """Captum hooks modules, and cannot hook in-place ones."""
    model = copy.deepcopy(model)
    for module in model.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    return model


def plain(model, X, y):
    """The gradient of the scores, by torch alone."""
    X = X.clone().requires_grad_()
    return torch.autograd.grad(model(X).gather(1, y.view(-1, 1)).sum(), X)[0]


NETWORKS = ["specimens", "squeezenet1_0", "vgg11", "tiny"]
SIZES = {"squeezenet1_0": (48, 40), "vgg11": (32, 40)}


@pytest.fixture(scope="module", params=NETWORKS)
def case(request):
    model = network(request.param)
    height, width = SIZES.get(request.param, (16, 24))
    X = tiny_images(3, height, width, "cpu", DOUBLE, seed=7)
    return model, X, torch.tensor([1, 0, 3])


def assert_equal(ours, theirs, bound=1e-5):
    assert ours.shape == theirs.shape and theirs.abs().max() > 0
    assert (ours - theirs).abs().max() <= bound * theirs.abs().max()


# --- against Captum

def test_saliency_equals_captum(case):
    model, X, y = case
    theirs = captum.attr.Saliency(model).attribute(X.clone().requires_grad_(), target=y)
    assert_equal(compute_saliency_maps(X, y, model), theirs.amax(dim=1))


@pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU")
@pytest.mark.parametrize("rule, method", [("guided", captum.attr.GuidedBackprop),
                                          ("deconvnet", captum.attr.Deconvolution)])
def test_rules_equal_captum(case, rule, method):
    model, X, y = case
    theirs = method(for_captum(model)).attribute(X.clone().requires_grad_(), target=y)
    assert_equal(backprop(model, X, y, relu=RULES[rule]), theirs)


@pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU")
@pytest.mark.parametrize("rule, method", [
    ("gradient", captum.attr.NeuronGradient), ("guided", captum.attr.NeuronGuidedBackprop),
    ("deconvnet", captum.attr.NeuronDeconvolution)])
@pytest.mark.parametrize("name, layer, neuron", [
    ("specimens", "relu2_1", (7, 2, 5)), ("specimens", "conv2_2", (1, 4, 4)),
    ("specimens", "fc", (2,)), ("squeezenet1_0", "features.3.expand1x1", (9, 2, 3))])
def test_any_neuron_equals_captum(name, layer, neuron, rule, method):
    model = network(name)
    X = tiny_images(2, 40, 48, "cpu", DOUBLE, seed=8)
    theirs = for_captum(model)
    theirs = method(theirs, theirs.get_submodule(layer)).attribute(
        X.clone().requires_grad_(), neuron_selector=neuron)
    assert_equal(backprop(model, X, neuron, layer=layer, relu=RULES[rule]), theirs)
    if rule == "gradient":  # for a neuron, no rule is that rule
        assert_equal(backprop(model, X, neuron, layer=layer), theirs)


@pytest.mark.parametrize("patch, stride", [(8, 8), (8, 4)])
def test_occlusion_equals_captum(case, patch, stride):
    model, X, y = case
    X, y, fill = X[:1], int(y[0]), torch.tensor([0.25, 0.5, 0.75], dtype=DOUBLE)

    def probability(images):
        return model(images).softmax(dim=1)
    theirs = captum.attr.Occlusion(probability).attribute(
        X, target=y, sliding_window_shapes=(3, patch, patch), strides=(3, stride, stride),
        baselines=fill.view(1, 3, 1, 1).expand_as(X))[0, 0]
    drop = probability(X)[0, y] - occlusion_map(X, y, model, patch, stride, fill)
    # Captum spreads each window's drop over its pixels.
    assert_equal(spread(drop, X.shape[2:], patch, stride), theirs)


# --- against loops and finite differences

def test_saliency_equals_central_differences():
    model, y = tiny_net("cpu", DOUBLE), torch.tensor([2, 0])
    X, step = tiny_images(2, 5, 4, "cpu", DOUBLE, seed=73), 1e-6
    slopes = torch.zeros_like(X)
    for place in np.ndindex(*X.shape):
        up, down = X.clone(), X.clone()
        up[place] += step
        down[place] -= step
        n = place[0]
        slopes[place] = (model(up) - model(down))[n, y[n]] / (2 * step)
    assert_equal(compute_saliency_maps(X, y, model), slopes.abs().amax(dim=1), 1e-6)


def occlusion_by_loops(image, y, model, patch, stride, fill):
    def places(size):
        found, at = [], 0
        while at + patch < size:
            found.append(at)
            at += stride
        return [*found, size - patch]
    _, _, height, width = image.shape
    result = np.zeros((len(places(height)), len(places(width))))
    for i, top in enumerate(places(height)):
        for j, left in enumerate(places(width)):
            pixels = image.numpy().copy()
            for row in range(top, top + patch):
                for col in range(left, left + patch):
                    for color in range(3):
                        pixels[0, color, row, col] = fill[color]
            scores = model(torch.from_numpy(pixels)).numpy()[0]
            result[i, j] = np.exp(scores[y]) / np.exp(scores).sum()
    return torch.from_numpy(result)


@pytest.mark.parametrize("height, width, patch, stride", [
    (11, 9, 4, 3), (10, 13, 4, 3), (8, 8, 8, 5), (9, 7, 2, 7), (7, 12, 3, 1)])
def test_occlusion_equals_loops(height, width, patch, stride):
    model, X = tiny_net("cpu", DOUBLE), tiny_images(1, height, width, "cpu", DOUBLE, seed=3)
    theirs = occlusion_by_loops(X, 2, model, patch, stride, model.mean_color.tolist())
    assert_equal(occlusion_map(X, 2, model, patch, stride), theirs, 1e-12)


def occlusion_loss_by_loops(image, y, model, patch, stride):
    """The mean over the windows that cover a pixel, each of them at least 0."""
    _, _, height, width = image.shape
    whole = np.exp(model(image).log_softmax(dim=1)[0, y].item())
    left = occlusion_by_loops(image, y, model, patch, stride, model.mean_color.tolist())
    tops, lefts = ([*range(0, side - patch, stride), side - patch] for side in (height, width))
    result = np.zeros((height, width))
    for row, col in np.ndindex(height, width):
        lost = [max(whole - left[r, c].item(), 0)
                for r, top in enumerate(tops) if top <= row < top + patch
                for c, at in enumerate(lefts) if at <= col < at + patch]
        result[row, col] = np.mean(lost)
    return torch.from_numpy(result)


def test_occlusion_loss_equals_loops():
    model, X = tiny_net("cpu", DOUBLE), tiny_images(2, 9, 7, "cpu", DOUBLE, seed=5)
    y = torch.tensor([1, 3])
    theirs = torch.stack([occlusion_loss_by_loops(X[n:n + 1], int(y[n]), model, 3, 2)
                          for n in range(2)])
    assert_equal(occlusion_loss(X, y, model, occlusion_map, patch=3, stride=2), theirs, 1e-12)


def test_occlusion_loss_clamps_before_it_spreads():
    def step(image, y, model, patch, stride):  # the left window gains what the right one loses
        p = model(image).softmax(dim=1)[0, y]
        return torch.stack([p + 0.25, p - 0.25])[None]
    model, image = tiny_net("cpu", DOUBLE), tiny_images(1, 4, 6, "cpu", DOUBLE, seed=5)
    lost = occlusion_loss(image, 2, model, step, patch=4, stride=2)
    expected = torch.tensor([0, 0, 0.125, 0.125, 0.25, 0.25], dtype=DOUBLE).expand(1, 4, 6)
    assert torch.allclose(lost, expected, rtol=0, atol=1e-12)


def test_occlusion_loss_takes_one_class_for_all_and_leaves_nothing_behind(device):
    model, X = tiny_net(device, torch.float32), tiny_images(2, 9, 7, device, torch.float32, seed=5)
    before = state_of({"X": X, "model": model})
    maps = occlusion_loss(X, 2, model, occlusion_map, patch=4, stride=2)
    assert maps.shape == (2, 9, 7) and maps.dtype == X.dtype and maps.device == X.device
    assert not maps.requires_grad and maps.min() >= 0
    both = torch.tensor([2, 2], device=device)
    assert torch.equal(maps, occlusion_loss(X, both, model, occlusion_map, patch=4, stride=2))
    assert harms_between(before, state_of({"X": X, "model": model})) == []


def test_guided_relu_equals_loops(device):
    x, gradient = (2 * numbers(2, 3, 4, 5, seed=4) - 1).to(device)
    x.requires_grad_()
    y = GuidedReLU.apply(x)
    back, = torch.autograd.grad(y, x, gradient)
    for place in np.ndindex(*x.shape):
        a, g = x[place].item(), gradient[place].item()
        assert y[place] == max(a, 0)
        assert back[place] == (g if a > 0 and g > 0 else 0)


def test_maps_do_not_depend_on_the_batch(device):
    model, X = tiny_net(device, DOUBLE), tiny_images(3, 10, 7, device, DOUBLE, seed=73)
    y = torch.tensor([2, 3, 0], device=device)
    together = compute_saliency_maps(X, y, model)
    alone = torch.cat([compute_saliency_maps(X[n:n + 1], y[n:n + 1], model) for n in range(3)])
    assert_equal(together, alone, 1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE])
def test_device_and_dtype_follow_the_input(device, dtype):
    model, X = tiny_net(device, dtype), tiny_images(2, 8, 9, device, dtype, seed=1)
    y = torch.tensor([0, 1], device=device)
    results = [compute_saliency_maps(X, y, model), occlusion_map(X[:1], 1, model, 4, 2),
               backprop(model, X, y, relu=GuidedReLU), smooth(X[:, 0], 1.5),
               smooth_saliency(X, y, model, compute_saliency_maps, samples=2,
                               generator=torch.Generator(device).manual_seed(0))]
    assert all(result.dtype == dtype and result.device.type == device.type for result in results)
    image, saliency = (x.to(device, dtype) for x in mosaic(numbers, 2130))
    mask = segment_by_saliency(image, saliency)
    assert mask.dtype == torch.bool and mask.device.type == device.type


# --- the driver

@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("spelling", RELU_SPELLINGS)
def test_every_spelling_of_relu_is_caught(spelling, rule):
    X, y = tiny_images(2, 9, 8, "cpu", DOUBLE, seed=92), torch.tensor([2, 0])
    expected = plain(Spelled(RULES[rule].apply), X, y)
    found = backprop(Spelled(RELU_SPELLINGS[spelling]), X, y, relu=RULES[rule])
    assert_equal(found, expected, 1e-12)
    if rule != "gradient":
        assert not torch.allclose(found, plain(Spelled(nn.ReLU()), X, y))


@pytest.mark.parametrize("spelling", RELU6_SPELLINGS)
def test_relu6_is_the_rule_and_then_a_cut(spelling):
    """Against one Function for both; the numbers are large enough for the cut to matter."""
    X, y = 40 * tiny_images(2, 9, 8, "cpu", DOUBLE, seed=92) - 20, torch.tensor([2, 0])
    found = backprop(Spelled(RELU6_SPELLINGS[spelling]), X, y, relu=GuidedReLU)
    assert_equal(found, plain(Spelled(GuidedReLU6.apply), X, y), 1e-12)
    for other in (plain(Spelled(nn.ReLU6()), X, y), backprop(Spelled(F.relu), X, y, relu=GuidedReLU)):
        assert not torch.allclose(found, other)


def test_a_cut_lets_nothing_pass_from_6_on():
    x = torch.tensor([-1.0, 0, 3, 6, 7], dtype=DOUBLE, requires_grad=True)
    with every_relu(DeconvReLU):
        gradient, = torch.autograd.grad(F.relu6(x).sum(), x)
    assert gradient.tolist() == [1, 1, 1, 0, 0]  # the deconvnet's rule asks x nothing, the cut does


def test_in_place_relu_may_be_followed_by_other_changes_in_place():
    """The rule keeps what it saved, whatever is written over its output."""
    def both(x):
        x.relu_()
        x *= 3
        return x
    X, y = tiny_images(2, 9, 8, "cpu", DOUBLE, seed=92), torch.tensor([2, 0])
    expected = plain(Spelled(lambda x: 3 * GuidedReLU.apply(x)), X, y)
    assert_equal(backprop(Spelled(both), X, y, relu=GuidedReLU), expected, 1e-12)


@pytest.mark.parametrize("name, module", [("mobilenet_v2", "classifier.1"),
                                          ("mobilenet_v3_small", "features.12.0")])
def test_mobile_networks_are_guided(name, module):
    """Captum hooks nn.ReLU alone; here each ReLU and ReLU6 module is exchanged by hand."""
    model, by_hand = network(name), network(name)
    for path, part in list(by_hand.named_modules()):
        if type(part) in (nn.ReLU, nn.ReLU6):
            rule = GuidedReLU6 if type(part) is nn.ReLU6 else GuidedReLU
            by_hand.set_submodule(path, Applied(rule))
    X = tiny_images(2, 40, 48, "cpu", DOUBLE, seed=8)
    found = backprop(model, X, torch.tensor([1, 0]), relu=GuidedReLU)
    assert_equal(found, plain(by_hand, X, torch.tensor([1, 0])), 1e-9)
    inner = backprop(model, X, 3, layer=module, relu=GuidedReLU)
    assert inner.abs().max() > 0


class Applied(nn.Module):
    def __init__(self, rule):
        super().__init__()
        self.rule = rule

    def forward(self, x):
        return self.rule.apply(x)


@pytest.mark.parametrize("activation, named", [
    (nn.SiLU(), "it has SiLU instead"), (nn.GELU(), "GELU"), (nn.Hardswish(), "Hardswish"),
    (nn.LeakyReLU(), "LeakyReLU"), (nn.Hardtanh(), "Hardtanh"), (torch.tanh, ": take a network")])
def test_a_network_without_relus_is_refused(activation, named):
    model, X = Spelled(activation), tiny_images(2, 9, 8, "cpu", DOUBLE, seed=92)
    for layer, target in ((None, 1), ("body.conv1", 0), ("body.conv2", (0, 1, 1))):
        before = state_of({"X": X, "model": model})
        with pytest.raises(ValueError, match=f"relu stands in for every ReLU.*meets none.*{named}"):
            backprop(model, X, target, layer=layer, relu=GuidedReLU)
        assert harms_between(before, state_of({"X": X, "model": model})) == []
    assert backprop(model, X, 0, layer="body.conv1").abs().max() > 0  # the plain gradient works


def test_a_layer_before_the_first_relu_has_the_plain_gradient():
    model, X = network("specimens"), tiny_images(2, 9, 8, "cpu", DOUBLE, seed=92)
    plain_gradient = backprop(model, X, 2, layer="conv1_1")
    assert torch.equal(backprop(model, X, 2, layer="conv1_1", relu=GuidedReLU), plain_gradient)


def test_channel_is_the_sum_over_its_positions():
    model, X = network("specimens"), tiny_images(1, 8, 12, "cpu", DOUBLE, seed=2)
    whole = backprop(model, X, (3,), layer="conv2_1")
    neurons = [backprop(model, X, (3, row, col), layer="conv2_1")
               for row in range(4) for col in range(6)]
    assert_equal(whole, sum(neurons), 1e-12)
    assert torch.equal(whole, backprop(model, X, 3, layer="conv2_1"))


def test_one_class_stands_for_every_image():
    model, X = network("tiny"), tiny_images(2, 8, 6, "cpu", DOUBLE, seed=2)
    assert torch.equal(*(backprop(model, X, y, relu=GuidedReLU)
                         for y in (3, torch.tensor([3, 3]))))


class Fragile(Spelled):
    def forward(self, images):
        super().forward(images)
        raise RuntimeError("broken on purpose")


@pytest.mark.parametrize("relu", [TrueReLU, GuidedReLU])
@pytest.mark.parametrize("model, target, layer, error", [
    (Spelled(nn.ReLU(inplace=True)), 1, None, None),
    (Spelled(nn.ReLU(inplace=True)), (2, 1, 1), "body.conv2", None),
    (Spelled(nn.ReLU(inplace=True)), 9, None, ValueError),
    (Spelled(nn.ReLU(inplace=True)), (2, 99, 1), "body.conv2", ValueError),
    (Fragile(F.relu), 1, None, RuntimeError),
    (Fragile(F.relu), (0,), "body.head", None),
])
def test_driver_leaves_nothing_behind(model, target, layer, error, relu):
    X = tiny_images(2, 8, 6, "cpu", DOUBLE, seed=2).requires_grad_()
    X.grad = torch.ones_like(X)
    before = state_of({"X": X, "model": model})
    if error is None:
        backprop(model, X, target, layer=layer, relu=relu)
    else:
        with pytest.raises(error):
            backprop(model, X, target, layer=layer, relu=relu)
    assert harms_between(before, state_of({"X": X, "model": model})) == []
    assert torch.equal(X.grad, torch.ones_like(X))
    x = torch.tensor([-1.0, 1.0], requires_grad=True)  # and ReLU is a ReLU again
    slope, = torch.autograd.grad(F.relu(x), x, torch.tensor([-1.0, -1.0]))
    assert slope.tolist() == [0, -1]


@pytest.mark.parametrize("function", [
    lambda X, model: compute_saliency_maps(X, torch.tensor([1, 9]), model),
    lambda X, model: compute_saliency_maps(X, torch.tensor([1, 2]), model),
    lambda X, model: occlusion_map(X[:1], 1, model, 4, 3),
    lambda X, model: occlusion_map(X[:1], 11, model, 4, 3),
    lambda X, model: compute_saliency_maps(X, torch.tensor([1, 2]), Fragile(F.relu))])
def test_answers_leave_nothing_behind(function):
    model, X = network("tiny"), tiny_images(2, 8, 6, "cpu", DOUBLE, seed=2).requires_grad_()
    before = state_of({"X": X, "model": model})
    try:
        function(X, model)
    except (ValueError, RuntimeError):
        pass
    assert harms_between(before, state_of({"X": X, "model": model})) == [] and X.grad is None


class Stirred(nn.Module):
    """Everything that train mode moves: running statistics, their count, random numbers."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
        self.relu, self.dropout = nn.ReLU(inplace=True), nn.Dropout(0.5)
        self.head = nn.Linear(4, 5)

    def forward(self, images):
        x = self.dropout(self.relu(self.norm(self.conv(images))))
        return self.head(x.mean((2, 3)))


@pytest.mark.parametrize("target, layer, relu, error", [
    (1, None, GuidedReLU, None), (2, "norm", None, None), (9, None, GuidedReLU, ValueError),
    (7, "dropout", GuidedReLU, ValueError)])
def test_train_mode_leaves_no_trace(target, layer, relu, error):
    model, X = Stirred().double().train(), tiny_images(3, 8, 6, "cpu", DOUBLE, seed=2)
    before, numbers_before = state_of({"X": X, "model": model}), torch.get_rng_state()
    buffers = {name: (value, value.clone()) for name, value in model.named_buffers()}
    with nullcontext() if error is None else pytest.raises(error):
        backprop(model, X, target, layer=layer, relu=relu)
    assert harms_between(before, state_of({"X": X, "model": model})) == []
    assert torch.equal(torch.get_rng_state(), numbers_before) and model.training
    for name, value in model.named_buffers():  # the very same tensors, too
        assert value is buffers[name][0] and torch.equal(value, buffers[name][1])


def test_train_mode_runs_in_train_mode():
    """Batch norm counts with the batch's own statistics, so the batch is not taken apart."""
    model, X = Stirred().double().train(), tiny_images(3, 8, 6, "cpu", DOUBLE, seed=2)
    model.dropout.p = 0.0
    found = backprop(model, X, torch.tensor([1, 0, 2]), relu=TrueReLU)
    assert_equal(found, plain(model, X, torch.tensor([1, 0, 2])), 1e-12)
    assert not torch.allclose(found, backprop(model.eval(), X, torch.tensor([1, 0, 2]),
                                              relu=TrueReLU))


@pytest.mark.parametrize("threads", [1, 2])
def test_a_batch_taken_apart_is_the_batch(threads):
    model, X, y = network("specimens"), tiny_images(5, 16, 12, "cpu", DOUBLE, 4), [1, 0, 3, 4, 2]
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = backprop(model, X, torch.tensor(y), relu=GuidedReLU)
    finally:
        torch.set_num_threads(before)
    alone = [backprop(model, X[n:n + 1], y[n], relu=GuidedReLU) for n in range(5)]
    assert_equal(found, torch.cat(alone), 1e-12)


# --- layers that have no channels

@pytest.mark.parametrize("name, layer, shape", [
    ("swin_t", "features.1", r"\(1, 56, 56, 96\)"), ("vit_b_32", "encoder", r"\(1, 50, 768\)"),
    ("maxvit_t", "blocks.0.layers.0.layers.window_attention", None)])
def test_a_layer_of_a_transformer_has_no_channel(name, layer, shape):
    model = untrained(name, generator=torch.Generator())
    X = torch.rand(1, 3, 224, 224, generator=torch.Generator())
    if shape is None:
        assert backprop(model, X, 0, layer="stem.0").shape == X.shape  # and convolutions have
        return
    with pytest.raises(ValueError, match=f"layer='{layer}' gives {shape} for .*224 × 224 .*no chan"):
        backprop(model, X, 0, layer=layer)


def test_works_inside_no_grad():
    model, X = network("tiny"), tiny_images(1, 8, 6, "cpu", DOUBLE, seed=2)
    with torch.no_grad():
        found = backprop(model, X, 1, relu=GuidedReLU)
    assert torch.equal(found, backprop(model, X, 1, relu=GuidedReLU)) and not X.requires_grad


# --- smoothing

def test_smooth_equals_scipy(device):
    maps = numbers(2, 30, 21, seed=6).to(device)
    theirs = np.stack([gaussian_filter(m, 2, mode="nearest", truncate=4) for m in maps.cpu()])
    assert_equal(smooth(maps, 2).cpu(), torch.from_numpy(theirs), 1e-12)
    assert torch.equal(smooth(maps, 0), maps) and smooth(maps, 0) is not maps


def test_smooth_keeps_a_constant():
    assert_equal(smooth(torch.full((1, 6, 5), 0.25, dtype=DOUBLE), 3),
                 torch.full((1, 6, 5), 0.25, dtype=DOUBLE), 1e-12)


def test_smooth_saliency_is_the_mean_over_noisy_copies(device):
    model, X = tiny_net(device, DOUBLE), tiny_images(2, 8, 9, device, DOUBLE, seed=1)
    y, state = torch.tensor([0, 1], device=device), torch.get_rng_state()
    generator = torch.Generator().manual_seed(3)
    maps = smooth_saliency(X, y, model, compute_saliency_maps, samples=4, sigma=0.2,
                           generator=generator)
    generator.manual_seed(3)
    copies = [X + 0.2 * torch.randn(X.shape, generator=generator).to(X) for _ in range(4)]
    expected = torch.stack([compute_saliency_maps(x, y, model) for x in copies]).mean(dim=0)
    assert_equal(maps, expected, 1e-12)
    assert torch.equal(state, torch.get_rng_state())
    still = smooth_saliency(X, y, model, compute_saliency_maps, sigma=0, generator=generator)
    assert_equal(still, compute_saliency_maps(X, y, model), 1e-12)


# --- segmentation

def ring(dtype):
    """A bright ellipse on a dark ground, with grain, and a grainy map that is larger inside."""
    row, col = torch.meshgrid(torch.arange(40.0), torch.arange(56.0), indexing="ij")
    inside = ((row - 20) / 14.4) ** 2 + ((col - 25.2) / 16.8) ** 2 < 1
    paint = torch.where(inside, 0.7, 0.2) + torch.tensor([0.1, 0.0, -0.1]).view(3, 1, 1)
    image = paint + 0.15 * numbers(3, 40, 56, seed=1411)
    saliency = numbers(40, 56, seed=1412) ** 3 * torch.where(inside, 1.0, 0.2)
    return image[None].to(dtype), saliency.to(dtype), inside


def test_segmentation_finds_the_ring():
    image, saliency, inside = ring(torch.float32)
    mask = segment_by_saliency(image, saliency)
    assert mask.shape == (40, 56)
    assert (mask & inside).sum() > 0.97 * (mask | inside).sum()


def test_segmentation_is_repeatable_scale_free_and_changes_nothing():
    image, saliency, _ = ring(DOUBLE)
    before = state_of({"image": image, "saliency": saliency})
    mask = segment_by_saliency(image, saliency)
    assert torch.equal(mask, segment_by_saliency(image, saliency, rng_seed=7))
    assert torch.equal(mask, segment_by_saliency(image, 1024 * saliency))
    assert harms_between(before, state_of({"image": image, "saliency": saliency})) == []


def test_map_with_one_odd_pixel_is_cut_or_refused_with_a_sentence():
    image, saliency = tiny_images(1, 128, 128, "cpu", DOUBLE, 3), torch.ones(128, 128)
    saliency[64, 64] = 2
    assert segment_by_saliency(image, saliency)[64, 64]
    saliency[64, 64] = 0  # now all quantiles coincide, and nothing lies above them
    with pytest.raises(ValueError, match="saliency is 1 nearly everywhere.*surely foreground"):
        segment_by_saliency(image, saliency)


# --- bad input

MODEL, TWO = network("specimens"), tiny_images(2, 16, 16, "cpu", DOUBLE, seed=1)
MAP = numbers(16, 16, seed=2)


@pytest.mark.parametrize("call, error, sentence", [
    (lambda: compute_saliency_maps(TWO, torch.tensor([1, 5]), MODEL), ValueError,
     "y=5 is no class of this network, which has 5: choose from 0 to 4"),
    (lambda: compute_saliency_maps(TWO, torch.tensor([-1, 0]), MODEL), ValueError, "y=-1 is no"),
    (lambda: compute_saliency_maps(TWO, torch.tensor([1]), MODEL), ValueError, r"y has shape \(1,"),
    (lambda: compute_saliency_maps(TWO, torch.tensor([1.0, 2.0]), MODEL), TypeError, "y is a"),
    (lambda: compute_saliency_maps(TWO[0], torch.tensor([1]), MODEL), ValueError, r"X\[None\]"),
    (lambda: compute_saliency_maps(TWO.numpy(), torch.tensor([1, 2]), MODEL), TypeError, "X=<nda"),
    (lambda: compute_saliency_maps((255 * TWO).byte(), torch.tensor([1, 2]), MODEL), TypeError,
     r"X.float\(\) / 255"),
    (lambda: occlusion_map(TWO, 1, MODEL, 4, 4), ValueError, r"image has shape \(2, 3, 16, 16\)"),
    (lambda: occlusion_map(TWO[:1], 7, MODEL, 4, 4), ValueError, "y=7 is no class"),
    (lambda: occlusion_map(TWO[:1], "bee", MODEL, 4, 4), TypeError, "y is 'bee'"),
    (lambda: occlusion_map(TWO[:1], 1, MODEL, 17), ValueError, "patch=17.* 1 to 16 pixels"),
    (lambda: occlusion_map(TWO[:1], 1, MODEL, 4, 0), ValueError, "stride=0"),
    (lambda: occlusion_map(TWO[:1], 1, MODEL, 3.5, 2), TypeError, "patch=3.5 is a .*must be a whole number"),
    (lambda: occlusion_map(TWO[:1], 1, MODEL, 4, "2"), TypeError, "stride='2' is a .*must be a whole number"),
    (lambda: occlusion_map(TWO[:1], 1, MODEL, 4, True), TypeError, "stride=True is a .*must be a whole number"),
    (lambda: occlusion_map(TWO[:1], 1, MODEL, 4, 4, (0, 0, 0)), TypeError,
     r"fill=\(0, 0, 0\) is of type tuple: pass a tensor \(3,\)"),
    (lambda: occlusion_map(TWO[:1], 1, MODEL, 4, 4, torch.zeros(3, 1, 1)), ValueError,
     r"fill has shape \(3, 1, 1\): pass \(3,\).*flatten"),
    (lambda: occlusion_map(TWO[:1], 1, MODEL, 4, 4, torch.tensor([0, 128, 255])), ValueError,
     r"fill=\[0, 128, 255\] must lie in \[0, 1\]; divide bytes by 255"),
    (lambda: occlusion_map(TWO[:1], 1, MODEL, 4, 4, torch.full((3,), torch.nan)), ValueError,
     "must lie in"),
    (lambda: spread(MAP, (16, 16), 1.0, 1), TypeError, "patch=1.0 is a .*must be a whole number"),
    (lambda: occlusion_loss(TWO[0], 1, MODEL, occlusion_map), ValueError, r"images\[None\]"),
    (lambda: occlusion_loss(TWO, 7, MODEL, occlusion_map, patch=4), ValueError, "y=7 is no class"),
    (lambda: occlusion_loss(TWO, 1, MODEL, occlusion_map), ValueError, "patch=32.* 1 to 16 pix"),
    (lambda: backprop(MODEL, TWO, 1), ValueError, "relu=None with a class.*pass a rule"),
    (lambda: backprop(MODEL, TWO, 5, relu=GuidedReLU), ValueError, "target=5 is no class"),
    (lambda: backprop(MODEL, TWO, (0,), layer="relu9_1"), ValueError,
     "layer='relu9_1' is not in this network; the nearest are"),
    (lambda: backprop(MODEL, TWO, (99,), layer="relu1_1"), ValueError, r"target=\(99,\)"),
    (lambda: backprop(MODEL, TWO, (1, 2), layer="relu1_1"), ValueError, r"a neuron \(c, row, col"),
    (lambda: backprop(MODEL, TWO, (1, 16, 0), layer="relu1_1"), ValueError,
     r"target=\(1, 16, 0\) is outside this layer"),
    (lambda: segment_by_saliency(TWO, MAP), ValueError, "pass one picture"),
    (lambda: segment_by_saliency(2 * TWO[:1], MAP), ValueError, r"image.clamp\(0, 1\)"),
    (lambda: segment_by_saliency(TWO[:1], MAP[None]), ValueError, r"saliency\[0\]"),
    (lambda: segment_by_saliency(TWO[:1], MAP > 0), TypeError, "saliency is of type torch.bool"),
    (lambda: segment_by_saliency(TWO[:1], MAP / 0), ValueError, "NaN or infinite"),
    (lambda: segment_by_saliency(TWO[:1], 0 * MAP), ValueError, "is 0 everywhere"),
    (lambda: smooth(MAP, 1), ValueError, r"maps\[None\]"),
    (lambda: smooth(MAP[None], -1), ValueError, "sigma=-1"),
    (lambda: smooth(MAP[None], float("nan")), ValueError, "sigma=nan is out of range"),
    (lambda: smooth(MAP[None], "2"), TypeError, "sigma='2' is a str"),
    (lambda: smooth(MAP[None] / 0, 1), ValueError, "maps holds values that are NaN"),
    (lambda: smooth(MAP[None] > 0, 1), TypeError, "maps is of type torch.bool"),
    (lambda: smooth(MAP.numpy(), 1), TypeError, "maps is of type ndarray"),
    (lambda: smooth(MAP[:0][None], 1), ValueError, "must hold a map"),
    (lambda: backprop(None, TWO, 1, relu=GuidedReLU), TypeError, "model=<NoneType> must be a netw"),
    (lambda: backprop(MODEL, TWO / 0, 1, relu=GuidedReLU), ValueError, "images holds values that a"),
    (lambda: backprop(MODEL, TWO[:0], 1, relu=GuidedReLU), ValueError, "must hold a picture"),
    (lambda: backprop(MODEL, TWO.float(), 1, relu=GuidedReLU), TypeError,
     "images has dtype torch.float32, but the network computes in torch.float64"),
    (lambda: backprop(MODEL, TWO, 1, relu=torch.relu), TypeError, "relu=<.*> must be a class deri"),
    (lambda: backprop(MODEL, TWO, 1, relu=GuidedReLU.apply), TypeError, "pass the class itself"),
    (lambda: backprop(MODEL, TWO, [1, 2], relu=GuidedReLU), TypeError, r"target is \[1, 2\]"),
    (lambda: backprop(MODEL, TWO, torch.tensor([1]), relu=GuidedReLU), ValueError,
     "the number of images is 2"),
    (lambda: backprop(nn.Conv2d(3, 3, 3).double(), TWO, 1, relu=GuidedReLU), ValueError,
     r"model returns \(2, 3, 14, 14\), but a class has its place in scores \(N, K\)"),
    (lambda: occlusion_loss(TWO, 1, None, occlusion_map, patch=4), TypeError, "model=<NoneType>"),
    (lambda: occlusion_loss(TWO, 1, MODEL, None, patch=4), TypeError, "occlusion_map=<NoneType>"),
    (lambda: spread(MAP / 0, (16, 16), 1, 1), ValueError, "values holds values that are NaN"),
    (lambda: smooth_saliency(TWO, torch.tensor([0, 1]), MODEL, compute_saliency_maps,
                             generator=0), TypeError, "generator=<int> must be a torch.Generator"),
    (lambda: smooth_saliency(TWO, torch.tensor([0, 1]), MODEL, compute_saliency_maps,
                             sigma=float("nan"), generator=torch.Generator()), ValueError,
     "sigma=nan is out of range; it must lie from 0 to 1"),
    (lambda: smooth_saliency(TWO, torch.tensor([0, 1]), MODEL, compute_saliency_maps, samples=0,
                             generator=torch.Generator()), ValueError, "samples=0"),
    (lambda: smooth_saliency(TWO, torch.tensor([0, 1]), MODEL, compute_saliency_maps, samples=2.5,
                             generator=torch.Generator()), TypeError, "samples=2.5 is a float"),
])
def test_bad_input_gets_a_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()
