"""The page that `make demo` draws: specimens, and what each method sees, beside the true mask."""

from html import escape
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from .. import images as pictures
from .. import panels, specimens
from ..methods.occlusion import spread
from ..methods.saliency import backprop, smooth_saliency
from ..methods.scores import centre_map, energy_inside, iou, pointing_game
from ..models import NAMES, load_model, untrained, weights
from ..reference.saliency import GuidedReLU, compute_saliency_maps, occlusion_map, segment_by_saliency

SHOWN = ("ladybug", "owl", "hot-air balloon", "starfish", "clock")
PHOTOGRAPHS = ("chelsea", "astronaut", "coffee")
HEADS = ("picture", "true mask", "saliency", "smoothed saliency", "occlusion", "guided backprop", "saliency + GrabCut")

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff; margin: 2.5rem auto; max-width: 72rem; padding: 0 1rem }
td img { max-width: none } th:not(.name) { width: 128px }
h1 { font-size: 1.9rem; margin: 0 } h2 { font-size: 1.25rem; margin: 2.6rem 0 .3rem } p { max-width: 46rem; margin: .4rem 0 1rem }
table { border-collapse: collapse } th { font-weight: 600; font-size: .85rem; padding: .3rem } td { padding: 3px; vertical-align: top; text-align: center }
td img, th img { width: 128px; height: 128px; display: block; image-rendering: auto } td small { color: #666; font-size: .75rem; line-height: 1.25; display: block; min-height: 2.2em }
th.name { text-align: right; padding-right: .7rem; max-width: 9rem } .scores td, .scores th { width: auto; padding: .15rem .9rem; text-align: right; font-variant-numeric: tabular-nums }
.scores tr:nth-child(even) { background: #f4f6f8 } .scores th:first-child, .scores td:first-child { text-align: left } .sheet { width: 100%; max-width: 1024px; display: block }
"""


def make_gallery(folder: Path) -> Path:
    """Draw the gallery page and its pictures into `folder`; returns the path of index.html."""
    folder.mkdir(parents=True, exist_ok=True)
    robust, ordinary = load_model("specimens-robust"), load_model("specimens")
    random = untrained("specimens", generator=torch.Generator().manual_seed(0))
    page = [f"<!doctype html><html lang=en><meta charset=utf-8><title>cs_vis: gallery</title><style>{STYLE}</style>",
            "<h1>What do these networks look at?</h1>",
            "<p>Every specimen below is drawn by code, so the truth is known: each map is scored against the "
            "object's own mask. ✓ says that the strongest pixel lies on the object, the percentage how much of the "
            "map does, IoU how well the cut-out fits.</p>",
            "<h2>Twenty-four kinds of specimen</h2>", contact_sheet(folder)]
    for model, title, text in (
            (robust, "A network trained against small perturbations", "Its gradients lie on the object."),
            (ordinary, "The same network, trained the ordinary way", "Nearly the same accuracy, but noisier gradients."),
            (random, "A network that was never trained", "Guided backprop still draws a crisp picture: it follows the "
             "strongest edges, whatever the weights. A sharp picture is not an explanation.")):
        page += [f"<h2>{title}</h2><p>{text}</p>", specimen_table(folder, model, title)]
    page += ["<h2>Scores</h2><p>Means over one picture of each kind. The first row is a map "
             "that never looks at the picture: a blob in the centre.</p>", score_table((robust, ordinary, random)),
             "<h2>Photographs</h2><p>scikit-image's samples, kept out of training. There is no true mask here, and no "
             "right class either unless an ImageNet network is found (put its weights into the folder CS_VIS_WEIGHTS): "
             "the class shown is the one the network prefers.</p>"]
    page += [photograph_table(folder, model, name) for name, model in photograph_models(robust)]
    index = folder / "index.html"
    index.write_text("\n".join(page) + "\n", encoding="utf-8")
    return index


def contact_sheet(folder):
    """Four frozen pictures of every kind, three kinds to a row."""
    images = specimens.gallery().images.reshape(-1, 8, 3, 128, 128)[:, :4]  # (24, 4, 3, 128, 128)
    rows = images.reshape(8, 12, 3, 128, 128).permute(0, 3, 1, 4, 2)  # (8, 128, 12, 128, 3)
    name = store(folder, "specimens.jpg", rows.reshape(8 * 128, 12 * 128, 3).numpy())
    kinds = ", ".join(specimens.class_names)
    return f'<img class=sheet src="{name}" alt="specimens of all kinds"><p>{escape(kinds)}.</p>'


def maps_of(model, image, y):
    """Saliency, smoothed saliency, occlusion (H, W), guided backprop (3, H, W) and a cut-out (H, W)."""
    target = torch.tensor([y])
    generator = torch.Generator().manual_seed(0)
    saliency = compute_saliency_maps(image, target, model)[0]
    smoothed = smooth_saliency(image, target, model, compute_saliency_maps, samples=8, generator=generator)[0]
    with torch.no_grad():
        whole = model(image).softmax(dim=1)[0, y]
    patch = image.shape[2] // 4
    heat = occlusion_map(image, y, model, patch=patch, stride=patch // 2)
    lost = spread(whole - heat, image.shape[2:], patch, patch // 2).clamp(min=0)
    guided = backprop(model, image, target, relu=GuidedReLU)[0]
    return saliency, smoothed, lost, guided, segment_by_saliency(image, smoothed)


def scores(map, mask):
    """One line of HTML: does the map point at the object, and how much of it lies there?"""
    hit = pointing_game(map[None], mask[None]).item()
    return f"{'✓' if hit else '✗'} {energy_inside(map[None], mask[None]).item():.0%}"


def method_cells(folder, stem, image, maps, mask=None):
    """The cells of one row: each map as a small picture, scored where the true mask is known."""
    saliency, smoothed, lost, guided, cut = maps
    drawn = (panels.grey(saliency), panels.grey(smoothed), panels.heat(image, lost), panels.signed(guided), panels.cut_out(image, cut))
    notes = [""] * 5
    if mask is not None:
        notes = [scores(m, mask) for m in (saliency, smoothed, lost, guided.abs().amax(dim=0))]
        notes.append(f"IoU {iou(cut[None], mask[None]).item():.2f}")
    return [cell(folder, f"{stem}-{i}.png", panel.picture, note) for i, (panel, note) in enumerate(zip(drawn, notes))]


def specimen_table(folder, model, title):
    """One row a specimen: picture, true mask, then what each method shows."""
    gallery, rows = specimens.gallery(), []
    for kind in SHOWN:
        i = 8 * specimens.class_names.index(kind)
        image, mask, y = gallery.images[i:i + 1], gallery.masks[i], gallery.labels[i].item()
        with torch.no_grad():
            probability = model(image).softmax(dim=1)[0, y].item()
        stem = f"{title.split()[-1]}-{kind}".replace(" ", "-")
        cells = [cell(folder, f"{stem}-picture.png", panels.picture(image).picture, f"p = {probability:.2f}"),
                 cell(folder, f"{stem}-mask.png", panels.picture(mask).picture, f"{mask.float().mean():.0%} of the frame")]
        cells += method_cells(folder, stem, image, maps_of(model, image, y), mask)
        rows.append(row(kind, cells))
    return table(HEADS, rows)


def score_table(models):
    """Mean scores of saliency, smoothed saliency and guided backprop over one frozen picture of each kind."""
    gallery = specimens.gallery()
    images, labels, masks = (x[::8] for x in gallery[:3])
    centre = centre_map(*images.shape[2:]).expand(len(images), -1, -1)
    lines = [score_line("the image centre", "", centre, masks)]
    for name, model in zip(("robust", "ordinary", "untrained"), models):
        generator = torch.Generator().manual_seed(0)
        lines += [score_line("saliency", name, compute_saliency_maps(images, labels, model), masks),
                  score_line("smoothed saliency", name, smooth_saliency(
                      images, labels, model, compute_saliency_maps, samples=4, generator=generator), masks),
                  score_line("guided backprop", name, backprop(model, images, labels, relu=GuidedReLU).abs().amax(dim=1), masks)]
    head = "<tr><th>method<th>network<th>pointing game<th>energy inside"
    return f"<table class=scores>{head}{''.join(lines)}</table>"


def score_line(method, network, maps, masks):
    pointing, energy = pointing_game(maps, masks).float().mean(), energy_inside(maps, masks).mean()
    return f"<tr><td>{method}<td>{network}<td>{pointing:.2f}<td>{energy:.2f}"


def photograph_models(robust):
    """The robust specimen network, after SqueezeNet where CS_VIS_WEIGHTS has its weights."""
    names = [name for name in ("squeezenet1_0", "squeezenet1_1") if weights.in_folder(name, NAMES)]
    return [(name, load_model(name)) for name in names[:1]] + [("specimens-robust", robust)]


def photograph_table(folder, model, name):
    rows = []
    for photo in PHOTOGRAPHS:
        image = pictures.photo(photo, size=(224, 224))
        with torch.no_grad():
            probabilities = model(image).softmax(dim=1)[0]
        y = probabilities.argmax().item()
        stem = f"{name}-{photo}"
        cells = [cell(folder, f"{stem}-picture.png", panels.picture(image).picture, f"{model.class_names[y]}, p = {probabilities[y]:.2f}")]
        rows.append(row(photo, cells + method_cells(folder, stem, image, maps_of(model, image, y))))
    return f"<h3>{name}</h3>" + table((HEADS[0], *HEADS[2:]), rows)


def table(heads, rows):
    return "<table><tr><th>" + "".join(f"<th>{head}" for head in heads) + "".join(rows) + "</table>"


def row(name, cells):
    return f"<tr><th class=name>{escape(name)}" + "".join(cells)


def cell(folder, name, picture, note):
    return f'<td><img src="{store(folder, name, picture)}" alt="{escape(name[:-4])}"><small>{escape(note)}</small>'


def store(folder, name, picture):
    """Write a picture (H, W, 3) in [0, 1] beside the page; returns its name for the page."""
    Image.fromarray(np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)).save(folder / name, quality=88)
    return name
