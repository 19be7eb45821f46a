"""A sheet of 24 class pictures to be named blind, and its key.

    python docs/blind/make_sheet.py NAME_OR_FILE --out docs/blind/NAME.jpg --shuffle SEED

The pictures are those of benchmarks/class_pictures.py, in an order that the seed shuffles; beside
it lies its key, NAME.json. Give every network another seed.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont

from cs_vis import images, pick_device

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
from candidates import network  # noqa: E402
from class_pictures import class_pictures  # noqa: E402

ROWS, COLUMNS = 4, 6
TILE, GAP, LINE = 192, 12, 30  # pixels: a picture's side, between pictures, for a number


def shuffled(count, seed):
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed)).tolist()


def sheet(pictures):
    """Pictures (24, 3, H, W) in rows, each enlarged and with its number above it."""
    wide, tall = GAP + COLUMNS * (TILE + GAP), GAP + ROWS * (LINE + TILE + GAP)
    page = Image.new("RGB", (wide, tall), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(24)
    for place, one in enumerate(pictures.split(1)):
        row, column = divmod(place, COLUMNS)
        x, y = GAP + column * (TILE + GAP), GAP + row * (LINE + TILE + GAP)
        pen.text((x + TILE // 2, y + LINE // 2), str(place + 1), "black", font, anchor="mm")
        tile = images.to_pil(one).resize((TILE, TILE), Image.Resampling.LANCZOS)
        page.paste(tile, (x, y + LINE))
    return page


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", metavar="NAME_OR_FILE")
    parser.add_argument("--out", type=Path, required=True, metavar="NAME.jpg")
    parser.add_argument("--shuffle", type=int, required=True, metavar="SEED")
    options = parser.parse_args()
    model = network(options.network, pick_device())
    order = shuffled(len(model.class_names), options.shuffle)
    pictures = class_pictures(model, torch.Generator().manual_seed(0))[order]

    sheet(pictures).save(options.out, quality=88, optimize=True)
    key = {"network": options.network, "shuffle": options.shuffle,
           "order": [model.class_names[k] for k in order]}
    options.out.with_suffix(".json").write_text(json.dumps(key, indent=1) + "\n")


if __name__ == "__main__":
    main()
