"""Made things: one function per kind, each a few strokes of the pen."""

import numpy as np

from .animals import BLACK, WHITE
from .geometry import box, curve, ellipse, ribbon, smooth


def traffic_cone(pen):
    orange = pen.tint(0.05, 0.95, 0.97, 0.012)
    pen.part("base")
    pen.fill(smooth([(-0.85, 0.7), (0.85, 0.7), (0.97, 0.95), (-0.97, 0.95)], 40), orange)
    pen.mark(box(-1, 0.86, 1, 0.9), (150, 60, 10))
    pen.part("cone")
    pen.fill(np.array([(-0.1, -0.95), (0.1, -0.95), (0.6, 0.75), (-0.6, 0.75)]), orange)
    for y, height in ((-0.6, 0.24), (0.02, 0.26)):
        pen.mark(ribbon(curve((-0.7, y), (0, y + 0.14), (0.7, y)), height), WHITE)
        dots = [ellipse(x, y + 0.09 + dy, 0.025, n=6) for x in np.arange(-0.5, 0.55, 0.09)
                for dy in (-0.06, 0.04)]
        pen.mark(dots, (150, 150, 160))
    pen.mark(ribbon(curve((-0.8, 0.5), (0, 0.66), (0.8, 0.5)), 0.06), (150, 60, 10))


def sailboat(pen):
    pen.part("mast")
    pen.fill(box(-0.04, -0.98, 0.04, 0.5), (110, 75, 45))
    pen.part("sails")
    cloth, stripe = pen.tint(0.1, 0.08, 0.97), pen.any_color()
    for corners, slope in (([(0.08, -0.92), (0.8, 0.35), (0.08, 0.38)], 0.0),
                           ([(-0.08, -0.75), (-0.7, 0.32), (-0.08, 0.38)], 0.1)):
        pen.fill(np.array(corners), cloth)
        pen.mark([ribbon(curve((-1, y + slope), (1, y - slope)), 0.09)
                  for y in np.arange(-0.85, 0.4, 0.21)], stripe)
    pen.part("hull")
    hull = pen.any_color(value=(0.35, 0.8))
    pen.fill(smooth([(-0.9, 0.46), (0.95, 0.46), (0.6, 0.88), (0, 0.94), (-0.6, 0.86)]), hull)
    pen.mark(box(-1, 0.53, 1, 0.59), WHITE)
    pen.mark([ellipse(x, 0.71, 0.065) for x in (-0.4, -0.13, 0.14, 0.41)], WHITE)
    pen.mark([ellipse(x, 0.71, 0.04) for x in (-0.4, -0.13, 0.14, 0.41)], BLACK)


def balloon(pen):
    pen.part("basket")
    rope = (120, 85, 50)
    for x in (-0.3, 0.3):
        pen.fill(ribbon(curve((x, 0.35), (x * 0.5, 0.78)), 0.03), rope)
    pen.fill(box(-0.19, 0.73, 0.19, 0.98), pen.tint(0.08, 0.65, 0.55))
    pen.mark([box(x, 0.7, x + 0.03, 1.0) for x in np.arange(-0.2, 0.2, 0.07)], rope)
    pen.mark([box(-0.2, y, 0.2, y + 0.03) for y in (0.8, 0.88)], rope)
    pen.part("envelope")
    colors = [pen.any_color(), pen.any_color(), WHITE]
    pen.fill(smooth([(0, -0.98), (0.55, -0.8), (0.78, -0.3), (0.6, 0.15), (0.22, 0.52),
                     (-0.22, 0.52), (-0.6, 0.15), (-0.78, -0.3), (-0.55, -0.8)]), colors[0])
    edges = np.sin(np.linspace(-np.pi / 2, np.pi / 2, 10))
    for i in range(9):  # gores, narrow towards the sides as on a sphere
        left, right = (curve((0, -1.1), (e * 0.95, -0.85), (e * 1.05, -0.1), (e * 0.2, 0.6))
                       for e in edges[i:i + 2])
        pen.mark(np.concatenate([left, right[::-1]]), colors[i % 3])
    zigzag = np.array([(x, -0.25 + 0.1 * (-1) ** i) for i,
                       x in enumerate(np.linspace(-0.85, 0.85, 15))])
    pen.mark(ribbon(zigzag, 0.1), colors[1])


def donut(pen):
    pen.part("dough")
    pen.fill(ellipse(0, 0, 0.95), pen.tint(0.09, 0.6, 0.8))
    pen.mark([ellipse(x, y, 0.03, n=8) for x, y in pen.rng.uniform(-1, 1, (60, 2))], (190, 130, 70))
    pen.part("icing")
    t = np.linspace(0, 2 * np.pi, 90)
    r = 0.8 + 0.045 * np.sin(7 * t + pen.rng.uniform(0, 6)) + 0.03 * np.sin(11 * t)
    pen.fill(np.stack([r * np.cos(t), r * np.sin(t)], axis=1),
             pen.tint(pen.rng.choice([0.92, 0.05, 0.45, 0.55]), 0.5,
                      pen.rng.choice([0.97, 0.97, 0.45])))
    sprinkles = [pen.any_color(saturation=(0.7, 1), value=(0.85, 1)) for _ in range(4)] + [WHITE]
    for i in range(44):
        a, d, turn = pen.rng.uniform(0,
                                     2 * np.pi), pen.rng.uniform(0.36, 0.76), pen.rng.uniform(0,
                                                                                              np.pi)
        pen.mark(ellipse(d * np.cos(a), d * np.sin(a), 0.075, 0.026, turn, n=10), sprinkles[i % 5])
    pen.mark(ellipse(0, 0, 0.33), (150, 95, 50))
    pen.cut(ellipse(0, 0, 0.27))


def clock(pen):
    pen.part("rim")
    pen.fill(ellipse(0, 0, 0.98), pen.any_color(value=(0.35, 0.9)))
    pen.mark(ellipse(0, 0, 0.88), BLACK)
    pen.part("face")
    pen.fill(ellipse(0, 0, 0.82), pen.tint(0.12, 0.08, 0.95))
    for hour in range(60):
        a, long = hour * np.pi / 30, hour % 5 == 0
        line = [(r * np.cos(a), r * np.sin(a)) for r in ((0.6 if long else 0.7), 0.77)]
        pen.mark(ribbon(line, 0.07 if long else 0.025), BLACK)
    pen.part("hands")
    for length, width, a in ((0.45, 0.1, pen.rng.uniform(0, 2 * np.pi)),
                             (0.66, 0.07, pen.rng.uniform(0, 2 * np.pi))):
        pen.fill(ribbon([(-0.12 * np.cos(a), -0.12 * np.sin(a)),
                         (length * np.cos(a), length * np.sin(a))], width), BLACK)
    a = pen.rng.uniform(0, 2 * np.pi)
    pen.fill(ribbon([(0, 0), (0.7 * np.cos(a), 0.7 * np.sin(a))], 0.03), (205, 30, 35))
    pen.fill(ellipse(0, 0, 0.07), (205, 30, 35))


def eye(pen):
    pen.part("lashes")
    upper = curve((-0.98, 0.1), (-0.4, -0.85), (0.4, -0.85), (0.98, 0.1))
    lower = curve((0.98, 0.1), (0.4, 0.75), (-0.4, 0.75), (-0.98, 0.1))
    for x, y in upper[2:-2:2]:
        lash = curve((x, 1.05 * y), (x * 1.12, 1.2 * y - 0.12), (x * 1.3, 1.2 * y - 0.28))
        pen.fill(ribbon(lash, np.linspace(0.085, 0.02, len(lash))), BLACK)
    pen.part("lids")
    lid = pen.tint(0.06, 0.4, 0.8)
    pen.fill(np.concatenate([upper * [1, 1.12], lower * [1, 1.12]]), lid)
    pen.part("white")
    pen.fill(np.concatenate([upper * 0.93, lower * 0.93]), (240, 236, 232))
    veins = [ribbon(curve((s * 0.9, 0.1), (s * 0.7, y), (s * 0.5, 1.3 * y)), 0.015)
             for s in (-1, 1) for y in (-0.1, 0.05, 0.2)]
    pen.mark(veins, (220, 120, 120))
    pen.part("iris")
    iris = pen.any_color(saturation=(0.5, 0.95), value=(0.45, 0.85))
    dark = tuple(c // 3 for c in iris)
    pen.fill(ellipse(0, 0, 0.43), dark)
    pen.mark(ellipse(0, 0, 0.4), iris)
    rays = [ribbon([(0.2 * np.cos(a), 0.2 * np.sin(a)), (0.39 * np.cos(a), 0.39 * np.sin(a))],
                   0.025) for a in np.linspace(0, 2 * np.pi, 28)]
    pen.mark(rays, dark)
    pen.part("pupil")
    pen.fill(ellipse(0, 0, 0.2), BLACK)
    pen.mark(ellipse(-0.07, -0.08, 0.06), WHITE)


def zebra_ball(pen):
    pen.part("ball")
    pen.fill(ellipse(0, 0, 0.97), WHITE)
    dark = pen.tint(pen.rng.random(), 0.3, 0.12)
    x = np.linspace(-1.1, 1.1, 40)
    phase, wobble = pen.rng.uniform(0, 6), pen.rng.uniform(0.04, 0.09)
    for y in np.arange(-1.0, 1.05, 0.27):
        bend = y + wobble * np.sin(5 * x + phase + 2 * y) + 0.1 * x**2 * np.sign(-y)
        width = 0.13 * (1 + 0.45 * np.sin(7 * x + 3 * y + phase))
        pen.mark(ribbon(np.stack([x, bend], axis=1), width), dark)


def checkered_flag(pen):
    pen.part("pole")
    pen.fill(box(-0.92, -0.98, -0.81, 0.98), pen.tint(0.08, 0.55, 0.55))
    pen.mark([box(-1, y, -0.7, y + 0.03) for y in np.arange(-0.9, 0.95, 0.17)], (70, 45, 25))
    pen.part("cloth")
    wave = lambda x: 0.1 * np.sin(3.4 * x + 0.6)
    x = np.linspace(-0.8, 0.97, 40)
    top, bottom = np.stack([x, -0.9 + wave(x)], 1), np.stack([x, 0.25 + wave(x)], 1)
    pen.fill(np.concatenate([top, bottom[::-1]]), WHITE)
    dark = pen.tint(pen.rng.random(), 0.5, 0.12)
    xs = np.linspace(-0.8, 0.97, 8)
    ys = np.linspace(-0.9, 0.25, 6)
    cells = []
    for i in range(7):
        for j in range(i % 2, 5, 2):
            u = np.linspace(xs[i], xs[i + 1], 6)
            cells.append(np.concatenate([np.stack([u, ys[j] + wave(u)], 1),
                                         np.stack([u, ys[j + 1] + wave(u)], 1)[::-1]]))
    pen.mark(cells, dark)


def umbrella(pen):
    pen.part("handle")
    wood = pen.tint(0.07, 0.7, 0.45)
    pen.fill(box(-0.035, -0.9, 0.035, 0.75), wood)
    pen.fill(ribbon(ellipse(0.14, 0.75, 0.15, 0.2, start=0, stop=np.pi), 0.085), wood)
    pen.fill(box(-0.03, -1.0, 0.03, -0.8), BLACK)
    pen.part("canopy")
    colors = [pen.any_color(), pen.any_color(saturation=(0.0, 0.8), value=(0.8, 1))]
    tips = np.linspace(-0.98, 0.98, 7)
    hem = np.concatenate([curve((b, 0.12), ((a + b) / 2, -0.1), (a, 0.12), n=7) for a,
                          b in zip(tips[:-1], tips[1:])][::-1])
    dome = curve((-0.98, 0.12), (-0.85, -0.75), (-0.3, -0.88),
                 (0, -0.9)), curve((0, -0.9), (0.3, -0.88), (0.85, -0.75), (0.98, 0.12))
    pen.fill(np.concatenate([*dome, hem]), colors[0])
    for i in range(6):
        left, right = (curve((0, -0.95), (t * 0.8, -0.7), (t, 0.16)) for t in tips[i:i + 2])
        pen.mark(np.concatenate([left, right[::-1]]), colors[i % 2])
        pen.mark([ellipse(*(0.5 * (left[k] + right[k])), 0.035 + 0.002 * k) for k in (9, 14, 19)],
                 colors[(i + 1) % 2])
    pen.mark([ribbon(curve((0, -0.95), (t * 0.8, -0.7), (t, 0.16)), 0.022) for t in tips], BLACK)


def die(pen):
    paint, pip = pen.any_color(saturation=(0.0, 0.9), value=(0.75, 1.0)), BLACK
    shade = lambda k: tuple(int(k * c) for c in paint)
    faces = {"top": [(0, -0.95), (0.82, -0.52), (0, -0.08), (-0.82, -0.52)],
             "left": [(-0.82, -0.52), (0, -0.08), (0, 0.95), (-0.82, 0.46)],
             "right": [(0, -0.08), (0.82, -0.52), (0.82, 0.46), (0, 0.95)]}
    spots = {1: [(0.5, 0.5)], 2: [(0.25, 0.25), (0.75, 0.75)],
             3: [(0.25, 0.25), (0.5, 0.5), (0.75, 0.75)],
             4: [(0.27, 0.27), (0.73, 0.27), (0.27, 0.73), (0.73, 0.73)]}
    spots[5] = spots[4] + spots[1]
    spots[6] = spots[4] + [(0.27, 0.5), (0.73, 0.5)]
    numbers = [n if pen.rng.random() < 0.5 else 7 - n for n in pen.rng.permutation([1, 2, 3])]
    for (name, corners), number, light in zip(faces.items(), numbers, (1.0, 0.8, 0.6)):
        a, b, _, d = np.array(corners)
        pen.part(name)
        pen.fill(np.array(corners), shade(light))
        edges = [ribbon([p, q], 0.04) for p, q in zip(corners, corners[1:] + corners[:1])]
        pen.mark(edges, shade(0.4 * light))
        for u, v in spots[int(number)]:
            t = np.linspace(0, 2 * np.pi, 16)[:, None]
            pen.mark(a + (u + 0.115 * np.cos(t)) * (b - a) + (v + 0.115 * np.sin(t)) * (d - a), pip)
