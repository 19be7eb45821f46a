"""What a layer computes: the right tensor, no deeper than needed, and no trace left."""

import copy
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torchvision.models.googlenet import BasicConv2d

from cs_vis.models import NAMES, activations, find_layer, layer_names, untrained

NETWORKS = ["specimens", "squeezenet1_1", "squeezenet1_0", "alexnet", "googlenet", "resnet18",
            "densenet121", "vgg16"]


@pytest.fixture(scope="module", params=NETWORKS)
def network(request):
    return untrained(request.param, generator=torch.Generator().manual_seed(0))


def pictures(n=2, size=64, device="cpu"):
    return torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(1)).to(device)


def trace(model):
    """All that a careless function might leave behind."""
    hooks = {path: (len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks))
             for path, m in model.named_modules()}
    modes = {path: (m.training, getattr(m, "inplace", None)) for path, m in model.named_modules()}
    weights = {path: (p.clone(), p.requires_grad, p.grad) for path, p in model.named_parameters()}
    buffers = {path: b.clone() for path, b in model.named_buffers()}
    return hooks, modes, weights, buffers, torch.get_rng_state()


def assert_same_trace(before, after):
    assert before[:2] == after[:2]
    for path, (value, needs_grad, grad) in before[2].items():
        assert torch.equal(value, after[2][path][0])
        assert (needs_grad, grad) == after[2][path][1:]
    assert all(torch.equal(value, after[3][path]) for path, value in before[3].items())
    assert torch.equal(before[4], after[4])


class Careful(nn.Module):
    """A network small enough to know every value of, with all that makes hooks go wrong."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3)
        self.relu = nn.ReLU(inplace=True)  # used twice, and in place
        self.second = nn.Conv2d(4, 4, 3)
        self.same = nn.Identity()  # returns its very input
        self.pair = Pair()
        self.unused = nn.Conv2d(4, 4, 1)
        self.last = nn.Linear(4, 5)

    def forward(self, images):
        x = self.relu(self.first(images))
        y = self.same(self.second(x))
        y += 1  # written into what `second` and `same` returned
        x = self.pair(self.relu(y))[0]
        x *= 3  # and here into a tuple's tensor
        return self.last(x.mean((2, 3)))


class Pair(nn.Module):
    def forward(self, x):
        return 2 * x, None


class Two(NamedTuple):
    words: str
    maps: list


class Nested(nn.Module):
    """A layer whose tensor lies deep in what it returns, and is written into afterwards."""

    def __init__(self, wrap, unwrap):
        super().__init__()
        self.conv, self.inner, self.unwrap = nn.Conv2d(3, 4, 3), Wrapping(wrap), unwrap
        self.last = nn.Linear(4, 5)

    def forward(self, images):
        x = self.unwrap(self.inner(self.conv(images)))
        x *= 3
        return self.last(x.mean((2, 3)))


class Wrapping(nn.Module):
    def __init__(self, wrap):
        super().__init__()
        self.wrap = wrap

    def forward(self, x):
        return self.wrap(2 * x)


class Bomb(nn.Module):
    def forward(self, x):
        raise RuntimeError("the bomb")


@pytest.fixture
def careful():
    torch.manual_seed(0)
    return Careful().eval()


def expected(model, images):
    """The same pass by hand, with no in-place operation in it."""
    first = model.first(images)
    relu = first.clamp(min=0)
    second = model.second(relu)
    pair = 2 * (second + 1).clamp(min=0)
    return {"first": first, "relu": relu, "second": second, "same": second, "pair": pair,
            "last": model.last(3 * pair.mean((2, 3)))}


# -- values ----------------------------------------------------------------------------------------

@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["first", "relu", "second", "same", "pair", "last"]), min_size=1))
def test_every_choice_of_layers_gives_what_a_pass_by_hand_gives(layers):
    torch.manual_seed(0)
    model, images = Careful().eval(), pictures(size=9)
    found, wanted = activations(model, images, layers), expected(model, images)
    assert list(found) == list(dict.fromkeys(layers))
    for layer in layers:
        torch.testing.assert_close(found[layer], wanted[layer])


def test_one_name_gives_a_dict_with_one_entry(careful):
    assert list(activations(careful, pictures(size=9), "relu")) == ["relu"]
    assert activations(careful, pictures(size=9), []) == {}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_and_device_follow_the_pictures(careful, device, dtype):
    careful.to(device, dtype)
    found = activations(careful, pictures(size=9, device=device).to(dtype), ["first", "last"])
    assert all(x.dtype == dtype and x.device.type == device.type for x in found.values())


def test_every_layer_of_every_network(network):
    """All layers at once equal each asked alone, and the scores are what the network returns."""
    names, images = layer_names(network), pictures(1)
    together = activations(network, images, names)
    assert list(together) == names
    for layer in names[::max(1, len(names) // 12)] + names[-1:]:
        alone = activations(network, images, layer)[layer]
        torch.testing.assert_close(alone, together[layer])
        if "relu" in layer.rsplit(".", 1)[-1]:
            assert alone.min() >= 0
    torch.testing.assert_close(together[names[-1]].flatten(1), network(images))


def test_before_an_in_place_relu_the_signs_are_still_there(network):
    """The classic trap: without a copy, what is read at a convolution is the ReLU's output."""
    names = layer_names(network)
    modules = [find_layer(network, name) for name in names]
    pairs = [(a, b) for a, b, module in zip(names, names[1:], modules[1:])
             if isinstance(module, (nn.ReLU, BasicConv2d))]  # the latter ends in F.relu_
    lowest = []
    for before, after in pairs[:3] + pairs[-1:]:
        found = activations(network, pictures(1), [before, after])
        torch.testing.assert_close(found[before].clamp(min=0), found[after])
        lowest.append(found[before].min())
    assert min(lowest) < 0


def test_the_order_is_that_of_the_forward_pass(network):
    """Cut at each layer in turn: exactly the layers named before it have been finished."""
    names, finished = layer_names(network), []
    hooks = [find_layer(network, name).register_forward_hook(
        lambda *_, name=name: finished.append(name)) for name in names]
    with torch.no_grad():
        network(pictures(1))
    for hook in hooks:
        hook.remove()
    assert list(dict.fromkeys(finished)) == names


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in NAMES if not n.startswith("specimens")])
def test_torchvision_has_no_network_whose_layers_cannot_be_named(name):
    if name.endswith(("vit_h_14", "vit_l_16", "vit_l_32", "128gf", "32gf", "_large")):
        pytest.skip("more than a gigabyte of weights")
    network = untrained(name, generator=torch.Generator())
    names, images = layer_names(network), pictures(1, 224)
    found = activations(network, images, [names[0], names[-1]])
    torch.testing.assert_close(found[names[-1]].flatten(1), network(images))


# -- gradients -------------------------------------------------------------------------------------

def test_gradients_flow_to_the_pictures(careful):
    careful.double()
    images = pictures(size=7).double().requires_grad_()
    for layer in ("first", "relu", "second", "pair", "last"):
        found, wanted = activations(careful, images, layer), expected(careful, images)
        ours, = torch.autograd.grad(found[layer].square().sum(), images)
        by_hand, = torch.autograd.grad(wanted[layer].square().sum(), images)
        torch.testing.assert_close(ours, by_hand)


def test_gradients_flow_from_later_layers_to_earlier_ones(network):
    """What Grad-CAM needs: the score's gradient at a layer, found in one pass."""
    names = layer_names(network)
    middle, last = names[len(names) // 2], names[-1]
    images = pictures(1).requires_grad_()
    found = activations(network, images, [middle, last])
    gradient, = torch.autograd.grad(found[last].sum(), found[middle])
    assert gradient.shape == found[middle].shape and gradient.abs().sum() > 0


def test_a_later_gradient_agrees_with_finite_differences(careful):
    careful.double()
    images = pictures(1, size=7).double().requires_grad_()
    found = activations(careful, images, ["second", "last"])
    gradient, = torch.autograd.grad(found["last"][0, 2], found["second"])
    place, step = (0, 1, 1, 1), 1e-6

    def score(change):
        second = found["second"].detach().clone()
        second[place] += change
        return careful.last(6 * (second + 1).clamp(min=0).mean((2, 3)))[0, 2].item()
    slope = (score(step) - score(-step)) / (2 * step)
    assert slope == pytest.approx(gradient[place].item(), abs=1e-8)


WRAPPED = {
    "tuple": (lambda x: (x, None), lambda out: out[0]),
    "list": (lambda x: [x, 3], lambda out: out[0]),
    "not the first": (lambda x: (None, "words", (), x), lambda out: out[3]),
    "nested": (lambda x: (None, [(x, 1), 2]), lambda out: out[1][0][0]),
    "NamedTuple": (lambda x: Two("words", [x]), lambda out: out.maps[0]),
    "torch's own": (lambda x: x.max(dim=1, keepdim=True),
                    lambda out: out.values.expand(-1, 4, -1, -1) * 1),
}


@pytest.mark.parametrize("kind", WRAPPED)
def test_gradients_flow_through_a_layer_that_returns_a_tuple(kind):
    torch.manual_seed(0)
    model, images = Nested(*WRAPPED[kind]).eval().double(), pictures(1, size=5).double()
    found = activations(model, images.requires_grad_(), ["conv", "inner", "last"])
    torch.testing.assert_close(found["last"], model(images))
    later, = torch.autograd.grad(found["last"][0, 2], found["inner"], retain_graph=True)
    first, = torch.autograd.grad(found["last"][0, 2], found["conv"])
    assert later.shape == found["inner"].shape and later.abs().sum() > 0
    value, step = found["inner"].detach().clone(), 1e-6
    slope = torch.zeros_like(value)
    for place in np.ndindex(*value.shape):
        value[place] += step
        spread = value.expand(-1, 4, -1, -1)
        slope[place] = (model.last(3 * spread.mean((2, 3)))[0, 2]
                        - found["last"].detach()[0, 2]) / step
        value[place] -= step
    torch.testing.assert_close(later, slope, atol=1e-7, rtol=1e-5)
    assert first.abs().sum() > 0


def test_a_tuple_keeps_its_type_and_its_other_entries():
    seen = []
    model = Nested(WRAPPED["NamedTuple"][0], lambda out: (seen.append(out), out.maps[0])[1]).eval()
    activations(model, pictures(1, size=5), ["inner", "last"])
    assert type(seen[0]) is Two and seen[0].words == "words" and type(seen[0].maps) is list


def test_without_gradients_nothing_is_recorded(careful):
    with torch.no_grad():
        found = activations(careful, pictures(size=9).requires_grad_(), ["first", "last"])
    assert not any(x.requires_grad for x in found.values())


# -- no deeper than needed -------------------------------------------------------------------------

def test_the_pass_ends_at_the_deepest_layer(careful):
    careful.last = Bomb()
    found = activations(careful, pictures(size=9), ["pair", "first"])
    assert list(found) == ["pair", "first"]
    with pytest.raises(RuntimeError, match="the bomb"):
        activations(careful, pictures(size=9), ["pair", "last"])


def test_the_pass_of_every_network_ends_at_the_deepest_layer(network):
    names = layer_names(network)
    ran = []
    hook = find_layer(network, names[-1]).register_forward_hook(lambda *_: ran.append(1))
    activations(network, pictures(1), names[len(names) // 2])
    hook.remove()
    assert not ran


# -- no trace --------------------------------------------------------------------------------------

def asked(model, layers, **changes):
    images = pictures(size=9).requires_grad_()
    values, before = images.detach().clone(), trace(model)
    try:
        activations(model, images, layers)
    finally:
        assert_same_trace(before, trace(model))
        assert torch.equal(images, values) and images.grad is None


def test_no_trace_after_a_normal_run(careful):
    asked(careful, ["first", "relu", "same"])
    asked(careful.train(), "last")


def test_no_trace_of_train_mode():
    """Batch norm's statistics and count, and the numbers that dropout draws."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(), nn.ReLU()).train()
    images, before = pictures(size=9).requires_grad_(), trace(model)
    own = dict(model.named_buffers())
    found = activations(model, images, ["1", "3"])
    torch.autograd.grad(found["3"].sum(), images)  # the graph outlives the pass
    torch.testing.assert_close(found["1"].mean((0, 2, 3)), torch.zeros(4), atol=1e-6, rtol=0)
    assert_same_trace(before, trace(model))
    assert all(value is own[name] for name, value in model.named_buffers())
    model[3] = Bomb()
    before = trace(model)
    with pytest.raises(RuntimeError, match="the bomb"):
        activations(model, images, ["1", "3"])
    assert_same_trace(before, trace(model))


def test_no_trace_after_a_bad_layer(careful):
    with pytest.raises(ValueError, match="layers='fisrt' is not in this network; the nearest are"):
        asked(careful, ["first", "fisrt"])
    with pytest.raises(ValueError, match="'unused' is in this network, but .* does not use it"):
        asked(careful, ["first", "unused"])
    with pytest.raises(TypeError, match="layers=3 must be the name of a layer"):
        asked(careful, ["first", 3])
    with pytest.raises(TypeError, match="layers=None must be the name of a layer"):
        asked(careful, None)


def test_no_trace_after_a_module_that_raises(careful):
    careful.second = Bomb()
    with pytest.raises(RuntimeError, match="the bomb"):
        asked(careful, ["first", "last"])


def test_no_trace_in_any_network(network):
    before = trace(network)
    activations(network, pictures(1), layer_names(network)[::5])
    with pytest.raises(ValueError):
        activations(network, pictures(1), "no such layer")
    with pytest.raises(ValueError):
        activations(network, pictures(1)[0], layer_names(network)[0])
    assert_same_trace(before, trace(network))


def test_hooks_of_others_stay(careful):
    seen = []
    hook = careful.first.register_forward_hook(lambda *_: seen.append(1))
    activations(careful, pictures(size=9), "first")
    careful(pictures(size=9))
    assert len(seen) == 2
    hook.remove()


# -- names -----------------------------------------------------------------------------------------

def test_an_unknown_layer_is_answered_with_the_nearest(network):
    name = layer_names(network)[-1]
    with pytest.raises(ValueError, match=rf"layer='{name}x' is not in .*'{name}'.*layer_names\("):
        find_layer(network, name + "x")


def test_a_layer_that_returns_no_tensor_is_refused():
    class Words(nn.Module):
        def forward(self, images):
            return "words"
    with pytest.raises(TypeError, match="layers='0' returns a str, not a tensor; ask for one of"):
        activations(nn.Sequential(Words()), pictures(), "0")


@pytest.mark.parametrize("ask", [
    lambda model: activations(model, pictures(), "0"), layer_names,
    lambda model: find_layer(model, "0")])
@pytest.mark.parametrize("model", [None, "squeezenet1_1", lambda x: x])
def test_what_is_no_network_is_refused(ask, model):
    with pytest.raises(TypeError, match="model=.* must be a network.*load_model"):
        ask(model)


def test_any_module_has_layer_names(careful):
    assert layer_names(careful) == ["first", "relu", "second", "same", "pair", "unused", "last"]
    names = layer_names(careful)
    names.clear()  # the list is ours to change
    assert layer_names(careful)


def test_a_copy_of_a_network_has_layers_of_its_own(network):
    twin = copy.deepcopy(network)
    layer = layer_names(network)[0]
    assert find_layer(twin, layer) is not find_layer(network, layer)
    found = activations(twin, pictures(1), layer)[layer]
    torch.testing.assert_close(found, activations(network, pictures(1), layer)[layer])
