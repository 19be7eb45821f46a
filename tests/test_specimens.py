"""The drawn world: same seed, same bytes; exact masks; parts; errors that tell what to do."""

import hashlib
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_vis import specimens
from cs_vis.specimens import geometry
from cs_vis.specimens.backgrounds import BACKGROUNDS, PHOTOGRAPHS
from cs_vis.specimens.distractors import DISTRACTORS
from cs_vis.specimens.kinds import KINDS
from cs_vis.specimens.pen import Pen

KINDS_AND_PARTS = [(kind, part) for kind in specimens.class_names
                   for part in specimens.part_names(kind)]


def digest(seed, n):
    images, labels, masks = specimens.batch(n, seed)
    return hashlib.sha256(images.numpy().tobytes() + labels.numpy().tobytes()
                          + masks.numpy().tobytes()).hexdigest()


def test_the_world_is_as_rich_as_promised():
    assert len(specimens.class_names) >= 20
    assert len(set(BACKGROUNDS)) >= 12
    assert len(set(DISTRACTORS)) >= 4


def test_same_seed_same_bytes_in_another_process():
    code = "from tests.test_specimens import digest; print(digest(11, 6))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == digest(11, 6)
    assert digest(11, 6) != digest(12, 6)


def test_a_specimen_does_not_depend_on_the_batch_it_is_in_nor_on_the_workers():
    few, many = specimens.batch(3, 5), specimens.batch(70, 5, workers=2)
    for a, b in zip(few, many):
        assert torch.equal(a, b[:3])


def test_drawing_leaves_the_random_state_of_everyone_else_alone():
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    specimens.draw(1)
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**40), kind=st.sampled_from([None, *specimens.class_names]))
def test_every_specimen_keeps_the_conventions(seed, kind):
    image, label, mask, parts = specimens.draw(seed, kind)
    assert image.shape == (1, 3, 128, 128) and image.dtype == torch.float32
    assert 0 <= image.min() and image.max() <= 1
    assert mask.shape == (128, 128) and mask.dtype == torch.bool and mask.any()
    assert kind is None or specimens.class_names[label] == kind
    assert set(parts) == set(specimens.part_names(specimens.class_names[label]))
    assert torch.equal(torch.stack(list(parts.values())).sum(dim=0), mask.long())  # a partition


def test_batches_hold_every_kind_about_equally_often():
    _, labels, masks = specimens.batch(480, 3)
    counts = torch.bincount(labels, minlength=len(specimens.class_names))
    assert counts.min() >= 6 and counts.max() <= 45  # 20 expected, standard deviation 4.4
    assert 0.1 < masks.float().mean() < 0.35


@pytest.mark.parametrize("kind, part", KINDS_AND_PARTS)
def test_without_a_part_only_that_part_changes(kind, part):
    whole, less = specimens.draw(4, kind), specimens.draw(4, kind, without=part)
    assert part not in less.parts
    change = (whole.image - less.image).abs().amax(dim=1)[0]  # (128, 128)
    assert change[whole.parts[part]].max() > 0.05 or not whole.parts[part].any()
    near = torch.nn.functional.max_pool2d(whole.parts[part][None].float(), 49, 1, 24)[0] > 0
    assert change[~near].max() <= 0.02  # the ground is the same beyond the reach of a shadow
    kept = [less.parts[name] & whole.parts[name] for name in less.parts]
    if kept:  # what stays visible of the other parts looks as it did, up to the blended outline
        inner = torch.stack(kept).any(dim=0)
        rim = torch.nn.functional.max_pool2d(whole.parts[part][None].float(), 5, 1, 2)[0] > 0
        assert (change[inner & ~rim] > 0.02).float().mean() < 0.02


def test_the_mask_is_exact_on_a_disc():
    pen = Pen(np.random.default_rng(0), lambda points: points * 60 + 128, 256)
    pen.part("disc")
    pen.fill(geometry.ellipse(0, 0, 1, n=400), (255, 0, 0))
    y, x = np.mgrid[:256, :256] - 128
    inside, edge = np.hypot(x, y) < 59, np.hypot(x, y) > 61.5
    assert (pen.label[inside] == 1).all() and (pen.label[edge] == 0).all()
    assert (pen.color[inside] == (255, 0, 0)).all()


def test_marks_stay_inside_their_part_and_cuts_go_through():
    pen = Pen(np.random.default_rng(0), lambda points: points * 60 + 128, 256)
    pen.part("disc")
    pen.fill(geometry.ellipse(0, 0, 1), (255, 0, 0))
    pen.mark(geometry.box(-2, -0.2, 2, 0.2), (0, 255, 0))
    painted = (pen.color == (0, 255, 0)).all(axis=2)
    assert painted.any() and (pen.label[painted] == 1).all()
    pen.cut(geometry.ellipse(0, 0, 0.5))
    assert pen.label[128, 128] == 0 and pen.label[128, 128 + 50] == 1
    pen.mark(geometry.box(5, 5, 6, 6), (0, 0, 255))  # wholly outside the frame: nothing happens
    assert not (pen.color == (0, 0, 255)).all(axis=2).any()


@pytest.mark.parametrize("ground", sorted(set(BACKGROUNDS), key=lambda ground: ground.__name__))
def test_backgrounds_are_pictures(ground):
    for seed in range(5):
        picture = ground(np.random.default_rng(seed), 128)
        assert picture.shape == (128, 128, 3) and np.isfinite(picture).all()
        assert picture.std() > 0.005 and -0.5 < picture.mean() < 1.5


def test_photographs_that_notebooks_show_are_kept_out_of_training():
    from cs_vis.images import HELD_OUT
    assert not {name.split(".")[0] for name in PHOTOGRAPHS} & set(HELD_OUT)


def test_the_gallery_holds_eight_of_each_kind():
    images, labels, masks, parts = specimens.gallery()
    assert torch.bincount(labels).tolist() == [8] * len(KINDS)
    assert images.shape == (len(labels), 3, 128, 128) and masks.shape == (len(labels), 128, 128)
    assert all(mask.any() for mask in masks)
    for label, mask, owned in zip(labels, masks, parts):
        assert tuple(owned) == specimens.part_names(specimens.class_names[label])
        assert torch.equal(torch.stack(list(owned.values())).sum(dim=0), mask.long())


@pytest.mark.parametrize("call, error, words", [
    (lambda: specimens.draw(-1), ValueError, "seed=-1 is negative; it must be 0 or more"),
    (lambda: specimens.draw(1.5), TypeError, "seed=1.5 is a float; it must be a whole number"),
    (lambda: specimens.draw(True), TypeError, "seed=True is a bool"),
    (lambda: specimens.draw(1, "dragon"), ValueError,
     "kind='dragon' is not a kind of specimen; choose one of ladybug"),
    (lambda: specimens.draw(1, "bee", without="tail"), ValueError,
     "without='tail' is not a part of 'bee'; its parts are wings"),
    (lambda: specimens.draw(1, ["bee"]), ValueError, "kind=['bee'] is not a kind of specimen"),
    (lambda: specimens.draw(1, "bee", without=3), TypeError, "without=3 is a int; it must be a part's"),
    (lambda: specimens.batch(0, 1), ValueError, "n=0 is too small; it must be 1 or more"),
    (lambda: specimens.batch("4", 1), TypeError, "n='4' is a str; it must be a whole number"),
    (lambda: specimens.batch(4, -2), ValueError, "seed=-2 is negative"),
    (lambda: specimens.batch(4, 1, workers=0), ValueError, "workers=0 is too small"),
    (lambda: specimens.part_names("unicorn"), ValueError, "kind='unicorn' is not a kind"),
])
def test_bad_input_is_refused_with_a_sentence(call, error, words):
    with pytest.raises(error, match=re.escape(words)):
        call()
