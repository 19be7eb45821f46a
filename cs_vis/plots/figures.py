"""Figures: pictures in rows, score tables, curves.

No pyplot: a figure belongs to whoever holds it, and nothing needs a screen.
"""

from collections.abc import Callable
from io import BytesIO

import matplotlib.figure
import matplotlib.lines
import matplotlib.ticker
import numpy as np
from matplotlib.textpath import TextPath

from ..cell import output
from ..require import (require_above_0, require_finite, require_number, require_switch,
                       require_texts, shown)
from .pictures import Picture, picture

SIZE = 9                 # points: the one font size
SCREEN, CRISP = 96, 115  # pixels an inch takes on the screen, and in the file
GAP, LINE = 0.07, 0.19   # inches: between pictures, and for one line of text
LETTER = 0.072           # inches: what a letter takes on average, to leave room for words
INK, PALE, ACCENT = "#222222", "#8a8a8a", "#3b78a8"
# The lines of a chart, in this order; told apart by their dashes where there is no colour.
LINES = ((ACCENT, "-"), ("#c2571a", (0, (5, 1.5))), ("#4a8f4f", (0, (1.5, 1.2))),
         (PALE, (0, (4, 1.5, 1, 1.5))))


class Figure(matplotlib.figure.Figure):
    """A figure that measures in inches from its upper left corner, and that a notebook shows by
    itself: as a small sharp JPEG, or as a PNG where `mimetype` says so (line drawings)."""

    mimetype = "image/jpeg"
    alt = "figure"  # what a screen reader says

    def box(self, x: float, y: float, width: float, height: float):
        """New axes at that place."""
        wide, tall = self.get_size_inches()
        return self.add_axes([x / wide, 1 - (y + height) / tall, width / wide, height / tall])

    def write(self, x: float, y: float, words: str, **style) -> None:
        """A line of text, centred at that place unless `style` says otherwise."""
        wide, tall = self.get_size_inches()
        style = {"color": INK, "va": "center", "ha": "center"} | style
        self.text(x / wide, 1 - y / tall, words, fontsize=SIZE, **style)

    def bundle(self) -> tuple[dict, dict]:
        """(data, metadata) as Jupyter's display machinery takes them, with a text alternative."""
        file, kind = BytesIO(), self.mimetype.split("/")[1]
        options = {"quality": 78} if kind == "jpeg" else {"optimize": True}
        self.savefig(file, format=kind, dpi=CRISP, facecolor="white", pil_kwargs=options)
        width = round(self.get_figwidth() * SCREEN)
        return ({self.mimetype: file.getvalue(), "text/plain": f"<{self.alt}>"},
                {self.mimetype: {"width": width, "alt": self.alt}})

    def _ipython_display_(self):
        from IPython.display import display  # only a notebook comes here
        data, metadata = self.bundle()
        display(data, metadata=metadata, raw=True)


def live() -> Callable:
    """A place in the cell's output: call it with one figure after another, it shows the newest.

    Outside a notebook nothing is shown.
    """
    place = output()

    def newest(figure: Figure) -> None:
        if place:
            place(*figure.bundle())
    return newest


def _room(words: str) -> float:
    """Inches that a line of text takes: an average line, or more where its letters are wide."""
    path = TextPath((0, 0), words, size=SIZE) if words.strip() else None
    return max(LETTER * len(words), path.get_extents().width / 72 if path else 0)


def show(pictures, titles=None, *, labels=None, caption: str = "", height: float = 1.45,
         margin: float = 0.0) -> Figure:
    """Lay pictures out in a row, or in rows when `pictures` is a list of lists.

    pictures: Pictures, or what `picture` takes. titles: a list, one for each column, or a list of
    lists, one for each picture. labels: a list, one for each row, on its left. height: of a
    picture, in inches. margin: inches left free on the right. A Picture's note stands beneath it.
    Raises ValueError or TypeError for what is no picture, and for words that do not fit them.
    """
    rows = [[picture(p) for p in row] for row in _rows(pictures)]
    titles = _titles(titles, rows)
    require_texts([] if labels is None else labels, "labels")
    require_texts([caption], "caption")
    height = require_number("height", height, 0.2, 20)
    margin = require_number("margin", margin, 0, 20)
    if labels is not None and len(labels) != len(rows):
        raise ValueError(f"labels has {len(labels)} entries for {len(rows)} rows: give one a row")

    widths = [height * max(_aspect(row[c]) for row in rows if c < len(row))
              for c in range(max(map(len, rows)))]
    left = 0.1 + max((0.1 + _room(label) for label in labels or []), default=0)
    above = [LINE * max((t.count("\n") + 1 for t in row if t), default=0) for row in titles]
    below = [LINE * any(one.note for one in row) for row in rows]
    wide = max(left + sum(widths) + GAP * len(widths), 0.2 + LETTER * len(caption)) + margin
    tall = 0.08 + sum(above) + sum(below) + (height + GAP) * len(rows) + LINE * bool(caption)

    figure, y = Figure(figsize=(wide, tall)), 0.05
    for r, row in enumerate(rows):
        x, y = left, y + above[r]
        if labels:
            figure.write(left - 0.06, y + height / 2, labels[r], ha="right")
        for one, title, width in zip(row, titles[r], widths):
            axes = figure.box(x, y, width, height)
            axes.imshow(one.pixels)
            axes.axis("off")
            figure.write(x + width / 2, y - above[r] / 2, title)
            figure.write(x + width / 2, y + height + LINE / 2, one.note, color=PALE)
            x += width + GAP
        y += height + below[r] + GAP
    figure.write(left, y + LINE / 2, caption, color=PALE, ha="left")
    words = [t.replace("\n", " ") for t in [*(labels or []), *sum(titles, [])] if t]
    figure.alt = f"{sum(map(len, rows))} pictures" + (": " + ", ".join(words) if words else "")
    return figure


def bars(scores: dict[str, dict[str, float]], *, baselines=(), caption: str = "") -> Figure:
    """A table of scores in [0, 1]: one row for each method, one column for each measure.

    scores: method -> measure -> value. baselines: methods drawn in grey; the first of them also
    as a dashed line through every row: a method that stays left of it has explained nothing.
    Raises ValueError or TypeError for other scores, and baselines that are no row.
    """
    _require_scores(scores)
    require_texts(baselines, "baselines")
    require_texts([caption], "caption")
    measures = list(dict.fromkeys(m for row in scores.values() for m in row))
    missing = [name for name in baselines if name not in scores]
    if missing or not measures:
        raise ValueError(f"baselines={list(baselines)} with rows {list(scores)}: there must be a "
                         f"row of scores, and every baseline must be one of the rows")
    row, column = 0.26, 1.75
    left, tall = 0.2 + LETTER * max(map(len, scores)), row * len(scores)
    wide = max(left + column * len(measures), 0.2 + LETTER * len(caption))
    figure = Figure(figsize=(wide, tall + 0.35 + 0.25 * bool(caption)))
    figure.mimetype = "image/png"
    for c, measure in enumerate(measures):
        axes = figure.box(left + column * c, 0.28, column - 0.5, tall)
        _bar_column(axes, {name: values.get(measure) for name, values in scores.items()},
                    baselines)
        figure.write(left + column * c, 0.14, measure, ha="left")
    for r, name in enumerate(scores):
        figure.write(left - 0.08, 0.28 + row * (r + 0.5), name, ha="right",
                    color=PALE if name in baselines else INK)
    figure.write(0.1, tall + 0.42, caption, color=PALE, ha="left")
    figure.alt = "scores: " + "; ".join(
        f"{name} " + ", ".join(f"{m} {v:.2f}" for m, v in values.items())
        for name, values in scores.items())
    return figure


def _bar_column(axes, values: dict[str, float | None], baselines) -> None:
    for r, (name, value) in enumerate(values.items()):
        if value is not None:
            axes.barh(r, value, height=0.66, color="#cccccc" if name in baselines else ACCENT)
            axes.text(max(value, 0) + 0.03, r, f"{value:.2f}", fontsize=SIZE, va="center",
                      color=INK, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6})
    if baselines and values[baselines[0]] is not None:
        axes.axvline(values[baselines[0]], color=PALE, linewidth=0.8, linestyle=(0, (3, 2)))
    axes.set(xlim=(0, 1), ylim=(len(values) - 0.5, -0.5), xticks=[], yticks=[])
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.spines["left"].set_color(PALE)


def curves(panels: dict[str, dict[str, tuple]], *, up: str = "", caption: str = "",
           most: float | None = 1.0, log: bool = False) -> Figure:
    """Charts side by side: one for each quantity, in each a line for each name.

    panels: what runs to the right, with its unit -> name -> (xs, ys). A name has the same colour
    in every chart. up: what runs upwards. most: where the charts end above; None fits the values.
    log: whether what runs to the right is in powers of ten (values above 0). Raises ValueError or
    TypeError for no chart, more than four names, and values that are no two lists of one length.
    """
    require_switch(log=log)
    if most is not None:
        require_above_0(most=most)
    panels = {right: {name: _points(right, name, pair, log) for name, pair in lines.items()}
              for right, lines in _require_panels(panels).items()}
    require_texts([up, caption], "up and caption")
    names = list(dict.fromkeys(name for lines in panels.values() for name in lines))
    if len(names) > len(LINES):
        raise ValueError(f"panels has {len(names)} names, {names}: a chart tells at most "
                         f"{len(LINES)} lines apart")
    wide, tall, left = 2.3, 1.6, 0.62
    room = max(left + (wide + 0.4) * len(panels), 0.2 + LETTER * len(caption),
               left + sum(map(_key_width, names)))
    figure = Figure(figsize=(room, tall + 0.78 + 0.22 * bool(caption)))
    figure.mimetype = "image/png"
    _legend(figure, left, names)
    for c, (right, lines) in enumerate(panels.items()):
        axes = figure.box(left + (wide + 0.4) * c, 0.33, wide, tall)
        for name, (xs, ys) in lines.items():
            color, dashes = LINES[names.index(name)]
            axes.plot(xs, ys, color=color, linestyle=dashes, linewidth=1.6,
                      marker="o" if len(xs) < 12 else "", markersize=3)
        _plain_axes(axes, log, most)
        figure.write(left + (wide + 0.4) * c + wide / 2, tall + 0.66, right)
    figure.write(0.1, 0.33 + tall / 2, up, rotation=90)
    figure.write(0.1, tall + 0.88, caption, color=PALE, ha="left")
    figure.alt = "curves: " + "; ".join(
        f"{right}: " + ", ".join(f"{name} from {ys[0]:.2f} at {xs[0]:.2g} to {ys[-1]:.2f} at "
                                 f"{xs[-1]:.2g}" for name, (xs, ys) in lines.items())
        for right, lines in panels.items())
    return figure


def _legend(figure: Figure, x: float, names) -> None:
    for name, (color, dashes) in zip(names, LINES):
        wide, tall = figure.get_size_inches()
        figure.add_artist(matplotlib.lines.Line2D(
            [x / wide, (x + 0.3) / wide], [1 - 0.15 / tall] * 2, color=color, linestyle=dashes,
            linewidth=1.6))
        figure.write(x + 0.36, 0.15, name, ha="left")
        x += _key_width(name)


def _key_width(name: str) -> float:
    """Inches that a line of the legend takes, with its name."""
    return 0.65 + LETTER * len(name)


def _plain_axes(axes, log: bool, most: float | None) -> None:
    if log:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
    elif all((line.get_xdata() % 1 == 0).all() for line in axes.lines):  # no half steps
        axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(6, integer=True))
    top = most or 1.05 * max(line.get_ydata().max() for line in axes.lines) or 1
    axes.set_ylim(-0.02 * top, 1.02 * top)  # a little more, so that no line lies on the frame
    axes.tick_params(labelsize=SIZE - 1, colors=INK, length=2, color=PALE, which="both")
    axes.xaxis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%g"))
    axes.xaxis.set_minor_formatter(matplotlib.ticker.NullFormatter())
    axes.grid(color="#e4e4e4", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(PALE)


def _require_panels(panels) -> dict:
    """Refuse what is not a dict of dicts with something in each."""
    if not isinstance(panels, dict) or not all(isinstance(one, dict) for one in panels.values()):
        raise TypeError(f"panels={shown(panels)} must be a dict of dicts, such as "
                        f"{{'steps': {{'ordinary': (xs, ys)}}}}")
    if not panels or not all(panels.values()):
        raise ValueError(f"panels={shown(panels)} must have a chart, and every chart a line")
    require_texts([*panels, *(name for lines in panels.values() for name in lines)],
                  "the keys of panels")
    return panels


def _points(right: str, name: str, pair, log: bool) -> tuple[np.ndarray, np.ndarray]:
    """A line's xs and ys, two lists of finite numbers as long as each other."""
    what = f"panels[{right!r}][{name!r}]"
    try:
        xs, ys = (np.asarray(values, dtype=float) for values in pair)
    except (TypeError, ValueError):
        raise TypeError(f"{what}={shown(pair)} must be a pair of lists of numbers, "
                        f"(xs, ys)") from None
    if xs.ndim != 1 or xs.shape != ys.shape or not xs.size:
        raise ValueError(f"{what} has values of the shapes {xs.shape} and {ys.shape}: give two "
                         f"lists of the same length, with at least one number")
    for values in (xs, ys):
        require_finite(values, what)
    if log and xs.min() <= 0:
        raise ValueError(f"{what} begins at {xs.min():g}: with log=True all xs must be above 0")
    return xs, ys


def _require_scores(scores) -> None:
    """Refuse what is not method -> measure -> a number in [0, 1]."""
    if not isinstance(scores, dict) or not all(isinstance(row, dict) for row in scores.values()):
        raise TypeError(f"scores={shown(scores)} must be a dict of dicts, such as "
                        f"{{'saliency': {{'energy': 0.42}}}}")
    require_texts([*scores, *(measure for row in scores.values() for measure in row)],
                  "the keys of scores")
    for method, row in scores.items():
        for measure, value in row.items():
            require_number(f"scores[{method!r}][{measure!r}]", value, 0, 1)


def _rows(pictures) -> list[list]:
    if isinstance(pictures, (str, Picture)) or not hasattr(pictures, "__iter__") or (
            getattr(pictures, "ndim", 1) == 0):
        raise TypeError(f"pictures={shown(pictures)} must be a list of pictures, such as [image], "
                        f"or a list of lists, one for each row")
    pictures = list(pictures)
    rows = pictures if pictures and isinstance(pictures[0], list) else [pictures]
    if not all(isinstance(row, list) for row in rows):
        raise TypeError("pictures holds lists and single pictures: pass one list of pictures, or a "
                        "list of lists, one for each row")
    if not all(rows):
        raise ValueError(f"pictures={pictures!r} has an empty row: give every row a picture")
    return rows


def _titles(titles, rows) -> list[list[str]]:
    """One title for each picture, from one for each column, one for each picture, or none."""
    titles = [] if titles is None else titles
    lists = (list, tuple)
    several = isinstance(titles, lists) and any(isinstance(row, lists) for row in titles)
    titles = list(titles) if several else [titles]
    for row in titles:
        require_texts(row, "titles")
    titles = [list(row) for row in titles]
    if len(titles) > len(rows) or any(len(t) > len(row) for t, row in zip(titles, rows)):
        raise ValueError(f"titles={titles} are more than the pictures, which are "
                         f"{[len(row) for row in rows]} in a row: give each at most one title")
    titles = titles + [[]] * (len(rows) - len(titles))
    return [[*t, *[""] * (len(row) - len(t))] for t, row in zip(titles, rows)]


def _aspect(one: Picture) -> float:
    return one.pixels.shape[1] / one.pixels.shape[0]
