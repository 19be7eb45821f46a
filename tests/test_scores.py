"""Scores against the true mask, against loops and cases whose answer is known."""

import pytest
import torch

from cs_vis.checks.fixtures import numbers
from cs_vis.methods.scores import centre_map, energy_inside, iou, pointing_game


@pytest.fixture
def pair(device):
    maps = numbers(4, 5, 7, seed=1).to(device)
    return maps, numbers(4, 5, 7, seed=2).to(device) > 0.6


def test_scores_equal_loops(pair):
    maps, masks = pair
    for n in range(len(maps)):
        best, inside, total, both, either = (0, 0, 0), 0.0, 0.0, 0, 0
        for row in range(5):
            for col in range(7):
                value, true = maps[n, row, col].item(), masks[n, row, col].item()
                best = max(best, (value, -row, -col))
                inside, total = inside + value * true, total + value
                both, either = both + ((value > 0.5) and true), either + ((value > 0.5) or true)
        assert pointing_game(maps, masks)[n] == masks[n, -best[1], -best[2]]
        assert energy_inside(maps, masks)[n].item() == pytest.approx(inside / total)
        assert iou(maps > 0.5, masks)[n].item() == pytest.approx(both / either)


def test_known_answers(device):
    masks = torch.zeros(2, 4, 6, dtype=torch.bool, device=device)
    masks[0, 1:3, 2:5] = True
    maps = masks.float()
    assert energy_inside(maps, masks).tolist() == [1, 0]  # a map of zeros has no energy
    assert iou(masks, masks).tolist() == [1, 1]  # two empty masks agree
    assert iou(~masks, masks).tolist() == [0, 0]
    assert pointing_game(maps, masks).tolist() == [True, False]
    assert pointing_game(1 - maps, masks).tolist() == [False, False]
    assert energy_inside(torch.ones_like(maps), masks)[0].item() == pytest.approx(6 / 24)


def test_scores_follow_device_and_dtype(pair):
    maps, masks = pair
    assert energy_inside(maps, masks).dtype == torch.float64
    assert energy_inside(maps.float(), masks).dtype == torch.float32
    assert all(score.shape == (4,) and score.device == maps.device for score in (
        pointing_game(maps, masks), energy_inside(maps, masks), iou(masks, masks)))


def test_centre_map_is_a_symmetric_bump():
    bump = centre_map(9, 12)
    assert bump.shape == (9, 12) and bump.max() <= 1
    assert torch.equal(bump, bump.flip(0)) and torch.equal(bump, bump.flip(1))
    assert bump.argmax() in (4 * 12 + 5, 4 * 12 + 6)
    assert (bump[4, :5].diff() > 0).all() and bump[0, 0] < 0.2


@pytest.mark.parametrize("score, error, sentence", [
    (lambda: energy_inside(torch.full((1, 2, 2), -1.0), torch.ones(1, 2, 2, dtype=torch.bool)),
     ValueError, "negative values, down to -1"),
    (lambda: pointing_game(torch.ones(1, 2, 2), torch.ones(1, 2, 2)), TypeError, "masks is of type"),
    (lambda: iou(torch.ones(1, 2, 2), torch.ones(1, 2, 2, dtype=torch.bool)), TypeError,
     "predicted is of type"),
    (lambda: pointing_game(torch.ones(2, 2), torch.ones(2, 2, dtype=torch.bool)), ValueError,
     r"maps\[None\]"),
    (lambda: energy_inside(torch.ones(1, 2, 3), torch.ones(1, 2, 2, dtype=torch.bool)), ValueError,
     r"\(1, 2, 3\) and masks \(1, 2, 2\)"),
    (lambda: pointing_game(torch.full((1, 2, 2), torch.nan), torch.ones(1, 2, 2) > 0), ValueError,
     "maps holds values that are NaN"),
    (lambda: energy_inside(torch.full((1, 2, 2), torch.inf), torch.ones(1, 2, 2) > 0), ValueError,
     "maps holds values that are NaN or inf"),
    (lambda: iou(torch.full((1, 2, 2), torch.nan), torch.ones(1, 2, 2) > 0), TypeError,
     "predicted is of type torch.float32"),
    (lambda: pointing_game(torch.ones(0, 2, 2), torch.ones(0, 2, 2) > 0), ValueError,
     "must hold a map"),
    (lambda: iou(torch.ones(0, 2, 2) > 0, torch.ones(0, 2, 2) > 0), ValueError, "no side 0"),
    (lambda: pointing_game([[0.5]], torch.ones(1, 2, 2) > 0), TypeError, "maps is of type list"),
    (lambda: pointing_game(torch.ones(1, 2, 2), [[True]]), TypeError, "masks is of type list"),
    (lambda: centre_map(0, 5), ValueError, "height=0 is too small"),
    (lambda: centre_map(4, 5.0), TypeError, "width=5.0 is a float"),
])
def test_bad_input_gets_a_sentence(score, error, sentence):
    with pytest.raises(error, match=sentence):
        score()
