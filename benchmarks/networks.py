"""How good are the two specimen networks? Accuracy, accuracy per kind, calibration, robustness.

    python benchmarks/networks.py [--images 4000] [--attacked 200]

Prints a Markdown table, then one JSON object per line. The images are fresh: their seed was not
used in training.
"""

import argparse
import json

import torch
import torch.nn.functional as F
from tqdm.auto import tqdm

from cs_vis import load_model, pick_device, specimens

SEED = 20
GOALS = {"specimens": 0.99, "specimens-robust": 0.97}
RADII = (2, 6)  # in 1/255, largest change of any value of the picture
STEPS = 20


def scores_of(model, images, device):
    with torch.no_grad():
        return torch.cat([model(part.to(device)).cpu()
                          for part in tqdm(images.split(100), leave=False)])


def calibration_error(scores, labels, bins=10):
    """Expected calibration error (Guo et al. 2017): how far confidence and accuracy lie apart."""
    confidence, predicted = scores.softmax(dim=1).max(dim=1)
    correct = (predicted == labels).float()
    which = (confidence * bins).long().clamp(max=bins - 1)
    gaps = [(which == b).float().mean() * (confidence[which == b].mean()
                                           - correct[which == b].mean()).abs()
            for b in range(bins) if (which == b).any()]
    return sum(gaps).item()


def attack(model, images, labels, radius, generator):
    """Projected gradient ascent of the cross-entropy (Madry et al. 2018), from a random start."""
    delta = (torch.rand(images.shape, generator=generator).to(images) * 2 - 1) * radius
    for _ in range(STEPS):
        attacked = (images + delta).clamp(0, 1).requires_grad_()
        loss = F.cross_entropy(model(attacked), labels, reduction="sum")
        gradient, = torch.autograd.grad(loss, attacked)
        delta = (delta + 2.5 / STEPS * radius * gradient.sign()).clamp(-radius, radius)
    return (images + delta).clamp(0, 1)


def robust_accuracy(model, images, labels, radius, device):
    generator, correct = torch.Generator().manual_seed(0), 0
    for x, y in zip(tqdm(images.split(50), leave=False), labels.split(50)):
        x, y = x.to(device), y.to(device)
        attacked = attack(model, x, y, radius, generator)
        with torch.no_grad():
            correct += (model(attacked).argmax(dim=1) == y).sum().item()
    return correct / len(labels)


def measure(name, images, labels, attacked, device):
    model = load_model(name, device=device)
    scores = scores_of(model, images, device)
    correct = (scores.argmax(dim=1) == labels).float()
    figures = {"accuracy": correct.mean().item(),
               "calibration error": calibration_error(scores, labels)}
    for radius in RADII:
        figures[f"accuracy under attack, {radius}/255"] = robust_accuracy(
            model, images[:attacked], labels[:attacked], radius / 255, device)
    per_kind = {kind: correct[labels == i].mean().item() for i,
                kind in enumerate(specimens.class_names)}
    return figures, per_kind


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--attacked", type=int, default=200)
    options = parser.parse_args()
    images, labels, _ = specimens.batch(options.images, SEED, workers=-1, progress=True)
    results = {name: measure(name, images, labels, options.attacked, pick_device())
               for name in GOALS}

    columns = " | ".join(GOALS)
    print(f"| {options.images} fresh images ({options.attacked} attacked) | {columns} |")
    print("| --- |" + " --- |" * len(GOALS))
    for part in (0, 1):
        for row in results["specimens"][part]:
            print(f"| {row} | " + " | ".join(f"{results[name][part][row]:.3f}" for name in GOALS)
                  + " |")
    for name, goal in GOALS.items():
        for row, value in results[name][0].items():
            line = {"figure": f"{name}: {row}", "value": round(value, 4)}
            if row == "accuracy":
                line |= {"goal": f">= {goal}", "holds": value >= goal}
            print(json.dumps(line))


if __name__ == "__main__":
    main()
