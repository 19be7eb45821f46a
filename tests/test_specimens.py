"""The drawn world: same seed, same bytes; exact masks; parts; facts; poses; errors that help."""

import hashlib
import json
import math
import re
import subprocess
import sys

import cv2
import numpy as np
import PIL
import pytest
import skimage
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cs_vis import specimens
from cs_vis.specimens import backgrounds, geometry, scene
from cs_vis.specimens.backgrounds import BACKGROUNDS, PHOTOGRAPHS
from cs_vis.specimens.distractors import DISTRACTORS
from cs_vis.specimens.kinds import KINDS
from cs_vis.specimens.pen import Pen
from cs_vis.specimens.pose import LIMITS, PAIRS

KINDS_AND_PARTS = [(kind, part) for kind in specimens.class_names
                   for part in specimens.part_names(kind)]
# Bytes depend on these, and on OpenCV's AVX2 code: its other code rounds a few pixels otherwise.
VERSIONS = {"numpy": "2.4.6", "cv2": "5.0.0", "skimage": "0.26.0", "PIL": "13.0.0"}
HERE = {module.__name__: module.__version__ for module in (np, cv2, skimage, PIL)}
AVX2 = 11  # OpenCV's number for it, which its Python module does not name
same_versions = pytest.mark.skipif(
    HERE != VERSIONS or not cv2.checkHardwareSupport(AVX2),
    reason=f"bytes are compared on a processor with AVX2 under {VERSIONS}; here is {HERE}")


@pytest.fixture(scope="module")
def gallery():
    return specimens.gallery()


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


@same_versions
def test_sixty_specimens_keep_their_bytes():
    """The digest was taken before draw knew facts and poses."""
    sheet = hashlib.blake2b(digest_size=16)
    for column in specimens.batch(36, 20):
        sheet.update(column.numpy().tobytes())
    for i, kind in enumerate(specimens.class_names):
        one = specimens.draw(50 + i, kind)
        sheet.update(one.image.numpy().tobytes() + one.mask.numpy().tobytes())
        for name, part in one.parts.items():
            sheet.update(name.encode() + part.numpy().tobytes())
    assert sheet.hexdigest() == "022762b8b76a6b8832e9bbc9a678d9e0"


@same_versions
@pytest.mark.parametrize("label, kind", list(enumerate(specimens.class_names)))
def test_the_gallery_is_what_draw_draws(label, kind, gallery):
    for i in range(8):
        one, k = specimens.draw(1000 * label + i, kind), 8 * label + i
        assert torch.equal(one.image[0], gallery.images[k])
        assert torch.equal(one.mask, gallery.masks[k])
        assert all(torch.equal(part, gallery.parts[k][name]) for name, part in one.parts.items())


def test_drawing_leaves_the_random_state_of_everyone_else_alone():
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    specimens.draw(1)
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**40), kind=st.sampled_from([None, *specimens.class_names]))
def test_every_specimen_keeps_the_conventions(seed, kind):
    image, label, mask, parts, facts = specimens.draw(seed, kind)
    assert image.shape == (1, 3, 128, 128) and image.dtype == torch.float32
    assert 0 <= image.min() and image.max() <= 1
    assert mask.shape == (128, 128) and mask.dtype == torch.bool and mask.any()
    assert kind is None or specimens.class_names[label] == kind
    assert set(parts) == set(specimens.part_names(specimens.class_names[label]))
    assert torch.equal(torch.stack(list(parts.values())).sum(dim=0), mask.long())  # a partition
    assert_plain(facts)
    assert 0.3 <= facts["size"] <= 0.95 and facts["hidden"] < 0.25


def test_batches_hold_every_kind_about_equally_often():
    _, labels, masks = specimens.batch(480, 3)
    counts = torch.bincount(labels, minlength=len(specimens.class_names))
    assert counts.min() >= 6 and counts.max() <= 45  # 20 expected, standard deviation 4.4
    assert 0.1 < masks.float().mean() < 0.35


def test_a_batch_holds_parts_and_facts_where_they_are_wanted():
    plain = specimens.batch(70, 5, workers=2)
    images, labels, masks, parts, facts = specimens.batch(70, 5, workers=2, parts=True, facts=True)
    assert len(plain) == 3 and len(parts) == len(facts) == 70
    for a, b in zip(plain, (images, labels, masks)):
        assert torch.equal(a, b)
    for i in (0, 1, 63, 64, 69):
        one = specimens.draw(5 + (i << 32))  # NumPy seeds with this number as with [5, i]
        assert one.facts == facts[i] and one.label == labels[i]
        assert torch.equal(one.image[0], images[i]) and list(one.parts) == list(parts[i])
        assert all(torch.equal(part, parts[i][name]) for name, part in one.parts.items())
    assert specimens.batch(2, 5, facts=True)[3] == facts[:2]
    assert list(specimens.batch(2, 5, parts=True)[3][1]) == list(parts[1])


# ---- facts, each against a measurement that does not go through them

def assert_plain(facts):
    """The promised keys, in types that survive JSON, within the promised ranges."""
    assert list(facts) == list(specimens.Facts.__annotations__)
    assert list(facts["pose"]) == list(specimens.Pose.__annotations__)
    again = json.loads(json.dumps(facts, allow_nan=False), object_hook=tuples)
    assert again == facts and kinds_of(again) == kinds_of(facts)
    if facts["color"] is not None:
        assert all(0 <= c <= 1 for c in facts["color"]) and 0 <= facts["hue"] < 1
    assert facts["size"] == facts["pose"]["size"] and 0 <= facts["hidden"] <= 1
    assert 0 <= facts["distractors"] <= 4 and 0 <= facts["occluders"] <= 2
    assert (facts["background"] == "photo") == (facts["photograph"] is not None)


def tuples(table):
    return {key: tuple(v) if isinstance(v, list) else v for key, v in table.items()}


def kinds_of(value):
    if isinstance(value, dict):
        return {key: kinds_of(v) for key, v in value.items()}
    return [kinds_of(v) for v in value] if isinstance(value, tuple) else type(value)


def alone(one):
    """Nothing lies before the object, and all of it is in the frame."""
    mask = one.mask
    rim = torch.cat([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return one.facts["occluders"] == 0 and not rim.any()


def middle(mask):
    """The centre of gravity (x, y), in pixels."""
    y, x = mask.nonzero().double().mean(dim=0).tolist()
    return x, y


@pytest.mark.parametrize("kind, radius", [("zebra ball", 0.97), ("clock", 0.98), ("donut", 0.91)])
def test_centre_and_size_are_where_and_how_big_a_disc_is(kind, radius):
    discs = [one for one in (specimens.draw(seed, kind) for seed in range(30)) if alone(one)]
    assert len(discs) >= 8
    for one in discs:
        measured = 2 * math.sqrt(one.mask.sum().item() / math.pi) / 128
        assert measured == pytest.approx(radius * one.facts["size"], rel=0.02)
        x, y = one.facts["pose"]["centre"]
        assert middle(one.mask) == pytest.approx((128 * x, 128 * y), abs=2)


@pytest.mark.parametrize("kind", specimens.class_names)
def test_centre_and_size_say_where_the_mask_is(kind):
    shown = [one for one in (specimens.draw(seed, kind) for seed in range(20)) if alone(one)]
    assert shown
    for one in shown:
        size, centre = one.facts["size"], one.facts["pose"]["centre"]
        assert math.dist(middle(one.mask), [128 * c for c in centre]) < 0.4 * 64 * size
        y, x = one.mask.nonzero().T
        extent = max(np.ptp(x.numpy()), np.ptp(y.numpy())) / 128
        assert 0.7 * size < extent < 1.45 * size  # corners turned outwards reach beyond


@settings(max_examples=30, deadline=None)
@given(angle=st.floats(-4, 4), flip=st.booleans())
def test_angle_and_flip_say_which_way_a_fish_looks(angle, flip):
    pose = {"angle": angle, "flip": flip, "size": 0.7, "centre": (0.5, 0.5), "shear": 0,
            "bend": (0, 0)}
    one = specimens.draw(0, "fish", pose=pose)
    assert one.facts["occluders"] == 0
    (hx, hy), (tx, ty) = middle(one.parts["head"]), middle(one.parts["tail"])
    turn = math.atan2(hy - ty, hx - tx) - (0 if flip else math.pi)  # it looks to the left, upright
    assert abs(math.remainder(turn - angle, 2 * math.pi)) < 0.06


@pytest.mark.parametrize("paint", [(255, 0, 0), (51, 102, 204), (128, 128, 128), (255, 255, 255)])
def test_color_is_the_paint(monkeypatch, paint):
    def disc(pen):
        pen.part("disc")
        pen.fill(geometry.ellipse(0, 0, 0.9), paint)

    monkeypatch.setitem(KINDS, "die", (disc, 1.0))
    for seed in range(4):
        facts = specimens.draw(seed, "die").facts
        assert facts["color"] == pytest.approx([c / 255 for c in paint], abs=1e-5)
    assert_plain(facts)
    if paint == (51, 102, 204):
        assert facts["hue"] == pytest.approx(11 / 18, abs=1e-4)


def test_color_is_the_picture_without_light_and_camera(monkeypatch):
    monkeypatch.setattr(scene, "lit", lambda rng, paint, cover, scale: paint)
    monkeypatch.setattr(scene, "camera", lambda rng, picture: np.uint8(255 * picture.clip(0, 1)))
    for seed in range(40):
        one = specimens.draw(seed)
        if one.facts["occluders"] == 0:  # the rim is half ground
            measured = one.image[0][:, one.mask].mean(dim=1).tolist()
            assert one.facts["color"] == pytest.approx(measured, abs=0.05)


def test_color_can_be_seen_in_the_pictures():
    images, _, masks, facts = specimens.batch(120, 8, facts=True)
    seen = [image[:, mask].mean(dim=1).tolist() for image, mask in zip(images, masks)]
    told = [fact["color"] for fact in facts]
    for i in range(3):
        assert np.corrcoef([c[i] for c in seen], [c[i] for c in told])[0, 1] > 0.9


def test_hidden_is_what_the_mask_loses(monkeypatch):
    seeds = [seed for seed in range(60) if specimens.draw(seed).facts["hidden"] > 0.03]
    with_clutter = [specimens.draw(seed) for seed in seeds]
    for seed, one in zip(seeds, with_clutter):  # a share of all of it, whatever is left out
        less = specimens.draw(seed, without=list(one.parts)[0])
        assert less.facts["hidden"] == one.facts["hidden"]
    monkeypatch.setattr(scene, "before", lambda rng, picture, whole, scale:
                        (picture, np.zeros_like(whole), 0))
    assert len(seeds) >= 5
    for seed, one in zip(seeds, with_clutter):
        whole = specimens.draw(seed)
        assert one.facts["occluders"] >= 1 and whole.facts["hidden"] == 0
        lost = 1 - one.mask.sum().item() / whole.mask.sum().item()
        assert one.facts["hidden"] == pytest.approx(lost, abs=0.02)


def test_clutter_is_counted(monkeypatch):
    draw_clutter, asked = scene.clutter, []

    def counted(rng, scale):
        asked.append(scale)
        return draw_clutter(rng, scale)

    monkeypatch.setattr(scene, "clutter", counted)
    counts = set()
    for seed in range(60):
        asked.clear()
        facts = specimens.draw(seed).facts
        assert facts["distractors"] <= len(asked) <= facts["distractors"] + 2
        if facts["occluders"] == 2:  # neither of the two was turned down
            assert len(asked) == facts["distractors"] + 2
        counts.add((facts["distractors"], facts["occluders"]))
    assert {d for d, _ in counts} == {0, 1, 2, 3, 4} and {o for _, o in counts} == {0, 1, 2}


@pytest.mark.parametrize("ground", sorted(set(BACKGROUNDS), key=lambda ground: ground.__name__))
def test_the_background_and_its_photograph_are_named(monkeypatch, ground):
    opened, photograph = [], backgrounds.photograph
    monkeypatch.setattr(backgrounds, "BACKGROUNDS", (ground,))
    monkeypatch.setattr(backgrounds, "photograph",
                        lambda name: opened.append(name) or photograph(name))
    for seed in range(8):
        facts = specimens.draw(seed).facts
        assert facts["background"] == ground.__name__.replace("_", " ")
        assert facts["photograph"] == (opened.pop().split(".")[0] if opened else None)


# ---- poses

def poses():
    """Any pose that draw takes, with any of its keys."""
    def values(key):
        low, high = LIMITS[key]
        return st.tuples(*[st.floats(low, high)] * 2) if key in PAIRS else st.floats(low, high)

    return st.fixed_dictionaries({}, optional={"flip": st.booleans()}
                                 | {key: values(key) for key in LIMITS})


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**20), kind=st.sampled_from(specimens.class_names), pose=poses())
def test_any_pose_keeps_the_conventions_and_all_other_facts(seed, kind, pose):
    first, moved = specimens.draw(seed, kind), specimens.draw(seed, kind, pose=pose)
    assert moved.image.shape == (1, 3, 128, 128) and moved.image.isfinite().all()
    assert torch.equal(torch.stack(list(moved.parts.values())).sum(dim=0), moved.mask.long())
    assert_plain(moved.facts)
    assert moved.facts["pose"] == first.facts["pose"] | pose
    for key in ("background", "photograph", "distractors", "occluders"):
        assert moved.facts[key] == first.facts[key]
    assert (moved.facts["color"] is None) == (not moved.mask.any())


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**40), kind=st.sampled_from(specimens.class_names))
def test_the_pose_as_it_was_drawn_gives_the_same_bytes(seed, kind):
    first = specimens.draw(seed, kind)
    pose = json.loads(json.dumps(first.facts["pose"]))  # lists instead of tuples are fine
    for given_pose in (pose, {"angle": pose["angle"]}, {"centre": pose["centre"]}, {}):
        again = specimens.draw(seed, kind, pose=given_pose)
        assert torch.equal(first.image, again.image) and first.facts == again.facts
        assert all(torch.equal(part, again.parts[name]) for name, part in first.parts.items())


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**20), kind=st.sampled_from(specimens.class_names),
       angle=st.floats(-4, 4), centre=st.tuples(st.floats(0.1, 0.9), st.floats(0.1, 0.9)))
def test_nothing_changes_out_of_the_reach_of_both_poses(seed, kind, angle, centre):
    first = specimens.draw(seed, kind, pose={"size": 0.3})
    moved = specimens.draw(seed, kind, pose={"size": 0.3, "angle": angle, "centre": centre})
    assume(first.facts["occluders"] == 0)
    both = (first.mask | moved.mask)[None].float()
    near = torch.nn.functional.max_pool2d(both, 57, 1, 28)[0] > 0  # shadow, blur of the camera
    assert torch.equal(first.image[0][:, ~near], moved.image[0][:, ~near])


def test_what_lies_in_front_stays_when_the_object_moves(monkeypatch):
    draw_before, over = scene.before, []

    def kept(*args):
        picture, hidden, count = draw_before(*args)
        over.append(hidden)
        return picture, hidden, count

    monkeypatch.setattr(scene, "before", kept)
    tried = 0
    for seed in range(60):
        over.clear()
        first = specimens.draw(seed)
        if first.facts["hidden"] > 0.05:
            x, y = first.facts["pose"]["centre"]
            moved = specimens.draw(seed, pose={"centre": (1 - x, 1 - y), "angle": 1.0})
            assert np.array_equal(*over) and moved.facts["occluders"] == first.facts["occluders"]
            inside = torch.from_numpy(cv2.erode(over[0], np.ones((11, 11))) == 1)
            assert torch.equal(first.image[0][:, inside], moved.image[0][:, inside])
            tried += inside.any().item()
    assert tried >= 3


def test_the_pose_of_one_specimen_fits_another():
    ball, disc = specimens.draw(0, "zebra ball"), specimens.draw(1, "zebra ball")
    moved = specimens.draw(0, "zebra ball", pose=disc.facts["pose"])
    assert moved.facts["pose"] == disc.facts["pose"] != ball.facts["pose"]
    assert moved.facts["occluders"] == disc.facts["occluders"] == 0
    assert torch.equal(moved.mask, disc.mask) and not torch.equal(moved.mask, ball.mask)
    assert moved.facts["background"] == ball.facts["background"] != disc.facts["background"]


def test_a_moved_specimen_can_lack_a_part():
    pose = {"angle": 1.0, "centre": (0.5, 0.5), "size": 0.6}
    whole, less = (specimens.draw(4, "bee", without=part, pose=pose) for part in ((), "wings"))
    assert list(less.parts) == ["body", "head"] and less.facts["pose"] == whole.facts["pose"]
    assert not (whole.parts["head"] & ~less.parts["head"]).any()
    nothing = specimens.draw(4, "bee", without=("wings", "body", "head"), pose=pose)
    assert not nothing.mask.any() and nothing.facts["color"] is None
    assert_plain(nothing.facts)


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
    (lambda: specimens.draw(1, "bee", without=3), TypeError,
     "without=3 is a int; it must be a part's"),
    (lambda: specimens.draw(1, pose=0.5), TypeError,
     "pose=0.5 is a float; it must be a dict of what is to change, for example pose={'angle'"),
    (lambda: specimens.draw(1, pose={"scale": 1}), ValueError,
     "pose['scale'] is nothing that a pose has; choose among flip, angle, size, centre"),
    (lambda: specimens.draw(1, pose={"angle": "up"}), TypeError,
     "pose['angle']='up' is a str; it must be a number from -100 to 100"),
    (lambda: specimens.draw(1, pose={"size": True}), TypeError, "pose['size']=True is a bool"),
    (lambda: specimens.draw(1, pose={"size": 3}), ValueError,
     "pose['size']=3 is out of range; it must lie from 0.1 to 2, for example 2"),
    (lambda: specimens.draw(1, pose={"angle": float("nan")}), ValueError,
     "pose['angle']=nan is out of range; it must lie from -100 to 100, for example -100"),
    (lambda: specimens.draw(1, pose={"centre": (0.5, 64)}), ValueError,
     "pose['centre'][1]=64 is out of range; it must lie from 0 to 1, for example 1"),
    (lambda: specimens.draw(1, pose={"centre": 0.5}), TypeError,
     "pose['centre']=0.5 is no pair; it must be a tuple (x, y) of numbers from 0 to 1"),
    (lambda: specimens.draw(1, pose={"bend": (0, 0, 0)}), TypeError,
     "pose['bend']=(0, 0, 0) is no"),
    (lambda: specimens.draw(1, pose={"flip": 1}), TypeError,
     "pose['flip']=1 is a int; it must be True (mirrored) or False"),
    (lambda: specimens.batch(0, 1), ValueError, "n=0 is too small; it must be 1 or more"),
    (lambda: specimens.batch("4", 1), TypeError, "n='4' is a str; it must be a whole number"),
    (lambda: specimens.batch(4, -2), ValueError, "seed=-2 is negative"),
    (lambda: specimens.batch(4, 1, workers=0), ValueError, "workers=0 is too small"),
    (lambda: specimens.part_names("unicorn"), ValueError, "kind='unicorn' is not a kind"),
])
def test_bad_input_is_refused_with_a_sentence(call, error, words):
    with pytest.raises(error, match=re.escape(words)):
        call()
