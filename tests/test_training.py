"""Training: folding is exact, a killed run goes on as if nothing had happened."""

import json

import pytest
import torch
import torch.nn.functional as F
from safetensors import safe_open

from cs_vis.models import SpecimenNet
from cs_vis.training import data, descent, loop
from cs_vis.training import net as nets
from cs_vis.training import specimens as training


@pytest.fixture
def short(monkeypatch):
    """A training of a few small steps on a few images."""
    monkeypatch.setattr(training, "ORDINARY", ((32, 24), (48, 16)))
    monkeypatch.setattr(training, "ROBUST", ((32, 16),))
    monkeypatch.setattr(training, "TUNINGS", tuple(
        tuning._replace(steps=2) for tuning in training.TUNINGS))
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
        return training.train(name, folder=tmp_path / folder, weights=tmp_path / folder,
                              progress=False)

    if name == "specimens-robust":
        for folder in ("a", "b"):
            training.train("specimens", folder=tmp_path / folder, weights=tmp_path, progress=False)
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


def test_the_card_travels_with_the_weights(short, tmp_path):
    path = training.train("specimens", folder=tmp_path, weights=tmp_path, seed=3, progress=False)
    state, facts = weights_of(path)
    assert all(tensor.dtype == torch.float16 for tensor in state.values())
    assert json.loads(facts["class_names"]) == training.specimens.class_names
    assert json.loads(facts["training"])["seed"] == 3
    assert all(0.2 < value < 0.8 for value in json.loads(facts["mean_color"]))
    with pytest.raises(ValueError, match="seed=0, but .*specimens.pt was made with seed=3"):
        training.train("specimens-robust", folder=tmp_path, weights=tmp_path, progress=False)
    training.train("specimens-robust", folder=tmp_path, weights=tmp_path, seed=3, progress=False)
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
     "name='vgg16' cannot be trained; choose 'specimens' or 'specimens-robust'"),
    ("specimens-robust", FileNotFoundError, "run `cs-vis train specimens` first"),
])
def test_bad_requests_are_refused_with_a_sentence(name, error, words, tmp_path):
    with pytest.raises(error, match=words):
        training.train(name, folder=tmp_path, progress=False)
