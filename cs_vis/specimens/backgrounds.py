"""What lies behind a specimen: 16 kinds of ground, each a function (rng, size) -> (size, size, 3).

All return float32 in [0, 1]. Noise and photographs are cut from sheets made once per process.
"""

import os
from functools import lru_cache

import cv2
import numpy as np
import skimage.data
from PIL import Image

# scikit-image's own samples. The photographs that notebooks show (images.HELD_OUT) are not here.
PHOTOGRAPHS = ("brick.png", "grass.png", "gravel.png", "camera.png", "cell.png", "coins.png",
               "hubble_deep_field.jpg", "ihc.png", "retina.jpg", "text.png")


@lru_cache
def noise_sheet(exponent, side=512):
    """Noise with an amplitude spectrum 1 / f^exponent, periodic, mean 0 and deviation 1."""
    rng = np.random.default_rng([int(100 * exponent), side])
    f = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    f[0, 0] = np.inf
    sheet = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(side, side))) / f**exponent)
    return ((sheet - sheet.mean()) / sheet.std()).astype(np.float32)


def noise(rng, size, exponent=1.0):
    """A random window of noise: cut, flipped, transposed."""
    sheet = noise_sheet(exponent)
    top, left = rng.integers(0, len(sheet) - size, 2)
    window = sheet[top:top + size, left:left + size][:: rng.choice([-1, 1]), :: rng.choice([-1, 1])]
    return window.T if rng.random() < 0.5 else window


def grid(size):
    """Coordinates y, x of the pixels, each (size, size), in [0, 1)."""
    return np.mgrid[:size, :size].astype(np.float32) / size


def turned(rng, size):
    """Coordinates u, v in a randomly turned frame."""
    y, x = grid(size)
    a = rng.uniform(0, 2 * np.pi)
    return x * np.cos(a) + y * np.sin(a), y * np.cos(a) - x * np.sin(a)


def color(rng, low=0.1, high=0.9):
    return rng.uniform(low, high, 3).astype(np.float32)


def blend(t, *colors):
    """Colours along a ramp: t (H, W) in [0, 1] -> (H, W, 3)."""
    t = np.clip(t, 0, 1) * (len(colors) - 1)
    ramp = np.stack(colors)
    i = np.minimum(t.astype(int), len(colors) - 2)
    u = (t - i)[..., None]
    return ramp[i] * (1 - u) + ramp[i + 1] * u


@lru_cache
def photograph(name):
    folder = os.path.dirname(skimage.data.__file__)
    with Image.open(os.path.join(folder, name)) as picture:
        picture.thumbnail((512, 512))
        return np.asarray(picture.convert("RGB"), np.float32) / 255


def any_photograph(rng):
    return PHOTOGRAPHS[rng.integers(len(PHOTOGRAPHS))]


def photo(rng, size, name=None):
    """A window of a photograph, any of them unless one is named."""
    picture = photograph(name or any_photograph(rng))
    side = rng.integers(min(160, min(picture.shape[:2])), min(picture.shape[:2]) + 1)
    top, left = (rng.integers(0, n - side + 1) for n in picture.shape[:2])
    crop = picture[top:top + side, left:left + side][:, :: rng.choice([-1, 1])]
    crop = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
    tint = color(rng, 0.5, 1.1) if rng.random() < 0.6 else 1.0
    return crop * tint


def gradient(rng, size):
    u, _ = turned(rng, size)
    return blend(u - u.min(), color(rng), color(rng), color(rng))


def clouds(rng, size):
    return blend(0.5 + 0.25 * noise(rng, size, 1.4), color(rng), color(rng), color(rng))


def sky(rng, size):
    y, _ = grid(size)
    blue = np.array([0.2, 0.45, 0.8], np.float32) + rng.normal(0, 0.08, 3).astype(np.float32)
    ground = blend(y, blue, np.array([0.8, 0.88, 0.95], np.float32))
    cover = np.clip(0.7 * noise(rng, size, 1.4) - 0.2, 0, 0.9)[..., None]
    return ground * (1 - cover) + cover


def marble(rng, size):
    u, _ = turned(rng, size)
    t = 0.5 + 0.5 * np.sin(rng.uniform(10, 30) * u + 3 * noise(rng, size, 1.4))
    return blend(t**0.6, color(rng), color(rng, 0.4, 0.95))


def wood(rng, size):
    u, v = turned(rng, size)
    t = (rng.uniform(4, 9) * (u + 0.03 * noise(rng, size, 1.4)) + 0.4 * v) % 1
    brown = np.array([0.55, 0.36, 0.2], np.float32) * rng.uniform(0.6, 1.5)
    return blend(t, brown, 0.7 * brown) * (1 + 0.06 * noise(rng, size, 0.5)[..., None])


def waves(rng, size):
    u, v = turned(rng, size)
    t = u * rng.uniform(8, 20) + np.sin(v * rng.uniform(5, 15)) + 0.5 * noise(rng, size, 1.4)
    return blend(0.5 + 0.5 * np.sin(t * np.pi), color(rng), color(rng))


def stripes(rng, size):
    u, _ = turned(rng, size)
    t = np.sin(u * rng.uniform(20, 60)) * 2 + 0.5
    return blend(t, color(rng), color(rng))


def plaid(rng, size):
    y, x = grid(size)
    weave = sum(np.where((a * rng.uniform(4, 9) + rng.random()) % 1 < rng.uniform(0.2, 0.6), w, 0.0)
                for a in (x, y) for w in rng.uniform(0.2, 0.5, 2))
    return blend(weave, color(rng), color(rng), color(rng))


def bricks(rng, size):
    y, x = grid(size)
    rows = rng.uniform(5, 10)
    row = np.floor(y * rows)
    along = x * rows / 2.2 + 0.5 * (row % 2)
    joint = (y * rows % 1 < 0.12) | (along % 1 < 0.07)
    tone = ((np.floor(along) * 12.99 + row * 78.23) * 43.76 % 1)[..., None]  # one tone per brick
    wall = color(rng, 0.2, 0.7) * (0.75 + 0.5 * tone) + 0.04 * noise(rng, size, 0.5)[..., None]
    return np.where(joint[..., None], color(rng, 0.4, 0.85), wall)


def stones(rng, size):
    """A Voronoi pavement."""
    n = rng.integers(15, 45)
    seeds = rng.uniform(-0.1, 1.1, (n, 2, 1, 1)).astype(np.float32)
    distance = np.sqrt(((grid(size)[None] - seeds) ** 2).sum(axis=1))  # (n, size, size)
    order = np.partition(distance, 1, axis=0)
    edge = np.clip((order[1] - order[0]) * 25, 0, 1)[..., None]
    tones = color(rng, 0.2, 0.7) + rng.normal(0, 0.1, (n, 3)).astype(np.float32)
    return tones[distance.argmin(axis=0)] * (0.25 + 0.75 * edge)


def hexagonal_tiles(rng, size):
    u, v = turned(rng, size)
    k = rng.uniform(25, 60)
    t = sum(np.cos(k * (u * np.cos(a) + v * np.sin(a))) for a in (0, 2 * np.pi / 3, 4 * np.pi / 3))
    return blend(0.5 + 0.6 * t, color(rng), color(rng))


def grass(rng, size):
    ground = np.ascontiguousarray(clouds(rng, size) * np.array([0.5, 0.8, 0.35], np.float32))
    green = np.array([0.35, 0.6, 0.2]) + rng.normal(0, 0.1, 3)
    for x, y, lean, tone in rng.uniform(0, 1, (180, 4)):
        root, tip = (x * size, y * size), ((x + 0.2 * (lean - 0.5)) * size, (y - 0.13) * size)
        blade = tuple(map(float, green * (0.4 + 0.9 * tone)))
        cv2.line(ground, *(tuple(int(16 * c) for c in p) for p in (root, tip)), blade, 1,
                 cv2.LINE_AA, 4)
    return ground


def bokeh(rng, size):
    ground = np.ascontiguousarray(gradient(rng, size) * 0.6)
    for x, y, r in rng.uniform(0, 1, (rng.integers(10, 25), 3)):
        layer = ground.copy()
        cv2.circle(layer, (int(x * size), int(y * size)), int((0.03 + 0.1 * r) * size),
                   tuple(map(float, color(rng, 0.3, 1.0))), -1, cv2.LINE_AA)
        ground = 0.5 * ground + 0.5 * layer
    return ground


def night(rng, size):
    ground = blend(0.5 + 0.2 * noise(rng, size, 1.4), color(rng, 0, 0.1), color(rng, 0.02, 0.3))
    y, x = rng.integers(0, size, (2, rng.integers(40, 160)))
    stars = np.zeros((size, size), np.float32)
    stars[y, x] = rng.uniform(0.3, 1.0, len(x))
    return ground + (stars + 2 * cv2.GaussianBlur(stars, (0, 0), 1))[..., None]


def foliage(rng, size):
    """Layers of leaf-shaped blotches: thresholded noise, dark to light."""
    ground = np.broadcast_to(color(rng, 0.05, 0.3), (size, size, 3))
    leaf = color(rng, 0.2, 0.7)
    for tone in (0.5, 0.8, 1.1):
        ground = np.where((noise(rng, size, 1.0) > 0.5)[..., None], tone * leaf, ground)
    return ground * (1 + 0.05 * noise(rng, size, 0.5)[..., None])


BACKGROUNDS = (photo, photo, photo, photo, gradient, clouds, sky, marble, wood, waves, stripes,
               plaid,
               bricks, stones, hexagonal_tiles, grass, bokeh, night, foliage)


def background(rng, size):
    """One of them, the name of its kind, and that of the photograph (None if it is none)."""
    ground = BACKGROUNDS[rng.integers(len(BACKGROUNDS))]
    if ground is not photo:
        return ground(rng, size), ground.__name__.replace("_", " "), None
    name = any_photograph(rng)
    return photo(rng, size, name), "photo", name.split(".")[0]
