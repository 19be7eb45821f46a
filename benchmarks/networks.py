"""How good are the specimen networks? Accuracy, accuracy per kind, calibration, robustness.

    python benchmarks/networks.py [--networks NAME_OR_FILE ...] [--images 4000] [--attacked 200]

Without --networks, the two that ship; a file of weights (.safetensors) is measured like them.
Prints a Markdown table, then one JSON object per line. The images are fresh: their seed was not
used in training. Attacks change no value of a picture by more than n/255, or the whole picture by
no more than L2, its values being in [0, 1].
"""

import argparse
import json

import torch
import torch.nn.functional as F
from tqdm.auto import tqdm

from candidates import network
from cs_vis import pick_device, specimens

SEED = 20
GOALS = {"specimens": 0.99, "specimens-robust": 0.97}
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


def length(x):
    return torch.linalg.vector_norm(x, dim=(1, 2, 3), keepdim=True)  # (N, 1, 1, 1)


def into_cube(delta, radius):
    return delta.clamp(-radius, radius)


def into_ball(delta, radius):
    return delta * (radius / length(delta).clamp(min=radius))


def unit(gradient):
    return gradient / length(gradient).clamp(min=1e-12)


# What it is called: its radius, the projection on what is allowed, the direction of a step.
ATTACKS = {"L∞ 2/255": (2 / 255, into_cube, torch.sign),
           "L∞ 6/255": (6 / 255, into_cube, torch.sign),
           "L2 1": (1.0, into_ball, unit), "L2 2": (2.0, into_ball, unit)}


def attack(model, images, labels, radius, project, direction, generator):
    """Projected gradient ascent of the cross-entropy (Madry et al. 2018), from a random start."""
    noise = torch.rand(images.shape, generator=generator).to(images) * 2 - 1
    delta = project(noise * radius, radius)  # on the rim of the ball, where nearly all of it lies
    for _ in range(STEPS):
        attacked = (images + delta).clamp(0, 1).requires_grad_()
        loss = F.cross_entropy(model(attacked), labels, reduction="sum")
        gradient, = torch.autograd.grad(loss, attacked)
        moved = attacked.detach() + 2.5 / STEPS * radius * direction(gradient)
        delta = project(moved - images, radius)
    return (images + delta).clamp(0, 1)


def robust_accuracy(model, images, labels, device, rules):
    generator, correct = torch.Generator().manual_seed(0), 0
    for x, y in zip(tqdm(images.split(50), leave=False), labels.split(50)):
        x, y = x.to(device), y.to(device)
        attacked = attack(model, x, y, *rules, generator)
        with torch.no_grad():
            correct += (model(attacked).argmax(dim=1) == y).sum().item()
    return correct / len(labels)


def measure(name, images, labels, attacked, device):
    model = network(name, device)
    scores = scores_of(model, images, device)
    correct = (scores.argmax(dim=1) == labels).float()
    figures = {"accuracy": correct.mean().item(),
               "calibration error": calibration_error(scores, labels)}
    for called, rules in ATTACKS.items():
        figures[f"accuracy under attack, {called}"] = robust_accuracy(
            model, images[:attacked], labels[:attacked], device, rules)
    per_kind = {kind: correct[labels == i].mean().item() for i,
                kind in enumerate(specimens.class_names)}
    return figures, per_kind


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", default=list(GOALS), metavar="NAME_OR_FILE")
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--attacked", type=int, default=200)
    options = parser.parse_args()
    images, labels, _ = specimens.batch(options.images, SEED, workers=-1, progress=True)
    results = {name: measure(name, images, labels, options.attacked, pick_device())
               for name in options.networks}

    columns = " | ".join(results)
    print(f"| {options.images} fresh images ({options.attacked} attacked) | {columns} |")
    print("| --- |" + " --- |" * len(results))
    for part in (0, 1):
        for row in next(iter(results.values()))[part]:
            print(f"| {row} | " + " | ".join(f"{result[part][row]:.3f}"
                                             for result in results.values()) + " |")
    for name, (figures, _) in results.items():
        for row, value in figures.items():
            line = {"figure": f"{name}: {row}", "value": round(value, 4)}
            if row == "accuracy" and name in GOALS:
                line |= {"goal": f">= {GOALS[name]}", "holds": value >= GOALS[name]}
            print(json.dumps(line))


if __name__ == "__main__":
    main()
