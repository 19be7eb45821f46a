"""Animals: one function per kind, each a few strokes of the pen."""

import numpy as np

from .geometry import box, curve, ellipse, hexagons, petal, ribbon, smooth, star

BLACK, WHITE = (18, 16, 20), (245, 243, 238)


def eyeball(pen, x, y, r, iris=BLACK):
    """An eye as most animals here have it: white, iris, pupil, a glint."""
    pen.mark(ellipse(x, y, r), WHITE)
    pen.mark(ellipse(x, y, 0.66 * r), iris)
    pen.mark(ellipse(x, y, 0.4 * r), BLACK)
    pen.mark(ellipse(x - 0.25 * r, y - 0.25 * r, 0.18 * r), WHITE)


def ladybug(pen):
    pen.part("legs")
    for side in (-1, 1):
        for y in (-0.3, 0.1, 0.48):
            pen.fill(ribbon(curve((0, y), (side * 0.75, y - 0.1), (side * 0.97, y + 0.2)), 0.08),
                     BLACK)
    pen.part("head")
    pen.fill(ellipse(0, -0.68, 0.36, 0.28), BLACK)
    for side in (-1, 1):
        pen.fill(ribbon(curve((side * 0.1, -0.85), (side * 0.2, -1.0), (side * 0.42, -0.98)),
                        0.055), BLACK)
        pen.mark(ellipse(side * 0.2, -0.72, 0.1, 0.08), WHITE)
    pen.part("wings")
    shell = pen.tint(pen.rng.choice([0.99, 0.03, 0.1]), 0.92, 0.88)
    pen.fill(ellipse(0, 0.12, 0.72, 0.78), shell)
    pen.mark(box(-0.025, -0.7, 0.025, 0.95), BLACK)
    spots = [(0.3, -0.32), (0.42, 0.12), (0.24, 0.5), (0.52, 0.48), (0.12, 0.02)]
    for x, y in spots[: pen.rng.integers(3, 6)]:
        r = pen.rng.uniform(0.1, 0.15)
        pen.mark([ellipse(x, y, r), ellipse(-x, y, r)], BLACK)


def bee(pen):
    pen.part("wings")
    for side in (-1, 1):
        for turn, length in ((-0.5, 0.98), (0.15, 0.75)):
            angle = turn if side > 0 else np.pi - turn
            pen.fill(petal(side * 0.1, -0.15, length, 0.42, angle), pen.tint(0.58, 0.12, 0.9))
            veins = [ribbon(curve((side * 0.1, -0.15), (side * 0.1 + length * np.cos(angle + d),
                     -0.15 + length * np.sin(angle + d))), 0.02) for d in (-0.1, 0.0, 0.1)]
            pen.mark(veins, (120, 125, 140))
    pen.part("body")
    pen.fill(petal(0, 0.55, 0.42, 0.16, np.pi / 2), BLACK)
    pen.fill(ellipse(0, 0.25, 0.36, 0.58), pen.tint(0.13, 0.95, 0.95, 0.015))
    for y in (-0.15, 0.1, 0.35, 0.6):
        pen.mark(ribbon(curve((-0.5, y - 0.02), (0, y + 0.1), (0.5, y - 0.02)), 0.13), BLACK)
    pen.part("head")
    pen.fill(star(0, -0.42, 16, 0.34, 0.27), pen.tint(0.09, 0.7, 0.55))
    pen.fill(ellipse(0, -0.7, 0.27, 0.22), BLACK)
    for side in (-1, 1):
        pen.fill(ribbon(curve((side * 0.1, -0.85), (side * 0.15, -1.0), (side * 0.35, -1.0)),
                        0.05), BLACK)
        pen.mark(ellipse(side * 0.16, -0.72, 0.09, 0.12), WHITE)


def fish(pen):
    body, stripe = pen.any_color(), pen.any_color()
    fin = pen.any_color()
    pen.part("tail")
    pen.fill(smooth([(0.45, 0), (0.95, -0.5), (0.82, 0), (0.95, 0.5)]), fin)
    rays = [ribbon(curve((0.5, 0), (0.95, y)), 0.025) for y in np.linspace(-0.45, 0.45, 7)]
    pen.mark(rays, BLACK)
    pen.part("fins")
    pen.fill(smooth([(-0.3, -0.35), (-0.05, -0.75), (0.4, -0.65), (0.35, -0.25)]), fin)
    pen.fill(smooth([(-0.1, 0.35), (0.05, 0.7), (0.35, 0.6), (0.3, 0.25)]), fin)
    pen.mark([ribbon(curve((x, -0.2), (x + 0.15, -0.8)), 0.03)
              for x in np.linspace(-0.25, 0.3, 6)], BLACK)
    pen.part("body")
    pen.fill(smooth([(-0.98, 0.03), (-0.6, -0.38), (0, -0.5), (0.6, -0.12), (0.6, 0.12), (0, 0.48),
                     (-0.6, 0.36)]), body)
    for i, x in enumerate(np.arange(-0.42, 0.65, 0.14)):  # scales, row behind row
        for y in np.arange(-0.55, 0.6, 0.16) + 0.08 * (i % 2):
            pen.mark(ellipse(x, y, 0.11, 0.1), stripe if (i // 2) % 2 else body)
            pen.mark(ribbon(ellipse(x, y, 0.1, 0.09, start=-1.4, stop=1.4, n=9), 0.03), BLACK)
    pen.part("head")
    pen.fill(smooth([(-0.98, 0.03), (-0.6, -0.38), (-0.42, -0.3), (-0.36, 0), (-0.42, 0.3),
                     (-0.6, 0.36)]), fin)
    eyeball(pen, -0.64, -0.08, 0.14)
    pen.mark(ribbon(curve((-1.0, 0.12), (-0.8, 0.2), (-0.72, 0.14)), 0.04), BLACK)


def snail(pen):
    skin, shell = pen.tint(0.11, 0.45, 0.75), pen.any_color()
    pen.part("body")
    pen.fill(smooth([(-0.95, 0.5), (-0.9, 0.1), (-0.65, 0.1), (-0.5, 0.5), (0.5, 0.55),
                     (0.98, 0.8), (-0.6, 0.82)]), skin)
    for x in (-0.85, -0.65):
        pen.fill(ribbon(curve((x + 0.05, 0.2), (x, -0.1), (x - 0.08, -0.3)), 0.07), skin)
        pen.fill(ellipse(x - 0.08, -0.34, 0.08), skin)
        pen.mark(ellipse(x - 0.08, -0.34, 0.05), BLACK)
    pen.mark([ellipse(x, pen.rng.uniform(0.6, 0.78), 0.03) for x in np.linspace(-0.7, 0.8, 14)],
             (110, 85, 55))
    pen.part("shell")
    pen.fill(ellipse(0.15, 0.02, 0.68, 0.64), shell)
    t = np.linspace(0, 6 * np.pi, 90)
    spiral = np.stack([0.15 + 0.034 * t * np.cos(t), 0.02 + 0.033 * t * np.sin(t)], axis=1)
    pen.mark(ribbon(spiral, 0.012 + 0.005 * t), BLACK)
    spokes = [ribbon(curve((0.15 + 0.3 * np.cos(a), 0.02 + 0.3 * np.sin(a)),
                           (0.15 + 0.7 * np.cos(a + 0.2),
                            0.02 + 0.7 * np.sin(a + 0.2)), n=6), 0.035)
              for a in np.linspace(0, 2 * np.pi, 18)]
    pen.mark(spokes, pen.any_color(value=(0.3, 0.9)))
    pen.mark(ribbon(spiral[20:], 0.07), WHITE)
    pen.mark(ribbon(spiral, 0.035), BLACK)


def butterfly(pen):
    wing, spot, rim = pen.any_color(), pen.any_color(), pen.tint(0.7, 0.5, 0.12)
    pen.part("wings")
    for side in (-1, 1):
        upper = np.array([(0.05, -0.1), (0.35, -0.7), (0.85, -0.9), (0.98, -0.55), (0.75, -0.1),
                          (0.1, 0.05)])
        lower = np.array([(0.05, 0.0), (0.6, 0.05), (0.8, 0.4), (0.6, 0.85), (0.3, 0.75),
                          (0.08, 0.2)])
        for outline, x, y in ((upper, 0.62, -0.48), (lower, 0.48, 0.4)):
            outline = outline * [side, 1]
            middle = outline.mean(axis=0)
            pen.fill(smooth(outline), rim)
            pen.mark(smooth(middle + 0.8 * (outline - middle)), wing)
            pen.mark([ribbon(curve((0, 0), p), 0.03) for p in outline[1:-1]], rim)
            for r, c in ((0.19, rim), (0.15, spot), (0.09, WHITE), (0.06, BLACK)):
                pen.mark(ellipse(side * x, y, r), c)
        edge = smooth(upper * [side * 0.93, 0.93])
        pen.mark([ellipse(ex, ey, 0.035) for ex, ey in edge[18:44:4]], WHITE)
    pen.part("body")
    pen.fill(ellipse(0, 0.08, 0.08, 0.5), BLACK)
    pen.mark([box(-0.1, y, 0.1, y + 0.04) for y in np.arange(-0.2, 0.5, 0.12)], (150, 120, 80))
    pen.fill(ellipse(0, -0.45, 0.1), BLACK)
    for side in (-1, 1):
        pen.fill(ribbon(curve((0, -0.5), (side * 0.1, -0.85), (side * 0.28, -0.95)), 0.04), BLACK)


def starfish(pen):
    base = pen.tint(pen.rng.choice([0.03, 0.07, 0.93]), 0.8, 0.9)
    pen.part("arms")
    turns = np.arange(5) * 2 * np.pi / 5 - np.pi / 2
    outline = [(r * np.cos(t + d), r * np.sin(t + d)) for t in turns
               for r, d in ((0.92, -0.1), (1.0, 0), (0.92, 0.1), (0.42, 2 * np.pi / 10))]
    pen.fill(smooth(outline, 90), base)
    for t in turns:
        for side in (-0.16, 0, 0.16):
            beads = [ellipse(r * np.cos(t + side * (1 - r)), r * np.sin(t + side * (1 - r)),
                             0.052 - 0.02 * r)
                     for r in np.arange(0.12, 0.98, 0.11)]
            pen.mark(beads, pen.tint(0.12, 0.35, 1.0) if side == 0 else pen.tint(0.02, 0.9, 0.55))
    pen.part("centre")
    pen.fill(ellipse(0, 0, 0.2), pen.tint(0.1, 0.6, 0.95))
    pen.mark([ellipse(0.13 * np.cos(t), 0.13 * np.sin(t), 0.045) for t in turns],
             pen.tint(0.02, 0.9, 0.5))


def owl(pen):
    feather, light = pen.tint(0.08, 0.6, 0.5), pen.tint(0.1, 0.35, 0.85)
    pen.part("wings")
    for side in (-1, 1):
        pen.fill(smooth([(side * 0.4, -0.3), (side * 0.8, 0), (side * 0.85, 0.5),
                         (side * 0.5, 0.85)]), pen.tint(0.07, 0.7, 0.35))
        for y in np.arange(-0.1, 0.8, 0.16):
            pen.mark(ribbon(curve((side * 0.3, y), (side * 0.7, y + 0.12),
                                  (side * 0.95, y - 0.05)), 0.05), light)
    pen.part("body")
    pen.fill(ellipse(0, 0.32, 0.56, 0.64), light)
    for i, y in enumerate(np.arange(-0.1, 0.95, 0.15)):  # breast feathers
        for x in np.arange(-0.6, 0.65, 0.18) + 0.09 * (i % 2):
            pen.mark(smooth([(x - 0.07, y), (x + 0.07, y), (x, y + 0.13)], 12), feather)
    pen.part("head")
    pen.fill(smooth([(-0.55, -0.98), (-0.2, -0.78), (0.2, -0.78), (0.55, -0.98), (0.6, -0.4),
                     (0.3, -0.05), (-0.3, -0.05), (-0.6, -0.4)]), feather)
    iris = pen.tint(pen.rng.choice([0.12, 0.08, 0.17]), 0.95, 0.98)
    for side in (-1, 1):
        pen.mark(ellipse(side * 0.27, -0.45, 0.27), light)
        pen.mark([ribbon(curve((side * 0.27 + 0.2 * np.cos(a), -0.45 + 0.2 * np.sin(a)),
                  (side * 0.27 + 0.28 * np.cos(a), -0.45 + 0.28 * np.sin(a)), n=4), 0.03)
                  for a in np.linspace(0, 2 * np.pi, 14)], feather)
        pen.mark(ellipse(side * 0.27, -0.45, 0.19), iris)
        pen.mark(ellipse(side * 0.27, -0.45, 0.11), BLACK)
        pen.mark(ellipse(side * 0.27 - 0.05, -0.5, 0.04), WHITE)
    pen.mark(smooth([(-0.09, -0.35), (0.09, -0.35), (0, -0.1)], 14), pen.tint(0.1, 0.8, 0.9))
    pen.part("feet")
    for x in (-0.25, 0.25):
        for dx in (-0.1, 0, 0.1):
            pen.fill(ribbon(curve((x, 0.85), (x + dx, 1.0)), 0.07), pen.tint(0.1, 0.8, 0.9))


def turtle(pen):
    skin, shell = pen.tint(0.27, 0.55, 0.62), pen.tint(pen.rng.choice([0.08, 0.22, 0.3]), 0.7, 0.5)
    freckle = pen.tint(0.25, 0.7, 0.35)
    pen.part("legs")
    for x, y, turn in ((-0.52, -0.52, 0.7), (-0.52, 0.52, -0.7), (0.52, -0.48, -0.7),
                       (0.52, 0.48, 0.7)):
        pen.fill(ellipse(x, y, 0.36, 0.19, turn), skin)
        pen.mark([ellipse(*(np.array([x, y]) * k + d), 0.045) for k in (0.9, 1.1, 1.3)
                  for d in pen.rng.normal(0, 0.06, (2, 2))], freckle)
    pen.fill(petal(0.6, 0, 0.38, 0.16, 0), skin)
    pen.part("head")
    pen.fill(smooth([(-0.5, -0.15), (-0.85, -0.2), (-1.0, 0), (-0.85, 0.2), (-0.5, 0.15)]), skin)
    pen.mark([ellipse(-0.88, -0.11, 0.06), ellipse(-0.88, 0.11, 0.06)], WHITE)
    pen.mark([ellipse(-0.9, -0.11, 0.035), ellipse(-0.9, 0.11, 0.035)], BLACK)
    pen.part("shell")
    pen.fill(ellipse(0, 0, 0.7, 0.6), pen.tint(0.12, 0.55, 0.3))
    line = pen.tint(0.14, 0.45, 0.85)
    pen.mark(ellipse(0, 0, 0.66, 0.56), line)
    turns = np.arange(6) * np.pi / 3 + np.pi / 6
    for x, y in hexagons(0.21, 0.7):
        cell = np.stack([x + 0.19 * np.cos(turns), 0.9 * y + 0.17 * np.sin(turns)], axis=1)
        inner = np.stack([x + 0.09 * np.cos(turns), 0.9 * y + 0.08 * np.sin(turns)], axis=1)
        pen.mark(cell, shell)
        pen.mark(inner, pen.tint(0.1, 0.6, 0.3))
