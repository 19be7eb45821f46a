"""Are the class pictures of a network recognised? By another network, which never saw them made.

    python benchmarks/class_pictures.py [--networks NAME_OR_FILE ...] [--seed 0]

Without --networks, the two that ship. One recipe for all, that of notebook 05: its step and two of
its helpers, without a penalty, from mid-grey noise. The pictures of `specimens` are named by
`specimens-robust`, all others by `specimens`.
Prints a Markdown table, then one JSON object per line. What people see: docs/blind.
"""

import argparse
import json

import torch
from tqdm.auto import tqdm

from candidates import network
from cs_vis import pick_device, specimens
from cs_vis.methods.class_visualization import visualize
from cs_vis.methods.drive import finish
from cs_vis.methods.naming import named
from cs_vis.reference import class_visualization as reference

SIZE = 128
STEPS = 70
RECIPE = {"learning_rate": 4,  # the L2 norm of a step: below it pictures stay faint
          "reach": 8,          # pixels of jitter, at most
          "sigma": 0.5, "every": 4}  # pixels of blur, every fourth step
HELPERS = {"jitter": reference.jitter, "blur": reference.blur}


def class_pictures(model, generator, *, steps=STEPS):
    """A picture for every class (K, 3, 128, 128) that makes its raw score as large as possible.

    Each class has noise of its own, and all have the same jitter, as in the notebook.
    """
    noise = torch.randn(len(model.class_names), 3, SIZE, SIZE, generator=generator)
    grey = 0.5 - model.mean_color.view(3, 1, 1)  # as a difference from the mean colour
    starts = grey + (0.1 * noise).to(grey)
    climbs = (visualize(reference.class_visualization_update_step, model, k, HELPERS, start=start,
                        steps=steps, generator=generator.clone_state(), **RECIPE)
              for k, start in enumerate(starts.split(1)))
    return torch.cat([finish(frames)[0] for frames in tqdm(climbs, total=len(starts), leave=False)])


def judge_of(name):
    return "specimens-robust" if name == "specimens" else "specimens"


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
