"""The generator that ships: codes in, pictures out, and both networks know what they show."""

import pytest
import torch

from cs_vis import datasets, load_model, specimens
from cs_vis.methods.class_visualization import visualize
from cs_vis.methods.generator import Generator, codes, load_generator, of_code
from cs_vis.reference.class_visualization import class_visualization_update_step


@pytest.fixture(scope="module")
def network():
    return load_generator()


def samples(network, each, seed):
    labels = torch.arange(24).repeat(each)
    code = codes(network, labels, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        return labels, torch.cat([network(part) for part in code.split(24)])


def test_a_code_is_chance_and_a_kind(network):
    labels = torch.tensor([3, 0, 23])
    code = codes(network, labels, generator=torch.Generator().manual_seed(0))
    again = codes(network, labels, generator=torch.Generator().manual_seed(0))
    assert code.shape == (3, network.free + 24) and torch.equal(code, again)
    assert torch.equal(code[:, network.free:], torch.eye(24)[labels])
    assert 0.8 < code[:, :network.free].std() < 1.2
    with torch.no_grad():
        pictures = network(code)
    assert pictures.shape == (3, 3, 128, 128)
    assert 0 <= pictures.min() and pictures.max() <= 1


@pytest.mark.parametrize("name", ["specimens", "specimens-robust"])
def test_both_networks_name_nine_samples_in_ten(network, name):
    labels, pictures = samples(network, 10, seed=1)
    with torch.no_grad():
        said = torch.cat([load_model(name)(part).argmax(dim=1) for part in pictures.split(24)])
    assert (said == labels).float().mean() >= 0.9


def test_samples_of_one_kind_differ(network):
    _, pictures = samples(network, 4, seed=2)
    kinds = pictures.view(4, 24, 3, 128, 128)
    between = (kinds[:, None] - kinds[None]).square().mean(dim=(3, 4, 5)).sqrt()  # (4, 4, 24)
    assert between.sum(dim=(0, 1)).min() / 12 > 0.05  # values of a picture are from 0 to 1


def test_it_is_small_frozen_and_draws_no_random_numbers():
    before = torch.get_rng_state()
    network = load_generator()
    assert torch.equal(torch.get_rng_state(), before)
    assert not network.training and not any(p.requires_grad for p in network.parameters())
    assert list(network.class_names) == list(specimens.class_names)
    assert datasets.path("weights/generator.safetensors").stat().st_size <= 4_000_000


def test_a_code_in_a_pictures_place_climbs(network):
    model, target = load_model("specimens-robust"), 14
    shape = (1, 3, 1, network.code // 3)
    frames = list(visualize(class_visualization_update_step, model, target,
                            start=torch.zeros(shape), steps=6, learning_rate=0.5, l2_reg=0.01,
                            generator=torch.Generator().manual_seed(0),
                            to_picture=of_code(network)))
    assert frames[-1].objective > frames[0].objective + 1
    assert frames[-1].image.shape == (1, 3, 128, 128)


def test_at_the_middle_of_everything_each_kind_has_its_share(network):
    x = torch.zeros(1, 3, 1, network.code // 3)
    middle = torch.cat([torch.zeros(1, network.free), torch.full((1, 24), 1 / 24)], dim=1)
    with torch.no_grad():
        torch.testing.assert_close(of_code(network)(x), network(middle))


def test_a_coarser_side_is_drawn_by_the_same_code():
    network = Generator(kinds=4, free=8, widths=(16, 8, 8))
    with torch.no_grad():
        assert network(torch.zeros(2, 12), 32).shape == (2, 3, 32, 32)


@pytest.mark.parametrize("call, error, words", [
    (lambda n: n(torch.zeros(1, 5)), ValueError, r"code has shape \(1, 5\), but must have \(N, 90"),
    (lambda n: n([1.0]), TypeError, "code is of type list"),
    (lambda n: codes(n, torch.tensor([24]), generator=torch.Generator()), ValueError,
     "labels=24 is no class"),
    (lambda n: codes(n, torch.tensor([2]), generator=None), TypeError, "generator"),
])
def test_bad_codes_are_refused_with_a_sentence(network, call, error, words):
    with pytest.raises(error, match=words):
        call(network)
