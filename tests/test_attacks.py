"""What attacks cost, what withstands them, and a network that learns from them."""

import math

import pytest
import torch

from cs_vis.methods.attacks import attack, fine_tune, fool, random_change, share_right
from cs_vis.models import SpecimenNet
from cs_vis.reference.fooling_images import attack_step, make_fooling_image


def network():
    """Three classes, none of which always wins."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        net = SpecimenNet(((4,), (6, 6)), 3).eval().requires_grad_(False)
        net.fc.weight *= 50
        net.fc.bias -= net(torch.rand(64, 3, 16, 20)).mean(dim=0)
    net.class_names = ["a", "b", "c"]
    return net


@pytest.fixture
def model(device):
    return network().to(device)


@pytest.fixture
def images(device, generator):
    return torch.rand(5, 3, 16, 20, generator=generator).to(device)


@pytest.fixture
def y(model, images):
    return model(images).argmax(dim=1)


# ---- fooled, and at what price ---------------------------------------------------------------

def test_a_fooled_picture_comes_with_its_price(model, images, y):
    target = int((y[0] + 1) % 3)
    found = fool(make_fooling_image, images[:1], target, model)
    right = make_fooling_image(images[:1], target, model)
    assert torch.equal(found.image, right)
    change = (right - images[:1]).flatten()
    assert found.l2 == pytest.approx(change.norm().item(), rel=1e-5)
    assert found.linf == pytest.approx(change.abs().max().item(), rel=1e-5)
    assert found.steps >= math.ceil(found.l2 - 1e-4) > 0  # each step is 1 long
    assert found.reached == (model(right).argmax().item() == target)


def test_a_picture_that_fools_already_costs_nothing(model, images, y):
    found = fool(make_fooling_image, images[:1], int(y[0]), model)
    assert found[1:] == (0, 0.0, 0.0, True)


def test_steps_are_counted_however_often_the_network_is_asked(model, images, y):
    def twice(X, target_y, model):
        for _ in range(3):
            model(X), model(X)
            X = X + 0.01
        return X
    assert fool(twice, images[:1], 0, model).steps == 3


def test_the_student_s_function_works_on_a_copy(model, images):
    before = images.clone()
    fool(lambda X, target_y, model: X.add_(1), images[:1], 0, model)
    assert torch.equal(images, before)


def test_what_is_no_picture_is_refused(model, images):
    with pytest.raises((TypeError, ValueError), match="fooling image"):
        fool(lambda X, target_y, model: X[0], images[:1], 0, model)


# ---- attacks that stay near ------------------------------------------------------------------

@pytest.mark.parametrize("norm, radius", [("linf", 0.1), ("l2", 2.0)])
def test_an_attack_is_the_step_again_and_again(model, images, y, norm, radius):
    found = attack(attack_step, images, y, model, radius=radius, norm=norm, steps=4)
    X = images
    for _ in range(4):
        X = attack_step(X, images, y, model, 2.5 * radius / 4, radius, norm)
    assert torch.equal(found, X)
    again = attack(attack_step, images, y, model, radius=radius, norm=norm, steps=1, start=found)
    assert torch.equal(again, attack_step(X, images, y, model, 2.5 * radius, radius, norm))


def test_what_has_fallen_stays_fallen(model, images, y):
    radii = [0.01, 0.05, 0.2, 0.5]
    shares = share_right(attack_step, images, y, model, radii, norm="linf", steps=3)
    assert len(shares) == 5 and shares[0] == 1
    assert shares == sorted(shares, reverse=True) and shares[-1] < 1
    wrong = (y + 1) % 3  # the network is never right: there is nothing to attack
    assert share_right(attack_step, images, wrong, model, radii, norm="linf", steps=3) == [0] * 5


def test_only_what_stands_is_attacked_and_from_where_it_is(model, images, y):
    calls = []

    def step(X, original, y, model, rate, radius, norm):
        calls.append((len(X), (X - original).abs().max().item(), radius))
        return attack_step(X, original, y, model, rate, radius, norm)

    shares = share_right(step, images, y, model, [0.05, 0.3], norm="linf", steps=2)
    assert [n for n, _, _ in calls] == [5, 5] + 2 * [round(5 * shares[1])] * (shares[1] > 0)
    assert calls[0][1] == 0 and (shares[1] == 0 or calls[2][1] > 0)


def test_noise_is_as_long_as_it_is_asked_to_be(images, generator):
    lengths = torch.tensor([0.0, 0.5, 1, 2, 4])
    noisy = random_change(images, lengths, generator=generator)
    found = (noisy - images).flatten(1).norm(dim=1).cpu()
    torch.testing.assert_close(found, lengths, rtol=1e-4, atol=1e-5)
    again = random_change(images, lengths, generator=torch.Generator().manual_seed(1))
    assert torch.equal(again, random_change(images, lengths,
                                            generator=torch.Generator().manual_seed(1)))


# ---- learning from them ----------------------------------------------------------------------

def lessons(images, y, count=4):
    return [(images, (y + 1) % 3)] * count


def test_a_copy_learns_and_the_network_stays_as_it_was(model, images, y):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    losses = []
    taught = fine_tune(model, lessons(images, y, 30), 30, rate=1e-2,
                       watch=lambda network, loss: losses.append(loss))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert losses[-1] < losses[0] and len(losses) == 30
    assert not taught.training and not any(p.requires_grad for p in taught.parameters())
    assert taught.class_names == model.class_names
    assert (taught(images).argmax(dim=1) != y).any()


def test_it_learns_from_attacks_on_the_network_as_it_is_by_then(model, images, y):
    seen = []

    def against(pictures, labels, network):
        seen.append((network.fc.bias.clone(), any(p.requires_grad for p in network.parameters())))
        return attack_step(pictures, pictures, labels, network, 0.1, 0.1, "linf")

    fine_tune(model, lessons(images, y, 3), 3, against)
    biases = [bias for bias, _ in seen]
    assert torch.equal(biases[0], model.fc.bias) and not torch.equal(biases[0], biases[1])
    assert not any(asked for _, asked in seen)


def test_interrupted_it_gives_what_was_learned_until_then(model, images, y, capsys):
    def until_the_third():
        yield from lessons(images, y, 2)
        raise KeyboardInterrupt
    taught = fine_tune(model, until_the_third(), 9)
    assert "Interrupted" in capsys.readouterr().out
    assert torch.equal(taught(images), fine_tune(model, lessons(images, y, 2), 9)(images))
    assert not any(p.requires_grad for p in taught.parameters())


# ---- refusals --------------------------------------------------------------------------------

@pytest.mark.parametrize("call, words", [
    (lambda m, X, y: fool(None, X[:1], 0, m), "make_fooling_image"),
    (lambda m, X, y: fool(make_fooling_image, X, 0, m), "X has"),
    (lambda m, X, y: attack(attack_step, X, y, m, radius=0, norm="l2", steps=1), "radius=0"),
    (lambda m, X, y: attack(attack_step, X, y, m, radius=1, norm="l1", steps=1), "norm='l1'"),
    (lambda m, X, y: attack(attack_step, X, y, m, radius=1, norm="l2", steps=0), "steps=0"),
    (lambda m, X, y: attack(lambda *given: None, X, y, m, radius=1, norm="l2", steps=1),
     "what attack_step returned"),
    (lambda m, X, y: share_right(attack_step, X, y + 3, m, [1], norm="l2", steps=1), "y"),
    (lambda m, X, y: random_change(X, y, generator=0), "generator"),
    (lambda m, X, y: fine_tune(m, [], 1, rate=0), "rate=0"),
    (lambda m, X, y: fine_tune(m, [], 0), "count=0"),
])
def test_refusals_name_the_argument(model, images, y, call, words):
    with pytest.raises((TypeError, ValueError), match=words):
        call(model, images, y)
