"""The page that `make demo` draws: the same specimen seen by three networks, and what follows."""

import shutil
from pathlib import Path

import torch
from matplotlib import colormaps
from matplotlib.colors import to_hex
from PIL import Image

from .. import images as pictures
from .. import plots, specimens
from ..course import ROOT
from ..methods.occlusion import occlusion_loss
from ..methods.saliency import backprop, smooth_saliency
from ..methods.scores import centre_map, energy_inside, iou, pointing_game
from ..models import NAMES, load_model, untrained, weights
from ..plots.covered import COLORS
from ..reference.saliency import (GuidedReLU, compute_saliency_maps, occlusion_map,
                                  segment_by_saliency)
from .page import Seen, percent, store, write
from .prose import article

# Each kind with a question for the class.
SHOWN = {
    "hot-air balloon": "Which network needs its stripes, and which one its basket?",
    "ladybug": "Which of it does each network need: the dots, the head, the legs? Or the wall?",
    "owl": "Whose map finds its eyes? And whose map draws every feather, and the wall as well?",
    "starfish": "Where a cut-out fits, who did the work: the map, or the starfish's bright colour?",
    "clock": "The hands or the rim: what makes it a clock?"}
IMAGENET = "SqueezeNet"
SIDE, IMAGENET_SIDE = 128, 224  # pixels: what the small networks learned from, and SqueezeNet
PHOTOGRAPHS = {"chelsea": "cat", "coffee": "cup of coffee", "flower": "flower"}
METHODS = {"saliency": "saliency map", "smoothed saliency": "smoothed saliency map",
           "occlusion": "occlusion map", "guided backprop": "guided backprop",
           "cut-out": "cut-out"}

# Committed pictures (docs/figures.py) of the notebooks that look inside, and what to say.
INSIDE = {
    "datasets/filters_and_activations/guided.jpg": (
        "What does a channel look for?",
        "Of 5,000 drawings, the nine patches at which a channel of the robust network is largest, "
        "and beneath them what excites it there, by guided backprop: seeds, a band of dots, a rind, "
        "the eye on a wing."),
    "docs/figures/feature-space.jpg": (
        "What lies beside what?",
        "400 drawings, each near those that the ordinary network's last features find most like "
        "it: whatever the ground and the colour, kind comes to kind.")}
# The same of the notebooks that change the picture.
CHANGED = {
    "docs/figures/fooling.jpg": (
        "How little does it take?",
        "Six drawings, each led to the class of the one before it, on both networks. Under each, "
        "what was changed, for its eyes: mid-grey is nothing."),
    "docs/figures/classes-robust.jpg": (
        "What would it like to see?",
        "Start from grey noise and climb the score of a class: the robust network's idea of each "
        "thing."),
    "docs/figures/natural.jpg": (
        "And if it has to look natural?",
        "The same climb, through a generator: it moves the 90 numbers of a code, and not the "
        "pixels."),
    "docs/figures/inversion.jpg": (
        "What is left of a picture?",
        "Each picture is made from nothing but what a layer computes of the one on the left, "
        "starting from grey noise: first everything, then the things without their colours, then "
        "a rumour."),
    "datasets/deepdream/poster.jpg": (
        "And more of what is there already",
        "A photograph of a cup of coffee, in which the robust network's last layers were made "
        "stronger: it never saw coffee, and it knows watermelons, pineapples and mushrooms.")}


def make_gallery(folder: Path) -> Path:
    """Draw the gallery page and its pictures into `folder`; returns the path of index.html."""
    folder.mkdir(parents=True, exist_ok=True)
    networks = small_networks()
    trained = {name: networks[name] for name in ("robust", "ordinary")} | imagenet()
    return write(
        folder, methods=list(METHODS), kinds=contact_sheet(folder),
        specimens=[specimen_block(folder, kind, networks) for kind in SHOWN],
        scores=score_table(networks), has_imagenet=IMAGENET in trained,
        inside=[committed_block(folder, *entry) for entry in INSIDE.items()],
        changed=[committed_block(folder, *entry) for entry in CHANGED.items()],
        photographs=[photograph_block(folder, name, trained) for name in PHOTOGRAPHS],
        occlusion_colors=[to_hex(colormaps[COLORS](i / 4)) for i in range(5)])


def small_networks():
    return {"robust": load_model("specimens-robust"), "ordinary": load_model("specimens"),
            "untrained": untrained("specimens", generator=torch.Generator().manual_seed(0))}


def imagenet():
    """SqueezeNet, where the folder CS_VIS_WEIGHTS has its weights."""
    names = [name for name in ("squeezenet1_0", "squeezenet1_1") if weights.in_folder(name, NAMES)]
    return {IMAGENET: load_model(name) for name in names[:1]}


def contact_sheet(folder):
    """One frozen picture of every kind, and all eight of it for who wants to see more."""
    eight = specimens.gallery().images.reshape(-1, 8, 3, 128, 128)  # (24, 8, 3, 128, 128)
    sheet = []
    for kind, images in zip(specimens.class_names, eight):
        rows = images.reshape(2, 4, 3, 128, 128).permute(0, 3, 1, 4, 2)  # (2, 128, 4, 128, 3)
        name = stem("kind", kind)
        store(folder, name, plots.picture(images[0]).pixels)
        store(folder, f"{name}-eight", rows.reshape(256, 512, 3).numpy())
        sheet.append((kind, Seen(name, f"{a(kind)}, drawn by code"),
                      Seen(f"{name}-eight", f"eight drawings of {a(kind)}, no two alike")))
    return sheet


def specimen_block(folder, kind, networks):
    """One specimen: its true outline, and a row for each network."""
    gallery, i = specimens.gallery(), 8 * specimens.class_names.index(kind)
    image, mask = gallery.images[i:i + 1], gallery.masks[i]
    covers = mask.float().mean().item()
    first = Seen(stem(kind), f"{a(kind)}, outlined in yellow: it covers {percent(covers)} "
                             f"of the picture")
    store(folder, first.name, plots.outlined(image, mask).pixels)
    rows = []
    for name, model in networks.items():
        p, y = probabilities(model, image), gallery.labels[i].item()
        asked = f"the {name} network for {a(kind)}"
        rows.append({"network": name, "says": answer(model, p, y), "seen":
                     method_pictures(folder, stem(kind, name), asked, image, model, y,
                                     p[y].item(), mask)})
    return {"kind": kind, "question": SHOWN[kind], "covers": covers, "first": first, "rows": rows}


def committed_block(folder, file, about):
    """A committed picture, copied beside the page."""
    title, words = about
    copy = Path(shutil.copy(ROOT / file, folder))
    with Image.open(copy) as picture:
        width, height = picture.size
    return {"name": copy.stem, "title": title, "words": words, "width": width, "height": height}


def photograph_block(folder, photo, networks):
    """One photograph, at the size each network learned from, asked about the network's own answer.

    There is no true outline here, and so no score.
    """
    kind, rows, like = PHOTOGRAPHS[photo], [], []
    first = Seen(stem("photo", kind), f"photograph of {a(kind)}")
    store(folder, first.name, plots.picture(pictures.photo(photo, size=(256, 256))).pixels)
    for name, model in networks.items():
        side = IMAGENET_SIDE if name == IMAGENET else SIDE
        image = pictures.photo(photo, size=(side, side))
        p = probabilities(model, image)
        y = p.argmax().item()
        best = a(model.class_names[y])
        if name != IMAGENET and best not in like:
            like.append(best)
        asked = f"the {name} network for a photograph of {a(kind)}, asked why it is {best}"
        rows.append({"network": name, "says": answer(model, p, y), "seen":
                     method_pictures(folder, stem("photo", kind, name), asked, image, model,
                                     y, p[y].item())})
    question = f"What in it looks like {', and what like '.join(like)}?"
    return {"kind": kind, "question": question, "first": first, "rows": rows}


def maps_of(model, image, y, patch):
    """Three maps (H, W), guided backprop (3, H, W) and a cut-out (H, W), in METHODS' order."""
    target, generator = torch.tensor([y]), torch.Generator().manual_seed(0)
    saliency = compute_saliency_maps(image, target, model)[0]
    smoothed = smooth_saliency(image, target, model, compute_saliency_maps, samples=8,
                               generator=generator)[0]
    lost = occlusion_loss(image, target, model, occlusion_map, patch=patch,
                          stride=image.shape[2] // 8)[0]
    guided = backprop(model, image, target, relu=GuidedReLU)[0]
    return saliency, smoothed, lost, guided, segment_by_saliency(image, saliency)


def method_pictures(folder, beginning, asked, image, model, y, whole, mask=None):
    """What each method shows, with its score where the true mask is known.

    whole: the probability of y on the whole picture.
    """
    # Half the picture: a smaller patch costs a trained network next to nothing on a specimen.
    patch = image.shape[2] // (4 if mask is None else 2)
    saliency, smoothed, lost, guided, cut = maps = maps_of(model, image, y, patch)
    drawn = (plots.grey(saliency), plots.grey(smoothed),
             plots.occlusion_picture(whole - lost, whole, image), plots.signed(guided),
             plots.cut_out(image, cut))
    seen = []
    for (method, words), map, one in zip(METHODS.items(), maps, drawn):
        name = stem(beginning, method)
        store(folder, name, one.pixels)
        shown = Seen(name, f"{words} of {asked}", one.note)
        seen.append(shown if mask is None else scored(shown, map, mask))
    return seen


def scored(shown, map, mask):
    """The picture with its score: how well a cut-out fits, how much of a map is on the object."""
    if map.dtype == torch.bool:
        fits = iou(map[None], mask[None]).item()
        return shown._replace(alt=f"{shown.alt}: {percent(fits)} overlap with it", share=fits)
    map = map.abs().amax(dim=0) if map.ndim == 3 else map  # (3, H, W) -> (H, W)
    hit = pointing_game(map[None], mask[None]).item()
    share = energy_inside(map[None], mask[None]).item()
    return shown._replace(
        alt=f"{shown.alt}: {percent(share)} of it lies on the object, "
            f"{'and so does' if hit else 'but not'} its strongest pixel",
        hit=hit, share=share, chance=mask.float().mean().item())


@torch.no_grad()
def probabilities(model, image):
    return model(image).softmax(dim=1)[0]  # (K,)


def answer(model, p, y):
    """What the network says, how sure it is, and how sure of class y where that is another."""
    best = p.argmax().item()
    said = f"{model.class_names[best]}, {percent(p[best])}\u00a0sure"
    return said if best == y else f"{said}; {model.class_names[y]}, {percent(p[y])}"


def score_table(networks):
    """Mean scores over one frozen picture of each kind: the image centre's, then each method's."""
    gallery = specimens.gallery()
    images, labels, masks = (x[::8] for x in gallery[:3])
    centre = centre_map(*images.shape[2:]).expand(len(images), -1, -1)
    methods = {"saliency": {}, "smoothed saliency": {}, "guided backprop": {}}
    for name, model in networks.items():
        generator = torch.Generator().manual_seed(0)
        maps = (compute_saliency_maps(images, labels, model),
                smooth_saliency(images, labels, model, compute_saliency_maps, samples=4,
                                generator=generator),
                backprop(model, images, labels, relu=GuidedReLU).abs().amax(dim=1))
        for method, map in zip(methods.values(), maps):
            method[name] = score(map, masks)
    return {"count": len(images), "centre": score(centre, masks), "methods": methods}


def score(maps, masks):
    """How many of the strongest pixels lie on the object, and how much of the maps does."""
    return {"hits": pointing_game(maps, masks).float().mean().item(),
            "inside": energy_inside(maps, masks).mean().item()}


def stem(*words):
    """The words as a file's name, and as an id of HTML."""
    return "-".join(words).lower().replace(" ", "-")


def a(kind):
    return f"{article(kind.lower()).split()[0]} {kind}"  # "a clock", "an Egyptian cat"
