"""Do the maps point at the object? Pointing game, energy inside the mask, IoU, on fresh images.

    python benchmarks/attribution.py [--images 100] [--networks NAME_OR_FILE ...]

Each method on the ordinary, the robust and an untrained network, or on those named (a shipped name,
"untrained", a .safetensors file), beside the image-centre baseline.
Prints a Markdown table, then one JSON object per line. 500 images take about a quarter of an
hour on one core.
"""

import argparse
import json
from itertools import product

import torch
from tqdm.auto import tqdm

import candidates
from cs_vis import pick_device, specimens
from cs_vis.methods.occlusion import occlusion_loss
from cs_vis.methods.saliency import backprop, smooth_saliency
from cs_vis.methods.scores import centre_map, energy_inside, iou, pointing_game
from cs_vis.models import untrained
from cs_vis.reference.saliency import (GuidedReLU, compute_saliency_maps, positions,
                                       segment_by_saliency)

SEED = 21
NETWORKS = ("specimens", "specimens-robust", "untrained")


@torch.no_grad()
def windows_at_once(image, y, model, patch, stride):
    """occlusion_map with all windows in one batch: the same values, sooner."""
    tops, lefts = (positions(side, patch, stride) for side in image.shape[2:])
    covered = image.repeat(len(tops) * len(lefts), 1, 1, 1)  # (rows * cols, 3, H, W)
    for one, (top, left) in zip(covered, product(tops, lefts)):
        one[:, top:top + patch, left:left + patch] = model.mean_color.view(3, 1, 1)
    return model(covered).softmax(dim=1)[:, y].view(len(tops), len(lefts))


def occlusion(images, labels, model):
    return occlusion_loss(images, labels, model, windows_at_once, patch=32, stride=24)


def smoothed(images, labels, model):
    generator = torch.Generator().manual_seed(0)
    return smooth_saliency(images, labels, model, compute_saliency_maps, samples=4,
                           generator=generator)


def guided(images, labels, model):
    return backprop(model, images, labels, relu=GuidedReLU).abs().amax(dim=1)


METHODS = {
    "saliency": compute_saliency_maps,
    "smoothed saliency (4 noisy copies)": smoothed,
    "guided backprop": guided,
    "occlusion": occlusion,
}


def scored(maps, images, masks, *, cut=False):
    """Pointing game and energy of each map, and IoU of GrabCut started from it."""
    figures = {"pointing": pointing_game(maps, masks).float().mean().item(),
               "energy": energy_inside(maps, masks).mean().item()}
    if cut:
        found = torch.stack([segment_by_saliency(image, one) for image,
                             one in zip(images.split(1), maps)])
        figures["IoU"] = iou(found, masks).mean().item()
    return figures


def measure(model, images, labels, masks):
    rows = {}
    for method, run in tqdm(METHODS.items(), leave=False):
        maps = torch.cat([run(x, y, model) for x, y in zip(images.split(25), labels.split(25))])
        rows[method] = scored(maps, images, masks, cut="saliency" in method or "guided" in method)
    return rows


def network(name, device):
    if name == "untrained":
        return untrained("specimens", generator=torch.Generator().manual_seed(0)).to(device)
    return candidates.network(name, device)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--networks", nargs="+", default=NETWORKS, metavar="NAME_OR_FILE")
    options, device = parser.parse_args(), pick_device()
    count = options.images
    images, labels, masks = (x.to(device) for x in specimens.batch(count, SEED, workers=-1))
    models = {name: network(name, device) for name in options.networks}
    centre = centre_map(*images.shape[2:]).to(device).expand(count, -1, -1)
    table = {("no network", "image centre"): scored(centre, images, masks, cut=True)}
    for name, model in models.items():
        for method, figures in measure(model, images, labels, masks).items():
            table[name, method] = figures

    share = masks.float().mean()
    print(f"| {count} fresh images, objects cover {share:.0%} | method | pointing | energy | IoU |")
    print("| --- | --- | --- | --- | --- |")
    for (name, method), figures in table.items():
        cells = [f"{figures[key]:.2f}" if key in figures else ""
                 for key in ("pointing", "energy", "IoU")]
        print(f"| {name} | {method} | " + " | ".join(cells) + " |")
    for (name, method), figures in table.items():
        for key, value in figures.items():
            print(json.dumps({"figure": f"{name}: {method}: {key}", "value": round(value, 4)}))


if __name__ == "__main__":
    main()
