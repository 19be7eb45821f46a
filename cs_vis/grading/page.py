"""The few pieces of HTML that the gallery page is made of."""

from html import escape

import numpy as np
from PIL import Image

HEAD = """<!doctype html><html lang=en><meta charset=utf-8><title>cs_vis: gallery</title><style>
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff;
       margin: 2.5rem auto; max-width: 72rem; padding: 0 1rem }
h1 { font-size: 1.9rem; margin: 0 }
h2 { font-size: 1.25rem; margin: 2.6rem 0 .3rem }
p { max-width: 46rem; margin: .4rem 0 1rem }
table { border-collapse: collapse }
th { font-weight: 600; font-size: .8rem; padding: .3rem 0 }
td { padding: 3px; vertical-align: top; text-align: center }
td img { width: 128px; height: 128px; max-width: none; display: block }
td small { color: #666; font-size: .75rem; line-height: 1.25; display: block; min-height: 2.2em }
th.name { text-align: right; padding-right: .7rem; max-width: 9rem; font-size: .85rem }
.scores td, .scores th { padding: .15rem .9rem; text-align: right }
.scores td { font-variant-numeric: tabular-nums }
.scores tr:nth-child(even) { background: #f4f6f8 }
.scores th:first-child, .scores td:first-child { text-align: left }
.sheet { width: 100%; max-width: 1024px; display: block }
</style>"""


def table(heads, rows):
    """A table of pictures: one head a column, then rows made by `row`."""
    return "<table><tr><th>" + "".join(f"<th>{head}" for head in heads) + "".join(rows) + "</table>"


def row(name, cells):
    return f"<tr><th class=name>{escape(name)}" + "".join(cells)


def cell(folder, name, picture, note=""):
    """A small picture (H, W, 3) in [0, 1] with a note beneath."""
    source = store(folder, name, picture)
    return f'<td><img src="{source}" alt="{escape(name[:-4])}"><small>{escape(note)}</small>'


def store(folder, name, picture):
    """Write a picture (H, W, 3) in [0, 1] beside the page; returns its name for the page."""
    pixels = np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    Image.fromarray(pixels).save(folder / name, quality=88)
    return name
