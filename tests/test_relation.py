"""The finder of relations: each is found where it holds, and nothing where nothing does."""

import pytest
import torch

from cs_vis.checks.distance import largest_error
from cs_vis.checks.fixtures import numbers
from cs_vis.checks.observe import Odd
from cs_vis.checks.relation import Pair, relation_of


def close(a, b):
    a, b = a.double(), b.double()
    return bool(a.isfinite().all()) and largest_error(a, b) < 1e-4


def pairs_by(change, wrap=lambda x: x, shapes=((5, 6, 7), (5, 4, 9))):
    pairs = []
    for seed, shape in enumerate(shapes):
        right = numbers(*shape, seed=60 + seed) + 0.01
        pairs.append(Pair(wrap(change(right)), right, {"X": 2 + numbers(*shape, seed=9)}, close))
    return pairs


@pytest.mark.parametrize("name, words, change", [
    ("sign", "times -1", lambda x: -x),
    ("times a constant", "half", lambda x: x / 2),
    ("times a constant", "N", lambda x: x * len(x)),
    ("times a constant", "1/N", lambda x: x / len(x)),
    ("times a constant", "255 times", lambda x: 255 * x),
    ("times a constant", "minus 2 times", lambda x: -2 * x),
    ("times a constant", "1.7 times", lambda x: 1.7 * x),
    ("times a constant", "number of pixels", lambda x: x / x[0].numel()),
    ("absolute value missing", "negative", lambda x: torch.where(x > 0.5, x, -x)),
    ("squared", "square", lambda x: x ** 2),
    ("root", "square root", lambda x: x.sqrt()),
    ("logarithm", "logarithm", lambda x: x.log()),
    ("one minus", "1 minus", lambda x: 1 - x),
    ("transposed", "transpose", lambda x: x.transpose(1, 2)),
    ("upside down", "upside", lambda x: x.flip(1)),
    ("mirrored", "mirrored", lambda x: x.flip(2)),
    ("turned", "half a circle", lambda x: x.flip(1, 2)),
    ("another number of axes", "shape", lambda x: x[:, None]),
    ("first image only", "first image", lambda x: x[:1]),
    ("first image only", "first image", lambda x: torch.cat([x[:1], 0 * x[1:] + 0.5])),
    ("images in another order", "opposite order", lambda x: x.flip(0)),
    ("shifted down", "down by one", lambda x: x.roll(1, 1)),
    ("shifted left", "left by one", lambda x: x.roll(-1, 2)),
    ("shifted diagonally", "down and to the right", lambda x: x.roll((1, 1), (1, 2))),
    ("right but for the border", "border", lambda x: torch.nn.functional.pad(
        x[:, 1:-1, 1:-1], (1, 1, 1, 1))),
    ("rescaled", "rescaled", lambda x: (x - 0.1) / x.amax(dim=(1, 2), keepdim=True)),
    ("rescaled", "order", lambda x: x ** 3 + x),
])
def test_a_relation_is_found(name, words, change):
    found, sentence = relation_of(pairs_by(change))
    assert found == name and words in sentence


def test_the_absolute_value_of_what_has_signs():
    pairs = [Pair(right.abs(), right, {}, close)
             for right in (numbers(5, 6, 7, seed=s) - 0.5 for s in (1, 2))]
    assert relation_of(pairs)[0] == "absolute value"


def test_an_input_given_back():
    pairs = [pair._replace(result=pair.inputs["X"]) for pair in pairs_by(lambda x: x)]
    assert relation_of(pairs)[0] == "input returned"


@pytest.mark.parametrize("kind, name", [("tuple", "tuple returned"), ("ndarray", "array returned"),
                                        ("torch.max", ".values forgotten")])
def test_what_is_right_in_another_wrapping(kind, name):
    assert relation_of(pairs_by(lambda x: x, lambda x: Odd(kind, (x,))))[0] == name
    assert relation_of(pairs_by(lambda x: 3 * x, lambda x: Odd(kind, (x,)))) is None


def test_a_mask_turned_round():
    pairs = [Pair(~right, right, {}, torch.equal)
             for right in (numbers(9, 9, seed=s) > 0.5 for s in (3, 4))]
    assert relation_of(pairs)[0] == "inverted"


@pytest.mark.parametrize("change", [
    lambda x: numbers(*x.shape, seed=77), lambda x: 0 * x, lambda x: x[:, :2],
    lambda x: x + numbers(*x.shape, seed=5), lambda x: x.flip(0).flip(1)])
def test_nothing_is_found_where_nothing_is(change):
    assert relation_of(pairs_by(change)) is None


def test_one_case_is_no_rule():
    assert relation_of(pairs_by(lambda x: -x)[:1]) is None
    mixed = [pairs_by(lambda x: -x)[0], pairs_by(lambda x: 2 * x)[1]]
    assert relation_of(mixed) is None
