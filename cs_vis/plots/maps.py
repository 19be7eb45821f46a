"""Maps: points in the plane, as dots of a figure, or as pictures that a pointer enlarges.

As in a picture, the first coordinate runs to the right and the second one down.
"""

import hashlib
import math
from base64 import b64encode
from html import escape
from io import BytesIO
from string import Template

import matplotlib.patheffects
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.colors import hsv_to_rgb, to_hex
from PIL import Image

from ..require import (is_whole, require_finite, require_images, require_number, require_rgb,
                       require_tensor, require_texts, require_whole, shown)
from .figures import GAP, LINE, PALE, SIZE, Figure

TILE = 48      # pixels of a picture on a map that a pointer enlarges
MARGIN, NAMED = 0.04, 0.1  # of a map's side: free around its points; with names over them
MOST_BYTES = 1_200_000  # of a map: it becomes a part of the notebook
MOST_WIDTH = 4000       # pixels
MOST_GROUPS = 1000      # nobody tells more colours apart


def scatter(panels: dict, colors, *, names=(), height: float = 2.6, dot: float = 7.0) -> Figure:
    """Maps side by side: a dot for each point, of the same colour in every map.

    panels: title -> points (N, 2), of the same N things. colors: (N,) whole numbers, the group of
    each point, or (N, 3) in [0, 1]. names: of the groups, written above the middle of each.
    height: of a map, in inches. dot: the area of a dot. Each map has its own scale, the same to
    the right and down. Raises TypeError or ValueError for no map, and for what is not like this.
    """
    panels = _require_maps(panels)
    count = len(next(iter(panels.values())))
    height = require_number("height", height, 0.2, 20)
    dot = require_number("dot", dot, 0.1, 1000)
    inks, groups = _colors(colors, count)
    require_texts(names, "names")
    if len(names) and (groups is None or len(names) <= groups.max()):
        raise ValueError(f"names has {len(names)} entries: give one for each group in colors, "
                         f"which must then be whole numbers from 0")
    figure = Figure(figsize=(0.1 + (height + GAP) * len(panels), height + LINE + 0.1))
    for place, (title, points) in enumerate(panels.items()):
        x = 0.05 + (height + GAP) * place
        figure.write(x + height / 2, 0.05 + LINE / 2, title)
        axes = figure.box(x, 0.05 + LINE, height, height)
        unit = _in_unit_square(points, margin=NAMED if len(names) else MARGIN)
        axes.scatter(*unit.T, s=dot, c=inks, linewidths=0)
        for group, name in enumerate(names):
            if (groups == group).any():
                x, y = _above_most(unit[groups == group])
                words = axes.text(x, y, name, ha="center", va="bottom", fontsize=SIZE - 1)
                words.set_path_effects(
                    [matplotlib.patheffects.withStroke(linewidth=2, foreground="white")])
        axes.set(xlim=(0, 1), ylim=(1, 0), xticks=[], yticks=[])
        for side in axes.spines.values():
            side.set_color(PALE)
            side.set_linewidth(0.6)
    figure.alt = f"maps of {count} points: " + ", ".join(panels)
    return figure


def _above_most(dots: np.ndarray) -> tuple[float, float]:
    """A place above the dot that is nearest to all others, where half of them lie below."""
    away = np.linalg.norm(dots[:, None] - dots, axis=2)
    middle = away.sum(axis=1).argmin()
    return dots[middle, 0], dots[middle, 1] - np.median(away[middle]) - 0.01


def group_colors(count: int) -> np.ndarray:
    """(count, 3): colours of groups, their hues around the wheel, every other one darker."""
    require_whole(count=count, at_least=1)
    place = np.arange(count)
    return hsv_to_rgb(np.stack([place / count, 0.75 - 0.15 * (place % 3 == 1),
                                np.where(place % 2, 0.62, 0.9)], axis=1))


class PictureMap:
    """A page of pictures at their places; one under the pointer, or in focus, is enlarged."""

    def __init__(self, page: str, alt: str, width: int):
        self.page, self.alt, self.width = page, alt, width

    def _repr_html_(self) -> str:
        return self.page

    def __repr__(self) -> str:
        return f"<{self.alt}>"


def picture_map(points, pictures, colors, names, *, marked=(), legend: dict | None = None,
                width: int = 720) -> PictureMap:
    """A map on which each point is its picture, small and in a frame of its colour.

    No two overlap: each is moved to a free place near its point. points (N, 2), pictures
    (N, 3, H, W) in [0, 1]; colors as `scatter` takes them; names: N texts, below a picture that
    is enlarged. marked: places of pictures in a dark frame. legend: words -> (r, g, b). width: on
    the page, in pixels. It is HTML and CSS, so it works where no kernel runs. Raises TypeError or
    ValueError for what is not like this, and for a map of more than 1.2 MB.
    """
    points = _require_maps({"points": points})["points"]
    require_images(pictures, "pictures")
    require_texts(names, "names")
    legend = _require_legend(legend)
    require_whole(width=width, at_least=200)
    if width > MOST_WIDTH:
        raise ValueError(f"width={width} must be at most {MOST_WIDTH} pixels: no page is wider")
    if not len(points) == len(pictures) == len(names):
        raise ValueError(f"points has {len(points)} entries, pictures {len(pictures)} and names "
                         f"{len(names)}: give one of each for every point")
    inks, _ = _colors(colors, len(points))
    marked = _require_places(marked, len(points))
    sheet, size = _sheet(pictures)
    places, cells = _apart(points)
    dots = [_dot(n, place, ink, name, cells, size, n in marked)
            for n, (place, ink, name) in enumerate(zip(places, inks, names))]
    keys = [f'<span><b style="background:{to_hex(ink)}"></b>{escape(words)}</span>'
            for words, ink in legend.items()]
    alt, body = f"a map of {len(points)} pictures", "".join(dots)
    own = "m" + hashlib.sha256((body + sheet).encode()).hexdigest()[:8]  # no other map's style
    style = Template(STYLE).substitute(
        own=own, sheet=sheet, across=100 * size[0], down=100 * size[1],
        wide=f"{100 / cells[0]:.3f}", high=f"{100 / cells[1]:.3f}")
    page = (f'<style>{style}</style><div class="{own}" role="group" aria-label="{alt}" '
            f'style="width:{width}px">{body}</div>'
            f'<p class="{own}-keys" style="max-width:{width}px">{"".join(keys)}</p>')
    if len(page) > MOST_BYTES:
        raise ValueError(f"pictures make a map of {len(page) / 1e6:.1f} MB, and "
                         f"{MOST_BYTES / 1e6:g} MB is the most that a notebook takes: pass fewer")
    return PictureMap(page, alt, width)


# A picture keeps its small place while it is shown large: what is large takes no pointer, or its
# neighbours could not be reached. Both show one part of the sheet, in percent, so of any size.
STYLE = """
.$own{position:relative;box-sizing:border-box;max-width:100%;aspect-ratio:4/3;background:#f4f4f1;
margin:52px 48px 64px}
.$own i{position:absolute;box-sizing:border-box;width:$wide%;height:$high%;border:2px solid;
border-radius:3px;background:url(data:image/jpeg;base64,$sheet) 0 0/$across% $down% border-box;
cursor:pointer}
.$own i.marked{box-shadow:0 0 0 3px #111;z-index:3}
.$own i:hover,.$own i:focus{z-index:9;outline:none}
.$own i:hover::before,.$own i:focus::before{content:"";position:absolute;left:50%;top:50%;
width:112px;height:112px;margin:-56px;box-sizing:border-box;background:inherit;border:3px solid;
border-color:inherit;border-radius:8px;box-shadow:0 2px 10px #0007;pointer-events:none}
.$own i:hover::after,.$own i:focus::after{content:attr(aria-label);position:absolute;left:50%;
top:50%;width:112px;margin:58px -56px;text-align:center;font:12px sans-serif;color:#222;
background:#fffd;border-radius:4px;pointer-events:none}
.${own}-keys{font:12px sans-serif;color:#444;display:flex;flex-wrap:wrap;gap:2px 12px;margin:0}
.${own}-keys b{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:4px}
""".replace("\n", "")


def _dot(n: int, place, ink, name: str, cells, size, marked: bool) -> str:
    """Picture n of the sheet at a place (column, row) of the map's cells."""
    down, across = divmod(n, size[0])
    return (f'<i tabindex="0" role="img" aria-label="{escape(name)}"'
            f'{" class=marked" * marked} style="left:{100 * place[0] / cells[0]:.2f}%;'
            f'top:{100 * place[1] / cells[1]:.2f}%;border-color:{to_hex(ink)};'
            f'background-position:{_percent(across, size[0])} {_percent(down, size[1])}"></i>')


def _apart(points: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """A cell (column, row) of its own for each point, near it, and how many cells there are.

    There are three times as many as points, so that what is empty on the map stays so.
    """
    from scipy.optimize import linear_sum_assignment  # here, for few cells need it
    down = math.ceil(math.sqrt(3 * len(points) * 3 / 4))
    across = math.ceil(3 * len(points) / down)
    cells = np.stack(np.meshgrid(np.arange(across), np.arange(down)), axis=2).reshape(-1, 2)
    wanted = _in_unit_square(points, margin=0, stretch=True) * (across - 1, down - 1)
    _, chosen = linear_sum_assignment(((wanted[:, None] - cells) ** 2).sum(axis=2))
    return cells[chosen], (across, down)


def _percent(place: int, count: int) -> str:
    """Where CSS has a background's part: 0 % is the first, 100 % the last."""
    return f"{100 * place / max(count - 1, 1):.2f}%"


def _sheet(pictures) -> tuple[str, tuple[int, int]]:
    """All pictures on one JPEG, row by row, as base64, and its columns and rows."""
    small = F.interpolate(pictures.detach().float().cpu(), size=(TILE, TILE), mode="bilinear",
                          antialias=True).clamp(0, 1)
    columns = int(np.ceil(np.sqrt(len(small))))
    rows = -(-len(small) // columns)
    empty = small.new_ones(rows * columns - len(small), 3, TILE, TILE)
    tiles = torch.cat([small, empty]).unflatten(0, (rows, columns))
    pixels = (tiles.permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1) * 255).round().byte()
    file = BytesIO()
    Image.fromarray(pixels.numpy()).save(file, "jpeg", quality=72)
    return b64encode(file.getvalue()).decode(), (columns, rows)


def _in_unit_square(points: np.ndarray, *, margin: float = MARGIN,
                    stretch: bool = False) -> np.ndarray:
    """The points in [margin, 1 - margin], the same scale for both axes unless `stretch`."""
    low, high = points.min(axis=0), points.max(axis=0)
    extent = high - low if stretch else np.full(2, (high - low).max())
    extent = np.where(extent > 0, extent, 1)
    return 0.5 + (1 - 2 * margin) * (points - (low + high) / 2) / extent


def _require_maps(panels) -> dict[str, np.ndarray]:
    """title -> points as an array; refuse what is not (N, 2), and maps of different N."""
    if not isinstance(panels, dict) or not panels:
        raise TypeError(f"panels={shown(panels)} must be a dict with a map in it, such as "
                        f"{{'pixels': points}}")
    require_texts(list(panels), "the keys of panels")
    found = {}
    for title, points in panels.items():
        if isinstance(points, np.ndarray) and points.dtype.kind == "f":
            points = torch.from_numpy(points)
        require_tensor(points, title, "(N, 2)")
        if points.ndim != 2 or points.shape[1] != 2 or not len(points):
            raise ValueError(f"{title} has shape {tuple(points.shape)}: points are (N, 2), one "
                             f"row each")
        require_finite(points, title)
        found[title] = points.detach().double().cpu().numpy()
    if len({len(points) for points in found.values()}) > 1:
        raise ValueError(f"panels has maps of {[len(points) for points in found.values()]} points:"
                         f" all of them show the same things")
    return found


def _require_legend(legend) -> dict:
    """words -> (r, g, b); refuse what is not."""
    if legend is None:
        return {}
    if not isinstance(legend, dict):
        raise TypeError(f"legend={shown(legend)} must be a dict, words -> (r, g, b), or None")
    require_texts([*legend], "the keys of legend")
    return {words: require_rgb(ink, f"legend[{words!r}]") for words, ink in legend.items()}


def _require_places(marked, count: int) -> set[int]:
    """The places of pictures, as a set; refuse what is no list of them."""
    if not isinstance(marked, (list, tuple, set)) or not all(
            is_whole(place) and 0 <= place < count for place in marked):
        raise ValueError(f"marked={shown(marked)} must list places of pictures, whole numbers from "
                         f"0 to {count - 1}")
    return set(map(int, marked))


def _colors(colors, count: int) -> tuple[np.ndarray, np.ndarray | None]:
    """RGB (N, 3), and the groups (N,) where colors says these."""
    if isinstance(colors, torch.Tensor) and not colors.is_meta:
        colors = colors.detach().cpu().numpy() if colors.dtype != torch.bfloat16 else colors.tolist()
    array = np.asarray(colors if isinstance(colors, (list, tuple, np.ndarray)) else None)
    if array.shape == (count,) and array.dtype.kind in "iu" and (
            0 <= array.min() and array.max() < MOST_GROUPS):
        return group_colors(int(array.max()) + 1)[array], array
    if array.shape == (count, 3) and array.dtype.kind == "f" and (
            0 <= array.min() and array.max() <= 1):
        return array.astype(float), None
    raise ValueError(f"colors={shown(colors)} must be the group of each of {count} points, whole "
                     f"numbers ({count},) from 0 to {MOST_GROUPS - 1}, or red, green and blue in "
                     f"[0, 1], ({count}, 3)")
