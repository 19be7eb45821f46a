"""Outlines: arrays of points (n, 2), x to the right, y down, in units of the object's radius."""

from functools import lru_cache

import numpy as np


@lru_cache(maxsize=512)
def steps(start, stop, n):
    """n equal steps; shapes ask for the same ones again and again, so they are kept, read-only."""
    t = np.linspace(start, stop, n)
    t.flags.writeable = False
    return t


def ellipse(x, y, rx, ry=None, turn=0.0, start=0.0, stop=2 * np.pi, n=40):
    """An ellipse about (x, y), or its arc from `start` to `stop`; angles in radians, clockwise."""
    t = steps(start, stop, n)
    ry = rx if ry is None else ry
    dx, dy = rx * np.cos(t), ry * np.sin(t)
    c, s = np.cos(turn), np.sin(turn)
    outline = np.empty((n, 2))
    outline[:, 0], outline[:, 1] = x + c * dx - s * dy, y + s * dx + c * dy
    return outline


def star(x, y, points, outer, inner, turn=0.0):
    """A star with `points` rays."""
    t = turn - np.pi / 2 + np.arange(2 * points) * np.pi / points
    r = np.where(np.arange(2 * points) % 2 == 0, outer, inner)
    return np.stack([x + r * np.cos(t), y + r * np.sin(t)], axis=1)


def petal(x, y, length, width, turn):
    """A pointed leaf that starts at (x, y) and grows towards the angle `turn`."""
    t = np.linspace(0, 1, 14)
    side = width / 2 * np.sin(np.pi * t ** 0.8)
    along = np.concatenate([t, t[::-1]]) * length
    across = np.concatenate([side, -side[::-1]])
    c, s = np.cos(turn), np.sin(turn)
    return np.stack([x + c * along - s * across, y + s * along + c * across], axis=1)


def smooth(points, n=60):
    """A closed curve through `points` (Catmull-Rom)."""
    p = np.asarray(points, float)
    t = np.linspace(0, len(p), n, endpoint=False)
    i, u = t.astype(int), (t % 1)[:, None]
    a, b, c, d = (p[(i + k) % len(p)] for k in (-1, 0, 1, 2))
    return 0.5 * (2 * b + (c - a) * u + (2 * a - 5 * b + 4 * c - d) * u**2
                  + (3 * b - a - 3 * c + d) * u**3)


def ribbon(line, width):
    """A band of the given width (a number, or one per point) along an open line of points."""
    line = np.asarray(line, float)
    along = np.empty_like(line)  # np.gradient's differences, without its overhead
    along[1:-1] = (line[2:] - line[:-2]) / 2
    along[0], along[-1] = line[1] - line[0], line[-1] - line[-2]
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) * np.reshape(width, (-1, 1)) / 2
    return np.concatenate([line + across, (line - across)[::-1]])


def curve(*points, n=24):
    """An open Bezier curve with the given control points."""
    p = np.asarray(points, float)[:, None]
    t = steps(0, 1, n)[:, None]
    while len(p) > 1:
        p = p[:-1] * (1 - t) + p[1:] * t
    return p[0]


def box(left, top, right, bottom):
    """A rectangle with extra points along its sides, so that a warp can bend it."""
    t = np.linspace(0, 1, 8)[:, None]
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom], [left, top]])
    return np.concatenate([a + (b - a) * t for a, b in zip(corners[:-1], corners[1:])])


def hexagons(radius, reach):
    """Centres of a honeycomb of cells with the given radius, out to `reach` in every direction."""
    dx, dy = radius * np.sqrt(3), radius * 1.5
    rows = range(-int(reach / dy) - 1, int(reach / dy) + 2)
    columns = range(-int(reach / dx) - 1, int(reach / dx) + 2)
    return [(dx * (c + 0.5 * (r % 2)), dy * r) for r in rows for c in columns]
