"""The page that `make demo` draws: specimens, and what each method sees, beside the true mask."""

from html import escape
from pathlib import Path

import torch

from .. import images as pictures
from .. import plots, specimens
from ..methods.occlusion import occlusion_loss
from ..methods.saliency import backprop, smooth_saliency
from ..methods.scores import centre_map, energy_inside, iou, pointing_game
from ..models import NAMES, load_model, untrained, weights
from ..reference.saliency import (GuidedReLU, compute_saliency_maps, occlusion_map,
                                  segment_by_saliency)
from .page import HEAD, cell, row, store, table

SHOWN = ("ladybug", "owl", "hot-air balloon", "starfish", "clock")
PHOTOGRAPHS = ("chelsea", "astronaut", "coffee")
METHODS = ("saliency", "smoothed saliency", "occlusion", "guided backprop", "saliency + GrabCut")


def make_gallery(folder: Path) -> Path:
    """Draw the gallery page and its pictures into `folder`; returns the path of index.html."""
    folder.mkdir(parents=True, exist_ok=True)
    networks = {
        "robust": load_model("specimens-robust"), "ordinary": load_model("specimens"),
        "untrained": untrained("specimens", generator=torch.Generator().manual_seed(0))}
    page = [HEAD, "<h1>What do these networks look at?</h1>",
            "<p>Every specimen below is drawn by code, so the truth is known, and each map is "
            "scored against the object's own mask. ✓ says that the strongest pixel lies on the "
            "object, the percentage how much of the map does, IoU how well the cut-out fits.</p>",
            "<h2>Twenty-four kinds of specimen</h2>", contact_sheet(folder)]
    for name, title, text in (
            ("robust", "A network trained against small perturbations",
             "Its gradients are smoother, and more of them lie on the object."),
            ("ordinary", "The same network, trained the ordinary way",
             "About as accurate, but its gradients are noisier."),
            ("untrained", "A network that was never trained",
             "Guided backprop still draws a crisp picture: it follows the strongest edges, "
             "whatever the weights. A sharp picture is not an explanation.")):
        page += [f"<h2>{title}</h2><p>{text}</p>", specimen_table(folder, name, networks[name])]
    page += ["<h2>Scores</h2><p>Means over one picture of each kind. The first row is a map that "
             "never looks at the picture: a blob in the centre.</p>", score_table(networks),
             "<h2>Photographs</h2><p>scikit-image's samples, kept out of training. There is no "
             "true mask here; the class asked about is the one that the network prefers. The "
             "specimen network has never seen a cat: its answer says only what a cat looks like "
             "to someone who knows twenty-four things. With ImageNet weights in the folder "
             "CS_VIS_WEIGHTS, SqueezeNet answers too.</p>"]
    for name, model in photograph_networks(networks["robust"]):
        page.append(photograph_table(folder, name, model))
    index = folder / "index.html"
    index.write_text("\n".join(page) + "\n", encoding="utf-8")
    return index


def contact_sheet(folder):
    """Four frozen pictures of every kind, three kinds to a row."""
    images = specimens.gallery().images.reshape(-1, 8, 3, 128, 128)[:, :4]  # (24, 4, 3, 128, 128)
    rows = images.reshape(8, 12, 3, 128, 128).permute(0, 3, 1, 4, 2)  # (8, 128, 12, 128, 3)
    name = store(folder, "specimens.jpg", rows.reshape(8 * 128, 12 * 128, 3).numpy())
    kinds = escape(", ".join(specimens.class_names))
    return f'<img class=sheet src="{name}" alt="specimens of all kinds"><p>{kinds}.</p>'


def maps_of(model, image, y):
    """Three maps (H, W), guided backprop (3, H, W) and a cut-out (H, W), in METHODS' order."""
    target, generator = torch.tensor([y]), torch.Generator().manual_seed(0)
    saliency = compute_saliency_maps(image, target, model)[0]
    smoothed = smooth_saliency(image, target, model, compute_saliency_maps, samples=8,
                               generator=generator)[0]
    patch = image.shape[2] // 4
    lost = occlusion_loss(image, target, model, occlusion_map, patch=patch, stride=patch // 2)[0]
    guided = backprop(model, image, target, relu=GuidedReLU)[0]
    return saliency, smoothed, lost, guided, segment_by_saliency(image, saliency)


@torch.no_grad()
def probabilities(model, image):
    return model(image).softmax(dim=1)[0]  # (K,)


def method_cells(folder, stem, image, maps, mask=None):
    """One cell a method: its picture, and its score where the true mask is known."""
    saliency, smoothed, lost, guided, cut = maps
    drawn = (plots.grey(saliency), plots.grey(smoothed), plots.heat(image, lost),
             plots.signed(guided), plots.cut_out(image, cut))
    notes = [""] * len(METHODS)
    if mask is not None:
        notes = [score(m, mask) for m in (saliency, smoothed, lost, guided.abs().amax(dim=0))]
        notes.append(f"IoU {iou(cut[None], mask[None]).item():.2f}")
    return [cell(folder, f"{stem}-{i}.png", one.pixels, note)
            for i, (one, note) in enumerate(zip(drawn, notes))]


def score(map, mask):
    """Does the map point at the object, and how much of it lies there?"""
    hit = pointing_game(map[None], mask[None]).item()
    return f"{'✓' if hit else '✗'} {energy_inside(map[None], mask[None]).item():.0%}"


def specimen_table(folder, name, model):
    """One row a specimen: picture, true mask, then what each method shows."""
    gallery, rows = specimens.gallery(), []
    for kind in SHOWN:
        i = 8 * specimens.class_names.index(kind)
        image, mask, y = gallery.images[i:i + 1], gallery.masks[i], gallery.labels[i].item()
        stem = f"{name}-{kind}".replace(" ", "-")
        sure = f"p = {probabilities(model, image)[y]:.2f}"
        share = f"{mask.float().mean():.0%} of the frame"
        rows.append(row(kind, [
            cell(folder, f"{stem}-picture.png", plots.picture(image).pixels, sure),
            cell(folder, f"{stem}-mask.png", plots.picture(mask).pixels, share),
            *method_cells(folder, stem, image, maps_of(model, image, y), mask)]))
    return table(("picture", "true mask", *METHODS), rows)


def score_table(networks):
    """Mean scores of three methods over one frozen picture of each kind."""
    gallery = specimens.gallery()
    images, labels, masks = (x[::8] for x in gallery[:3])
    centre = centre_map(*images.shape[2:]).expand(len(images), -1, -1)
    lines = ["<tr><th>method<th>network<th>pointing game<th>energy inside",
             score_line("the image centre", "", centre, masks)]
    for name, model in networks.items():
        generator = torch.Generator().manual_seed(0)
        maps = {"saliency": compute_saliency_maps(images, labels, model),
                "smoothed saliency": smooth_saliency(images, labels, model, compute_saliency_maps,
                                                     samples=4, generator=generator),
                "guided backprop": backprop(model, images, labels,
                                            relu=GuidedReLU).abs().amax(dim=1)}
        lines += [score_line(method, name, map, masks) for method, map in maps.items()]
    return f"<table class=scores>{''.join(lines)}</table>"


def score_line(method, network, maps, masks):
    pointing = pointing_game(maps, masks).float().mean()
    energy = energy_inside(maps, masks).mean()
    return f"<tr><td>{method}<td>{network}<td>{pointing:.2f}<td>{energy:.2f}"


def photograph_networks(robust):
    """The robust specimen network, after SqueezeNet where CS_VIS_WEIGHTS has its weights."""
    names = [name for name in ("squeezenet1_0", "squeezenet1_1") if weights.in_folder(name, NAMES)]
    return [(name, load_model(name)) for name in names[:1]] + [("specimens-robust", robust)]


def photograph_table(folder, name, model):
    """One row a photograph: the picture with the network's answer, then what each method shows."""
    rows = []
    for photo in PHOTOGRAPHS:
        image = pictures.photo(photo, size=(224, 224))
        p, y = probabilities(model, image).max(dim=0)
        said = f"{model.class_names[y]}, p = {p:.2f}"
        first = cell(folder, f"{name}-{photo}.png", plots.picture(image).pixels, said)
        cells = method_cells(folder, f"{name}-{photo}", image, maps_of(model, image, y.item()))
        rows.append(row(photo, [first, *cells]))
    return f"<h3>{name}</h3>" + table(("picture", *METHODS), rows)
