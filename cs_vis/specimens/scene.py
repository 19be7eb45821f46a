"""One picture: ground, clutter behind, the specimen with light on it, clutter before, a camera."""

import colorsys
import copy

import cv2
import numpy as np

from .backgrounds import background, noise
from .distractors import DISTRACTORS
from .kinds import KINDS
from .pen import Pen
from .pose import placed, random_pose

SIZE, FINE = 128, 256  # drawn at twice the size, then averaged
SCALES = (0.3, 0.95)   # the object's diameter over the frame's side


def drawn(rng, shape, place, without=()):
    """Colours (SIZE, SIZE, 3), coverage of each part (P, SIZE, SIZE), both in [0, 1]; names."""
    pen = Pen(rng, place, FINE, without)
    shape(pen)
    parts = np.stack([cv2.resize((pen.label == i + 1).astype(np.float32), (SIZE, SIZE),
                                 interpolation=cv2.INTER_AREA) for i in range(len(pen.names))])
    painted = cv2.resize(pen.color.astype(np.float32) / 255, (SIZE, SIZE),
                         interpolation=cv2.INTER_AREA)
    return painted / np.maximum(parts.sum(axis=0), 1e-3)[..., None], parts, pen.names


def lit(rng, paint, cover, scale):
    """Light and albedo: the outline is puffed up into a pillow, lit from one side, and stained."""
    puff = cv2.GaussianBlur(cover, (0, 0), 3 + 9 * scale)
    down, right = np.gradient(puff)
    angle = rng.uniform(0, 2 * np.pi)
    slope = (down * np.sin(angle) + right * np.cos(angle)) * (6 + 25
                                                              * scale) * rng.uniform(0.3, 1.0)
    stain = 1 + rng.uniform(0.02, 0.07) * noise(rng, SIZE, 0.8)
    return np.clip(paint * (np.clip(1 + slope, 0.45, 1.5) * stain)[..., None], 0, 1.2)


def shadow(rng, cover, scale):
    """How much light reaches the ground (SIZE, SIZE) beside an object."""
    dx, dy = rng.uniform(-6, 6, 2) * (0.4 + scale)
    move = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    soft = cv2.GaussianBlur(cv2.warpAffine(cover, move, (SIZE, SIZE)), (0, 0), 3)
    return 1 - rng.uniform(0.2, 0.6) * soft


def lay(ground, paint, cover):
    """Lay something over the ground."""
    return ground * (1 - cover[..., None]) + paint * cover[..., None]


def clutter(rng, scale):
    """One distractor, ready to be laid: colours and coverage."""
    shape = DISTRACTORS[rng.integers(len(DISTRACTORS))]

    def stroke(pen):
        pen.part("clutter")
        shape(pen)

    place = placed(random_pose(rng, scale, np.pi), FINE)
    paint, (cover,), _ = drawn(rng, stroke, place)
    return lit(rng, paint, cover, scale), cover


def camera(rng, picture):
    """Exposure, cast, a gradient of light, blur and grain."""
    y, x = np.mgrid[-1:1:SIZE * 1j, -1:1:SIZE * 1j].astype(np.float32)
    fall = 1 + rng.normal(0, 0.12) * x + rng.normal(0, 0.12) * y
    contrast, cast = rng.uniform(0.8, 1.15), rng.normal(1, 0.05, 3).astype(np.float32)
    picture = ((picture - 0.5) * contrast + 0.5 + rng.normal(0, 0.05)) * fall[..., None] * cast
    if rng.random() < 0.25:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 0.9))
    picture = picture + rng.normal(0, rng.uniform(0.0, 0.025), picture.shape).astype(np.float32)
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def behind(rng):
    """The ground with clutter on it (SIZE, SIZE, 3), and the facts about it."""
    ground, kind, photograph = background(rng, SIZE)
    ground = ground.astype(np.float32)
    count = int(rng.integers(1, 5)) if rng.random() < 0.6 else 0
    for _ in range(count):
        paint, cover = clutter(rng, rng.uniform(0.1, 0.35))
        ground = lay(ground * shadow(rng, cover, 0.2)[..., None], paint, cover)
    return ground, {"background": kind, "photograph": photograph, "distractors": count}


def before(rng, picture, whole, scale):
    """The picture with clutter on it, where that lies (SIZE, SIZE), and how many things it is."""
    hidden, count = np.zeros_like(whole), 0
    for _ in range(rng.integers(1, 3) if rng.random() < 0.35 else 0):
        paint, over = clutter(rng, rng.uniform(0.3, 0.6) * scale)
        both = np.maximum(hidden, over)
        if (whole * both).sum() < 0.25 * whole.sum():  # At least three quarters stay in sight.
            picture, hidden, count = lay(picture, paint, over), both, count + 1
    return picture, hidden, count


def compose(rng, kind, without=(), pose=None):
    """A picture (SIZE, SIZE, 3) uint8, each part as {name: (SIZE, SIZE) bool}, and the Facts.

    A pixel belongs to the part that covers most of it, if the object covers at least half of it.
    """
    ground, facts = behind(rng)
    scale = rng.uniform(*SCALES)
    shape, spin = KINDS[kind]
    first = random_pose(rng, scale, spin)
    pose = first | (pose or {})
    strokes, rest = rng.spawn(2)

    def stroke(pose, without=()):
        return drawn(copy.deepcopy(strokes), shape, placed(pose, FINE), without)

    paint, parts, names = stroke(pose, without)
    cover = parts.sum(axis=0)
    # Light follows the whole object: what is left of it looks as it did.
    whole = stroke(pose)[1].sum(axis=0) if without else cover
    ground = ground * shadow(rest, cover, pose["size"])[..., None]
    picture = lay(ground, lit(rest, paint, whole, pose["size"]), cover)
    # Clutter follows the whole object as it first lay: it stays when the object is moved.
    still = stroke(first)[1].sum(axis=0) if pose != first else whole
    picture, over, count = before(rest, picture, still, scale)

    seen = parts * (1 - over)
    mask = seen.sum(axis=0) >= 0.5
    owner = seen.argmax(axis=0)
    facts = paint_facts(paint, mask) | {"pose": pose, "size": pose["size"]} | facts | {
        "occluders": count, "hidden": float((whole * over).sum() / (whole.sum() or 1))}
    return camera(rest, picture), {name: mask & (owner == i) for i, name in enumerate(names)}, facts


def paint_facts(paint, mask):
    """The mean colour of the paint (SIZE, SIZE, 3) over the mask, and its hue."""
    if not mask.any():
        return {"color": None, "hue": None}
    color = cv2.mean(paint, mask.astype(np.uint8))[:3]
    return {"color": color, "hue": colorsys.rgb_to_hsv(*color)[0]}
