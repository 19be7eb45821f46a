"""Draw the pictures of the README and of the model card: python docs/figures.py [NAME ...]

The class pictures are those of benchmarks/class_pictures.py, which docs/blind has named blind.
"""

import sys
from pathlib import Path

import torch

from cs_vis import load_model, plots, specimens
from cs_vis.methods.occlusion import occlusion_loss
from cs_vis.methods.saliency import backprop, smooth_saliency
from cs_vis.reference.saliency import (GuidedReLU, compute_saliency_maps, occlusion_map,
                                       segment_by_saliency)

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))
from class_pictures import class_pictures  # noqa: E402

FOLDER = Path(__file__).parent / "figures"
KINDS = ("ladybug", "owl", "hot-air balloon", "starfish")


def class_figure(name):
    model = load_model(name)
    pictures = class_pictures(model, torch.Generator().manual_seed(0)).split(1)
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
        lost = occlusion_loss(image, y, model, occlusion_map, patch=64, stride=8)[0]
        guided = backprop(model, image, y, relu=GuidedReLU)
        whole = model(image).softmax(dim=1)[0, y].item()
        rows.append([plots.outlined(image, mask), plots.grey(saliency), plots.grey(smoothed),
                     plots.occlusion_picture(whole - lost, whole, image), plots.signed(guided),
                     plots.cut_out(image, segment_by_saliency(image, smoothed))])
    bare = [[plots.picture(one)._replace(note="") for one in row] for row in rows]
    return plots.show(bare, ["true mask", "saliency", "smoothed", "occlusion", "guided backprop",
                             "GrabCut"], height=1.3)


def sheet():
    """Four frozen specimens of every kind."""
    images = specimens.gallery().images.split(1)
    rows = [[images[8 * kind + i] for kind in range(first, first + 4) for i in range(3)]
            for first in range(0, 24, 4)]
    return plots.show(rows, height=0.85)


def main():
    FOLDER.mkdir(exist_ok=True)
    figures = {"methods": method_figure, "specimens": sheet,
               "classes-robust": lambda: class_figure("specimens-robust"),
               "classes-ordinary": lambda: class_figure("specimens")}
    for name in sys.argv[1:] or figures:
        figures[name]().savefig(FOLDER / f"{name}.jpg", dpi=130, pil_kwargs={"quality": 85})


if __name__ == "__main__":
    main()
