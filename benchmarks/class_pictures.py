"""Are the class pictures of a network recognised? By another network, which never saw them made.

    python benchmarks/class_pictures.py [--networks NAME_OR_FILE ...] [--seed 0]

Without --networks, the two that ship. One recipe for all: plain ascent of the raw class score from
grey noise. The pictures of `specimens` are named by `specimens-robust`, all others by `specimens`.
Prints a Markdown table, then one JSON object per line. What people see: docs/blind.
"""

import argparse
import json

import torch
from tqdm.auto import trange

from candidates import network
from cs_vis import pick_device, specimens
from cs_vis.methods.saliency import smooth

SIZE = 128
STEPS = 70
RATE = 4     # the L2 norm of a step: below it pictures stay faint, above it some go astray
REACH = 8    # pixels of jitter, at most
SIGMA = 0.5  # pixels of blur, every fourth step


def class_pictures(model, generator, *, steps=STEPS, rate=RATE):
    """A picture for every class (K, 3, 128, 128) that makes its raw score as large as possible."""
    noise = torch.randn(len(model.class_names), 3, SIZE, SIZE, generator=generator)
    pictures = (0.5 + 0.1 * noise).clamp(0, 1).to(model.mean_color)
    for step in trange(steps, leave=False):
        dy, dx = torch.randint(-REACH, REACH + 1, (2,), generator=generator).tolist()
        moved = ascent_step(model, pictures.roll((dy, dx), (2, 3)), rate)
        pictures = moved.roll((-dy, -dx), (2, 3))
        if step % 4 == 3:
            pictures = smooth(pictures.flatten(0, 1), SIGMA).view_as(pictures)
        pictures = pictures.clamp(0, 1)
    return pictures


def ascent_step(model, pictures, rate):
    """Picture k one step of length `rate` up the raw score of class k."""
    pictures = pictures.requires_grad_()
    gradient, = torch.autograd.grad(model(pictures).diagonal().sum(), pictures)
    length = torch.linalg.vector_norm(gradient, dim=(1, 2, 3), keepdim=True)  # (K, 1, 1, 1)
    return pictures.detach() + rate * gradient / length.clamp(min=1e-12)


def judge_of(name):
    return "specimens-robust" if name == "specimens" else "specimens"


@torch.no_grad()
def named(pictures, judge):
    """What the judge says each picture is: K names."""
    return [judge.class_names[k] for k in judge(pictures).argmax(dim=1).tolist()]


def measure(name, seed, device):
    pictures = class_pictures(network(name, device), torch.Generator().manual_seed(seed))
    return named(pictures, network(judge_of(name), device))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", default=["specimens", "specimens-robust"],
                        metavar="NAME_OR_FILE")
    parser.add_argument("--seed", type=int, default=0)
    options, kinds = parser.parse_args(), specimens.class_names
    results = {name: measure(name, options.seed, pick_device()) for name in options.networks}
    missed = {name: [f"{kind} as {said}" for kind, said in zip(kinds, answers) if said != kind]
              for name, answers in results.items()}

    print(f"| class pictures of | named by | right of {len(kinds)} | missed |")
    print("| --- | --- | --- | --- |")
    for name, wrong in missed.items():
        print(f"| {name} | {judge_of(name)} | {len(kinds) - len(wrong)} | {', '.join(wrong)} |")
    for name, wrong in missed.items():
        print(json.dumps({"figure": f"{name}: class pictures named by {judge_of(name)}, "
                                    f"of {len(kinds)}", "value": len(kinds) - len(wrong)}))


if __name__ == "__main__":
    main()
