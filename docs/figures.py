"""Draw the pictures of the README and of the model card: python docs/figures.py [--steps 80]

The class pictures are the proof that the networks learned the kinds: gradient ascent on a class
score from grey noise, with jitter, a little blur and L2 (Yosinski et al. 2015), coarse to fine.
"""

import argparse
from pathlib import Path

import torch
import torch.nn.functional as F
from tqdm.auto import trange

from cs_vis import load_model, plots, specimens
from cs_vis.methods.occlusion import occlusion_loss
from cs_vis.methods.saliency import backprop, smooth, smooth_saliency
from cs_vis.reference.saliency import (GuidedReLU, compute_saliency_maps, occlusion_map,
                                       segment_by_saliency)

FOLDER = Path(__file__).parent / "figures"
KINDS = ("ladybug", "owl", "hot-air balloon", "starfish")


def class_pictures(model, steps, generator):
    """A picture for every class (K, 3, 128, 128) that makes its score as large as possible."""
    pictures = 0.5 + 0.1 * torch.randn(len(model.class_names), 3, 64, 64, generator=generator)
    for size in (64, 128):  # coarse to fine
        pictures = F.interpolate(pictures, (size, size), mode="bicubic", align_corners=False)
        for step in trange(steps):
            dx, dy = torch.randint(-size // 12, size // 12 + 1, (2,), generator=generator).tolist()
            moved = pictures.roll((dy, dx), (2, 3)).requires_grad_()
            gradient, = torch.autograd.grad(score(model, moved), moved)
            gradient = gradient / gradient.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
            rate = 0.014 * (1 - 0.7 * step / steps)
            pictures = pictures + rate * gradient.roll((-dy, -dx), (2, 3))
            pictures = 0.5 + 0.995 * (pictures - 0.5)  # L2: what nothing asks for fades to grey
            if step % 4 == 3:
                pictures = smooth(pictures.flatten(0, 1), 0.5).view_as(pictures)
            pictures = pictures.clamp(0, 1)
    return pictures


def score(model, pictures):
    """The score of class k for picture k, from near and from afar: that asks for large things."""
    far = [1, 2, 3] if pictures.shape[2] > 100 else [1, 2]
    return sum(model(F.avg_pool2d(pictures, zoom)).diagonal().sum() for zoom in far)


def class_figure(name, steps):
    model = load_model(name)
    pictures = class_pictures(model, steps, torch.Generator().manual_seed(0)).split(1)
    rows = [list(pictures[i:i + 8]) for i in range(0, len(pictures), 8)]
    titles = [model.class_names[i:i + 8] for i in range(0, len(pictures), 8)]
    return plots.show(rows, titles, height=1.25)


def method_figure():
    """The README's picture: four specimens, what each method shows, and the truth."""
    model, gallery, rows = load_model("specimens-robust"), specimens.gallery(), []
    for kind in KINDS:
        i = 8 * specimens.class_names.index(kind)
        image, mask, y = gallery.images[i:i + 1], gallery.masks[i], gallery.labels[i:i + 1]
        generator = torch.Generator().manual_seed(0)
        saliency = compute_saliency_maps(image, y, model)[0]
        smoothed = smooth_saliency(image, y, model, compute_saliency_maps, generator=generator)[0]
        lost = occlusion_loss(image, y, model, occlusion_map, patch=32, stride=8)[0]
        guided = backprop(model, image, y, relu=GuidedReLU)
        rows.append([plots.outlined(image, mask), plots.grey(saliency), plots.grey(smoothed),
                     plots.heat(image, lost),
                     plots.signed(guided), plots.cut_out(image,
                                                         segment_by_saliency(image, smoothed))])
    bare = [[panel._replace(note="") for panel in row] for row in rows]
    return plots.show(bare, ["true mask", "saliency", "smoothed", "occlusion", "guided backprop",
                             "GrabCut"], height=1.3)


def sheet():
    """Four frozen specimens of every kind."""
    images = specimens.gallery().images.split(1)
    rows = [[images[8 * kind + i] for kind in range(first, first + 4) for i in range(3)]
            for first in range(0, 24, 4)]
    return plots.show(rows, height=0.85)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=80)
    steps = parser.parse_args().steps
    FOLDER.mkdir(exist_ok=True)
    figures = {"methods": method_figure, "specimens": sheet,
               "classes-robust": lambda: class_figure("specimens-robust", steps),
               "classes-ordinary": lambda: class_figure("specimens", steps)}
    for name, draw in figures.items():
        draw().savefig(FOLDER / f"{name}.jpg", dpi=130, pil_kwargs={"quality": 85})


if __name__ == "__main__":
    main()
