"""Plants, fruit and mushrooms: one function per kind, each a few strokes of the pen."""

import numpy as np

from .animals import BLACK, WHITE
from .geometry import box, curve, ellipse, petal, ribbon, smooth


def sunflower(pen):
    pen.part("petals")
    count = pen.rng.integers(14, 20)
    turns = np.arange(count) * 2 * np.pi / count
    for ring, (length, value) in enumerate(((0.98, 0.85), (0.85, 1.0))):
        for t in turns + ring * np.pi / count:
            x, y = 0.2 * np.cos(t), 0.2 * np.sin(t)
            pen.fill(petal(x, y, length - 0.2, 0.3, t), pen.tint(0.125, 0.95, value, 0.012))
            pen.mark(ribbon(curve((x, y), (x + 0.6 * np.cos(t), y + 0.6 * np.sin(t))), 0.025),
                     (190, 110, 10))
    pen.part("heart")
    pen.fill(ellipse(0, 0, 0.44), pen.tint(0.07, 0.75, 0.25))
    k = np.arange(130)
    t, r = k * 2.39996, 0.038 * np.sqrt(k)  # the golden angle, as real sunflowers do
    seeds = [ellipse(x, y, 0.02, n=6) for x, y in zip(r * np.cos(t), r * np.sin(t))]
    pen.mark(seeds[:60], pen.tint(0.09, 0.8, 0.65))
    pen.mark(seeds[60:], pen.tint(0.12, 0.8, 0.85))


def mushroom(pen):
    pen.part("stem")
    stem = pen.tint(0.12, 0.15, 0.9)
    pen.fill(smooth([(-0.2, -0.1), (0.2, -0.1), (0.22, 0.4), (0.34, 0.9), (0, 0.98), (-0.34, 0.9),
                     (-0.22, 0.4)]), stem)
    pen.mark([ribbon(curve((x * 0.7, 0.1), (x, 0.95)), 0.025)
              for x in np.linspace(-0.28, 0.28, 7)], (150, 135, 110))
    pen.fill(smooth([(-0.24, 0.2), (0.24, 0.2), (0.42, 0.42), (0, 0.34), (-0.42, 0.42)]), stem)
    pen.part("cap")
    cap = pen.tint(pen.rng.choice([0.99, 0.02, 0.06]), 0.88, 0.85)
    pen.fill(smooth([(-0.97, 0.05), (-0.8, -0.5), (-0.35, -0.85), (0, -0.93), (0.35, -0.85),
                     (0.8, -0.5), (0.97, 0.05), (0.5, 0.16), (0, 0.2), (-0.5, 0.16)]), cap)
    gills = smooth([(-0.9, 0.03), (0, -0.06), (0.9, 0.03), (0.5, 0.2), (0, 0.24), (-0.5, 0.2)])
    pen.mark(gills, pen.tint(0.1, 0.3, 0.8))
    pen.mark([ribbon(curve((x * 0.5, 0.0), (x, 0.22)), 0.02) for x in np.linspace(-0.9, 0.9, 22)],
             (130, 95, 70))
    for x, y in ((-0.55, -0.25), (-0.1, -0.3), (0.4, -0.2), (-0.3, -0.62), (0.2, -0.65),
                 (0.68, -0.35), (-0.75, -0.05), (0.1, -0.1)):
        r = pen.rng.uniform(0.07, 0.14)
        pen.mark(ellipse(x, y, 1.15 * r, r), WHITE)


def strawberry(pen):
    pen.part("fruit")
    pen.fill(smooth([(-0.72, -0.5), (-0.3, -0.72), (0.3, -0.72), (0.72, -0.5), (0.72, 0),
                     (0.35, 0.65), (0, 0.97), (-0.35, 0.65), (-0.72, 0)]),
             pen.tint(0.985, 0.92, 0.88, 0.015))
    seed, pit = pen.tint(0.14, 0.6, 0.98), (130, 8, 20)
    spots = [(x + 0.1 * (i % 2), y) for i, y in enumerate(np.arange(-0.55, 0.95, 0.17))
             for x in np.arange(-0.8, 0.8, 0.2)]
    pen.mark([ellipse(x, y, 0.055, 0.075) for x, y in spots], pit)
    pen.mark([ellipse(x, y, 0.028, 0.05) for x, y in spots], seed)
    pen.part("leaves")
    leaf = pen.tint(0.32, 0.8, 0.55)
    for t in np.linspace(-0.25, np.pi + 0.25, 7):
        pen.fill(petal(0, -0.72, 0.55, 0.26, t), leaf)
        pen.mark(ribbon(curve((0, -0.72), (0.5 * np.cos(t), -0.72 + 0.5 * np.sin(t))), 0.03),
                 (150, 215, 120))
    pen.fill(ribbon(curve((0, -0.7), (0.05, -0.9), (0.2, -1.0)), 0.1), leaf)


def watermelon(pen):
    """A slice, rind down."""
    pen.part("rind")
    pen.fill(ellipse(0, -0.45, 1.0, 1.25, start=0, stop=np.pi), pen.tint(0.36, 0.85, 0.38))
    stripes = [ribbon(curve((0.8 * np.cos(t), -0.45 + 1.05 * np.sin(t)),
                            (1.05 * np.cos(t), -0.45 + 1.3 * np.sin(t)), n=5), 0.09)
               for t in np.linspace(0.05, np.pi - 0.05, 15)]
    pen.mark(stripes, pen.tint(0.28, 0.7, 0.75))
    pen.mark(ellipse(0, -0.45, 0.88, 1.08, start=0, stop=np.pi), pen.tint(0.2, 0.2, 0.95))
    pen.part("flesh")
    pen.fill(ellipse(0, -0.45, 0.8, 0.98, start=0, stop=np.pi), pen.tint(0.985, 0.78, 0.95, 0.015))
    for r, count in ((0.28, 3), (0.5, 5), (0.68, 7)):
        for t in np.linspace(0.35, np.pi - 0.35, count):
            x, y = r * np.cos(t), -0.45 + 1.2 * r * np.sin(t)
            pen.mark(ellipse(x, y, 0.035, 0.07, turn=t - np.pi / 2), BLACK)
            pen.mark(ellipse(x - 0.01, y - 0.02, 0.012, 0.02, n=8), WHITE)


def cactus(pen):
    green, spine = pen.tint(0.37, 0.65, 0.5), pen.tint(0.16, 0.3, 0.95)
    pen.part("arms")
    for side, y in ((-1, 0.05), (1, -0.15)):
        line = curve((side * 0.15, y), (side * 0.75, y + 0.15), (side * 0.68, y - 0.6))
        pen.fill(ribbon(line, 0.26), green)
        pen.fill(ellipse(*line[-1], 0.13), green)
        pen.mark([star_spine(x, z) for x, z in line[3::3]], spine)
    pen.part("trunk")
    pen.fill(smooth([(-0.26, 0.6), (-0.28, -0.5), (-0.2, -0.85), (0, -0.95), (0.2, -0.85),
                     (0.28, -0.5), (0.26, 0.6)]), green)
    pen.mark([ribbon(curve((x, -0.95), (x * 1.15, 0.6)), 0.035)
              for x in (-0.18, -0.06, 0.06, 0.18)], pen.tint(0.38, 0.8, 0.28))
    pen.mark([star_spine(x, y) for y in np.arange(-0.8, 0.6, 0.16) for x in (-0.13, 0.0, 0.13)],
             spine)
    pen.part("flower")
    pink = pen.tint(0.92, 0.7, 0.95)
    for t in np.linspace(-np.pi, 0, 6):
        pen.fill(petal(0, -0.9, 0.22, 0.13, t), pink)
    pen.part("pot")
    clay = pen.tint(0.04, 0.7, 0.72)
    pen.fill(smooth([(-0.42, 0.5), (0.42, 0.5), (0.36, 0.98), (-0.36, 0.98)], 40), clay)
    pen.fill(box(-0.5, 0.45, 0.5, 0.6), clay)
    zigzag = np.array([(x, 0.74 + 0.06 * (-1) ** i) for i,
                       x in enumerate(np.linspace(-0.5, 0.5, 11))])
    pen.mark(ribbon(zigzag, 0.05), WHITE)


def star_spine(x, y):
    """A tiny three-pointed spine."""
    t = np.arange(6) * np.pi / 3
    r = np.where(np.arange(6) % 2 == 0, 0.06, 0.012)
    return np.stack([x + r * np.cos(t), y + r * np.sin(t)], axis=1)


def pineapple(pen):
    pen.part("crown")
    for t, length in ((-2.6, 0.45), (-0.5, 0.45), (-2.25, 0.58), (-0.9, 0.58), (-1.9, 0.66),
                      (-1.25, 0.66), (-1.57, 0.7)):
        pen.fill(petal(0, -0.28, length, 0.2, t), pen.tint(0.33, 0.75, 0.5, 0.05))
        pen.mark(ribbon(curve((0, -0.28), (0.6 * length * np.cos(t), -0.28 + 0.6 * length
                                           * np.sin(t))), 0.03), (170, 215, 130))
    pen.part("fruit")
    pen.fill(ellipse(0, 0.36, 0.5, 0.63), pen.tint(0.08, 0.85, 0.5))
    gold, eye = pen.tint(0.115, 0.85, 0.92), pen.tint(0.07, 0.8, 0.5)
    cells = [(x + 0.09 * (i % 2), y) for i, y in enumerate(np.arange(-0.3, 1.05, 0.11))
             for x in np.arange(-0.63, 0.6, 0.18)]
    pen.mark([np.array([(x - 0.075, y), (x, y - 0.09), (x + 0.075, y), (x, y + 0.09)]) for x,
              y in cells], gold)
    pen.mark([ellipse(x, y, 0.024, n=8) for x, y in cells], eye)
