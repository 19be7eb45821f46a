"""Clutter that belongs to no class: lies behind a specimen, or hides a bit of it."""

import numpy as np

from .geometry import curve, ellipse, petal, ribbon, smooth


def leaf(pen):
    green = pen.tint(pen.rng.uniform(0.05, 0.4), 0.7, 0.5)
    pen.fill(petal(-0.9, 0, 1.8, 0.9, 0), green)
    veins = [ribbon(curve((x, 0), (x + 0.3, s * 0.5)), 0.04) for x in np.arange(-0.7, 0.7, 0.22)
             for s in (-1, 1)]
    pen.mark(veins + [ribbon(curve((-0.9, 0), (0.9, 0)), 0.05)], tuple(int(0.6 * c) for c in green))


def pebble(pen):
    gray = pen.tint(pen.rng.random(), 0.15, pen.rng.uniform(0.3, 0.8))
    t = np.arange(7) * 2 * np.pi / 7
    r = pen.rng.uniform(0.65, 1.0, 7)
    pen.fill(smooth(np.stack([r * np.cos(t), 0.75 * r * np.sin(t)], 1)), gray)
    pen.mark([ellipse(x, y, 0.06, n=8) for x, y in pen.rng.uniform(-0.9, 0.9, (14, 2))],
             tuple(int(0.7 * c) for c in gray))


def stick(pen):
    bark = pen.tint(0.08, 0.5, pen.rng.uniform(0.25, 0.6))
    pen.fill(ribbon(curve((-1, 0), (0, pen.rng.uniform(-0.4, 0.4)), (1, 0)), 0.16), bark)
    pen.mark([ribbon(curve((x, -0.15), (x + 0.12, 0.15)), 0.03)
              for x in np.arange(-0.9, 0.9, 0.2)], tuple(int(0.6 * c) for c in bark))


def shard(pen):
    glass = pen.any_color(saturation=(0.2, 0.8))
    t = np.sort(pen.rng.uniform(0, 2 * np.pi, 5))
    pen.fill(np.stack([np.cos(t), np.sin(t)], 1), glass)
    pen.mark(ribbon(curve((-0.9, -0.6), (0.9, 0.4)), 0.2),
             tuple(min(255, int(1.3 * c)) for c in glass))


def streamer(pen):
    x = np.linspace(-1, 1, 40)
    wave = 0.3 * np.sin(pen.rng.uniform(4, 9) * x + pen.rng.uniform(0, 6))
    pen.fill(ribbon(np.stack([x, wave], 1), 0.2), pen.any_color())


def bead(pen):
    paint = pen.any_color()
    pen.fill(ellipse(0, 0, 0.8), paint)
    pen.mark(ellipse(0, 0, 0.5), tuple(int(0.75 * c) for c in paint))
    pen.mark(ellipse(-0.3, -0.3, 0.15), (240, 240, 240))


DISTRACTORS = (leaf, pebble, stick, shard, streamer, bead)
