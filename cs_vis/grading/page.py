"""From pictures and numbers to the gallery page: files in a folder, and gallery.html.j2 filled."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from . import prose


class Seen(NamedTuple):
    """One picture of the page, with what is said about it."""

    name: str                    # its file's, without the ending; also its place on the page
    alt: str                     # what there is to be seen, for who cannot see it
    scale: str = ""              # how values became colours
    hit: bool | None = None      # does the strongest pixel lie on the object?
    share: float | None = None   # how much of the map lies there, or how well the cut-out fits
    chance: float | None = None  # the share that a map gets which knows nothing


def store(folder: Path, name: str, picture: np.ndarray) -> None:
    """Write a picture (H, W, 3) in [0, 1] beside the page."""
    pixels = np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    Image.fromarray(pixels).save(folder / f"{name}.webp", quality=88)


def write(folder: Path, **content) -> Path:
    """Fill gallery.html.j2 with the content; returns the path of index.html."""
    jinja = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True,
                        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    jinja.filters["percent"] = percent
    index = folder / "index.html"
    index.write_text(jinja.get_template("gallery.html.j2").render(content) + "\n", encoding="utf-8")
    return index


def percent(share: float) -> str:
    """In words that stay on one line: 0.61 is "61 %", and hardly anything is "under 1 %"."""
    return "under 1\u00a0%" if 0 < share < 0.005 else prose.percent(share).replace(" ", "\u00a0")
