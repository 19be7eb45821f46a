"""Training: folding is exact, a killed run goes on as if nothing had happened."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors import safe_open

from cs_vis.models import SpecimenNet
from cs_vis.training import data, descent, generator, loop, portraits, train
from cs_vis.training import net as nets
from cs_vis.training import specimens as training


@pytest.fixture
def short(monkeypatch):
    """A training of a few small steps on a few images."""
    monkeypatch.setattr(training, "ORDINARY", ((32, 24), (48, 16)))
    monkeypatch.setattr(training, "ROBUST", ((32, 16),))
    monkeypatch.setattr(training, "TUNINGS", tuple(
        tuning._replace(steps=2) for tuning in training.TUNINGS))
    monkeypatch.setattr(generator, "STAGES", ((32, 3, 2), (64, 2, 2)))
    monkeypatch.setattr(portraits, "POOL", 40)
    monkeypatch.setattr(portraits, "WORKERS", 1)
    monkeypatch.setattr(data, "BATCH", 8)
    monkeypatch.setattr(data, "MOVED", 4)
    monkeypatch.setattr(data, "POOL", 40)
    draw = data.draw_many
    monkeypatch.setattr(data, "draw_many", lambda n, seed, **_: draw(n, seed))


def weights_of(path):
    with safe_open(path, framework="pt") as file:
        return {key: file.get_tensor(key) for key in file.keys()}, file.metadata()


def test_folding_changes_nothing():
    torch.manual_seed(0)
    net = nets.TrainingNet(5, ((4,), (6, 6)))
    for _ in range(3):  # running statistics that are not the initial ones
        net(torch.rand(8, 3, 16, 16))
    net.eval()
    plain = SpecimenNet(((4,), (6, 6)), classes=5).eval()
    plain.load_state_dict(nets.fold(net))
    images = torch.rand(4, 3, 16, 16)
    torch.testing.assert_close(plain(images), net(images), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name, call, checkpoint, done", [
    ("specimens", 4, "specimens.pt", 3), ("specimens-robust", 4, "specimens-robust.pt", 1),
    ("specimens-robust", 11, "specimens-robust-tuning-1.pt", 1)])
def test_a_run_that_was_killed_ends_like_one_that_was_not(short, tmp_path, monkeypatch, name, call,
                                                          checkpoint, done):
    def run(folder):
        return train(name, folder=tmp_path / folder, weights=tmp_path / folder,
                              progress=False)

    if name == "specimens-robust":
        for folder in ("a", "b"):
            train("specimens", folder=tmp_path / folder, weights=tmp_path, progress=False)
    whole = run("a")
    real, calls = descent.descend, []

    def killed(*args):
        calls.append(1)
        if len(calls) == call:
            raise KeyboardInterrupt
        return real(*args)

    for home in (training, descent):
        monkeypatch.setattr(home, "descend", killed)
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0)
    with pytest.raises(KeyboardInterrupt):
        run("b")
    assert torch.load(tmp_path / "b" / checkpoint)["step"] == done
    monkeypatch.setattr(training, "descend", real)
    resumed = run("b")
    (a, _), (b, _) = weights_of(whole), weights_of(resumed)
    assert all(torch.equal(a[key], b[key]) for key in a)


def test_a_generator_that_was_killed_ends_like_one_that_was_not(short, tmp_path, monkeypatch):
    whole = train("generator", folder=tmp_path / "a", weights=tmp_path / "a", progress=False)
    real, calls = generator.descend, []

    def killed(*args):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(generator, "descend", killed)
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0)
    with pytest.raises(KeyboardInterrupt):
        train("generator", folder=tmp_path / "b", weights=tmp_path / "b", progress=False)
    monkeypatch.setattr(generator, "descend", real)
    resumed = train("generator", folder=tmp_path / "b", weights=tmp_path / "b", progress=False)
    (a, facts), (b, _) = weights_of(whole), weights_of(resumed)
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert json.loads(facts["class_names"]) == training.specimens.class_names


def test_a_portrait_is_upright_in_the_middle_and_nothing_covers_it():
    pictures, masks, labels = portraits.draw_range(range(24))
    own = np.unpackbits(masks, axis=2).astype(bool)  # (n, 128, 128)
    assert 8 <= len(labels) == len(pictures) == len(own) < 24  # some are covered, and left out
    rows, cols = own.any(axis=2), own.any(axis=1)  # (n, 128)
    for seen in (rows, cols):
        middle = (seen.argmax(axis=1) + 127 - seen[:, ::-1].argmax(axis=1)) / 2
        assert abs(middle - 63.5).max() < 32 and abs(middle.mean() - 63.5) < 6
    assert (np.maximum(rows.sum(axis=1), cols.sum(axis=1)) > 60).all()


def test_behind_a_portrait_nothing_is_sharp():
    picture = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    mask = np.zeros((128, 128), bool)
    mask[40:90, 50:80] = True
    picture[mask] = (250, 20, 20)
    seen = portraits.on_blurred(picture, mask)
    assert abs(seen[44:86, 54:76].astype(int) - (250, 20, 20)).max() <= 2
    corner = seen[:20, :20].astype(float)
    assert np.abs(np.diff(corner, axis=0)).max() < 8  # of noise, whose neighbours differ by 85


def test_portraits_and_their_masks_shrink_alike():
    pictures = np.zeros((1, 128, 128, 3), np.uint8)
    pictures[:, :, :64] = 255
    masks = np.packbits(pictures[..., 0] > 0, axis=2)
    images, own, labels = portraits.sample((pictures, masks, np.array([5])), 32, 2,
                                           torch.Generator().manual_seed(0))
    assert images.shape == (2, 3, 32, 32) and labels.tolist() == [5, 5]
    assert torch.equal(images[:, :1], own) and own[0, 0, 0].tolist() == [1.0] * 16 + [0.0] * 16


def test_the_card_travels_with_the_weights(short, tmp_path):
    path = train("specimens", folder=tmp_path, weights=tmp_path, seed=3, progress=False)
    state, facts = weights_of(path)
    assert all(tensor.dtype == torch.float16 for tensor in state.values())
    assert json.loads(facts["class_names"]) == training.specimens.class_names
    assert json.loads(facts["training"])["seed"] == 3
    assert all(0.2 < value < 0.8 for value in json.loads(facts["mean_color"]))
    with pytest.raises(ValueError, match="seed=0, but .*specimens.pt was made with seed=3"):
        train("specimens-robust", folder=tmp_path, weights=tmp_path, progress=False)
    train("specimens-robust", folder=tmp_path, weights=tmp_path, seed=3, progress=False)
    robust, _ = weights_of(tmp_path / "specimens-robust.safetensors")
    assert any(not torch.equal(robust[key], state[key]) for key in state)


def test_every_step_learns(short, tmp_path):
    torch.manual_seed(0)
    net = nets.TrainingNet(24)
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
    images, labels = torch.rand(8, 3, 32, 32), torch.arange(8)
    losses = [descent.descend(net, optimizer, images, labels) for _ in range(12)]
    assert losses[-1] < 0.6 * losses[0]


def test_the_attack_stays_within_its_radius_and_raises_the_loss():
    torch.manual_seed(0)
    net = nets.TrainingNet(24).eval()  # without dropout and batch statistics
    optimizer = torch.optim.SGD(net.parameters(), lr=0.0)  # the attack alone
    seen = []
    net.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    images, labels = torch.rand(4, 3, 32, 32), torch.arange(4)
    descent.descend_robustly(net, optimizer, images, labels, torch.Generator().manual_seed(0))
    attacked = list(seen)
    losses = [F.cross_entropy(net(one), labels).item() for one in attacked]
    assert len(attacked) == descent.REPLAYS and losses == sorted(losses) and losses[0] < losses[-1]
    assert max((one - images).abs().max() for one in attacked) <= descent.RADIUS + 1e-6


def test_both_balls_are_kept_and_the_loss_rises():
    torch.manual_seed(0)
    net = nets.TrainingNet(24).eval()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.0)
    seen = []
    net.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    images, labels = 0.2 + 0.6 * torch.rand(12, 3, 32, 32), torch.arange(12)
    tuning = training.TUNINGS[0]
    descent.descend_in_both_balls(net, optimizer, images, labels, tuning,
                                   torch.Generator().manual_seed(0))
    attacked = list(seen)
    deltas = attacked[-1] - images
    linf, l2 = deltas.abs().amax(dim=(1, 2, 3)), descent.length(deltas).flatten()
    small, short = linf <= tuning.linf + 1e-6, l2 <= tuning.l2 + 1e-4
    assert (small | short).all() and not small.all() and (l2[~small] > 0.9).all()
    first, last = (F.cross_entropy(net(one), labels).item() for one in (attacked[0], attacked[-1]))
    assert len(attacked) == descent.BALL_REPLAYS and last > first


@pytest.mark.parametrize("name, error, words", [
    ("vgg16", ValueError,
     "name='vgg16' cannot be trained; choose one of specimens, specimens-robust, generator"),
    ("specimens-robust", FileNotFoundError, "run `cs-vis train specimens` first"),
])
def test_bad_requests_are_refused_with_a_sentence(name, error, words, tmp_path):
    with pytest.raises(error, match=words):
        train(name, folder=tmp_path, progress=False)
