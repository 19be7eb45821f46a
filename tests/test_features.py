"""Features collected layer by layer, t-SNE, and linear probes against what is known of them."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.spatial.distance import pdist
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from cs_vis import activations, specimens
from cs_vis.methods import feature_space as methods
from cs_vis.models import SpecimenNet


@pytest.fixture
def model(device):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SpecimenNet(((4,), (6, 6)), 3).eval().requires_grad_(False).to(device)


# ---- collecting ------------------------------------------------------------------------------

def test_rows_are_means_over_fields_batch_after_batch(model, device, generator):
    images = torch.rand(5, 3, 16, 24, generator=generator).to(device)
    layers = ["relu1_1", "relu2_2", "average", "fc"]
    found = methods.collect(model, iter(images.split(2)), layers, grid=4)
    right = activations(model, images, layers)
    assert list(found) == layers and not any(rows.requires_grad for rows in found.values())
    fields = right["relu1_1"].unflatten(3, (4, 6)).unflatten(2, (4, 4)).mean(dim=(3, 5))
    torch.testing.assert_close(found["relu1_1"], fields.flatten(1))
    assert found["relu2_2"].shape == (5, 6 * 16)
    torch.testing.assert_close(found["average"], right["average"].flatten(1))
    torch.testing.assert_close(found["fc"], right["fc"])


def test_no_batch_is_refused(model):
    with pytest.raises(ValueError, match="batches is empty"):
        methods.collect(model, [], ["fc"])
    with pytest.raises(ValueError, match="grid=0 is too small"):
        methods.collect(model, [], ["fc"], grid=0)


# ---- t-SNE -----------------------------------------------------------------------------------

def test_tsne_keeps_neighbours_and_leaves_the_rows_alone(generator):
    rows = torch.cat([torch.randn(15, 6, generator=generator) + shift for shift in (0, 20)])
    before = rows.clone()
    points = methods.tsne(rows, perplexity=5, start="random", seed=3)
    assert points.shape == (30, 2) and points.dtype == rows.dtype and torch.equal(rows, before)
    away = torch.cdist(points, points).fill_diagonal_(math.inf)
    assert ((away.argmin(dim=1) < 15) == (torch.arange(30) < 15)).all()
    torch.testing.assert_close(points, methods.tsne(rows, perplexity=5, start="random", seed=3))


@pytest.mark.parametrize("settings, words", [
    ({"perplexity": 8}, "perplexity=8 must be below the number of rows, which is 8"),
    ({"perplexity": 0}, "perplexity"),
    ({"perplexity": 3, "start": "spectral"}, "start='spectral' must be 'pca' or 'random'"),
])
def test_tsne_refuses(settings, words):
    with pytest.raises(ValueError, match=words):
        methods.tsne(torch.rand(8, 3), **settings)


def test_centroid_distances_are_those_of_the_means(device, generator):
    rows = torch.randn(20, 5, generator=generator, dtype=torch.float64).to(device)
    labels = torch.arange(20) % 4 + 7
    means = [rows.cpu().numpy()[labels.numpy() == k].mean(axis=0) for k in range(7, 11)]
    np.testing.assert_allclose(methods.centroid_distances(rows, labels.to(device)).cpu(),
                               pdist(means), rtol=1e-6)


# ---- probes ----------------------------------------------------------------------------------

def test_what_is_known_becomes_targets():
    facts = [specimens.draw(seed).facts for seed in range(6)]
    labels = torch.arange(6)
    known = methods.known(facts, labels)
    assert torch.equal(known["kind"], F.one_hot(labels, 24).float())
    grounds = sorted({fact["background"] for fact in facts})
    assert [grounds[n] for n in known["background"].argmax(dim=1)] == [
        fact["background"] for fact in facts]
    for n, fact in enumerate(facts):
        x, y = known["hue"][n].tolist()
        assert math.atan2(y, x) / 2 / math.pi % 1 == pytest.approx(fact["hue"], abs=1e-4)
        assert known["size"][n].item() == pytest.approx(fact["size"])
        assert known["place"][n].tolist() == pytest.approx(fact["pose"]["centre"])


def test_grey_has_no_hue_and_red_is_at_angle_0():
    assert methods.on_wheel((0.4, 0.4, 0.4)) == (0, 0) == methods.on_wheel(None)
    assert methods.on_wheel((1, 0, 0)) == pytest.approx((1, 0))
    assert methods.on_wheel((0.5, 0.5, 1.0)) == pytest.approx((-0.25, -math.sqrt(3) / 4))


def test_a_probe_is_ridge_regression_on_standardised_features(generator, monkeypatch):
    X = torch.randn(30, 4, generator=generator, dtype=torch.float64) * torch.tensor([1, 9, 2, 0])
    Y = torch.randn(30, 2, generator=generator, dtype=torch.float64)
    monkeypatch.setattr(methods, "PENALTIES", [3.0])
    predicted = methods.probe(X, Y, train=20)
    mean, scale = X[:20].mean(dim=0), X[:20].std(dim=0, correction=0).clamp(min=1e-6)
    ridge = Ridge(3.0).fit(((X - mean) / scale)[:20], Y[:20])
    np.testing.assert_allclose(predicted, ridge.predict(((X - mean) / scale)[20:]), atol=1e-8)


def test_a_probe_reads_what_lies_on_a_line_and_nothing_from_noise(device, generator):
    X = torch.randn(200, 3, generator=generator).to(device)
    kind = F.one_hot(X.argmax(dim=1), 3).float()
    facts = {"kind": kind, "size": 2 * X[:, :1] - X[:, 1:2] + 1,
             "hue": torch.randn(200, 2, generator=generator).to(device)}
    read = methods.probe_all(X, facts, train=150)
    assert read["size"] > 0.98 and read["kind"] > 0.85 and 0 <= read["hue"] < 0.1


def test_scores_of_a_probe(generator):
    truth, predicted = (torch.randn(9, 1, generator=generator, dtype=torch.float64)
                        for _ in range(2))
    assert methods.explained(predicted, truth) == pytest.approx(r2_score(truth, predicted))
    assert methods.explained(truth, truth) == 1
    ones = F.one_hot(torch.tensor([0, 1, 2, 1])).float()
    assert methods.share_right(ones.roll(1, dims=0), ones) == 0
    assert methods.share_right(ones * 0.3 - 1, ones) == 1


@pytest.mark.parametrize("train, rows", [(8, 8), (4, 7)])
def test_a_probe_needs_rows_to_predict(train, rows):
    with pytest.raises(ValueError, match="the rows belong together"):
        methods.probe(torch.rand(8, 3), torch.rand(rows, 1), train=train)
