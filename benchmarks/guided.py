"""Is guided backprop as quick as Captum's? CPU time of both, on SqueezeNet 1.0.

    python benchmarks/guided.py [--images 8] [--side 224] [--rounds 15]

Both get the same batch, in turn, on one thread and on two; each figure is the median over the
rounds of the time that ours took, over what Captum's took beside it. Ours takes the network as it
is; Captum cannot hook in-place ReLUs, so it gets a copy without them. Without the weights
(CS_VIS_WEIGHTS) the network is untrained, which costs as much. Prints a Markdown table, then one
JSON object per line; the goal is 1 at most, and the same picture but for rounding.
"""

import argparse
import copy
import json
import statistics
import time
import warnings

import captum.attr
import torch
from torch import nn

from cs_vis import load_model
from cs_vis.methods.saliency import backprop
from cs_vis.models import untrained
from cs_vis.reference.saliency import GuidedReLU

NAME = "squeezenet1_0"


def network():
    try:
        return load_model(NAME)
    except FileNotFoundError:
        return untrained(NAME, generator=torch.Generator().manual_seed(0))


def without_in_place(model):
    model = copy.deepcopy(model)
    for module in model.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    return model


def spent(function):
    start = time.process_time()
    function()
    return time.process_time() - start


def measure(ours, theirs, rounds):
    """CPU seconds of both, (rounds, 2), taken in turn after one round that does not count."""
    return [(spent(ours), spent(theirs)) for _ in range(rounds + 1)][1:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=15)
    options, model = parser.parse_args(), network()
    generator = torch.Generator().manual_seed(1)
    X = torch.rand(options.images, 3, options.side, options.side, generator=generator)
    y = torch.arange(len(X))
    warnings.filterwarnings("ignore", "Setting (forward, )?backward hooks")
    captums = captum.attr.GuidedBackprop(without_in_place(model))

    def ours():
        return backprop(model, X, y, relu=GuidedReLU)

    def theirs():
        return captums.attribute(X.clone().requires_grad_(), target=y)

    rows = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        pairs = measure(ours, theirs, options.rounds)
        rows.append((threads, *(statistics.median(side) for side in zip(*pairs)),
                     statistics.median(a / b for a, b in pairs)))
    expected = theirs()
    error = ((ours() - expected).abs().max() / expected.abs().max()).item()

    print(f"| {len(X)} pictures of {options.side} pixels, threads | ours, s | Captum, s | ratio |")
    print("| --- | --- | --- | --- |")
    for threads, mine, captum_s, ratio in rows:
        print(f"| {threads} | {mine:.3f} | {captum_s:.3f} | {ratio:.2f} |")
    for threads, _, _, ratio in rows:
        print(json.dumps({"figure": f"guided backprop over Captum's, CPU time, threads: {threads}",
                          "value": round(ratio, 3), "goal": "<= 1", "holds": ratio <= 1}))
    print(json.dumps({"figure": "largest difference from Captum's, over the largest value",
                      "value": error, "goal": "<= 1e-5", "holds": error <= 1e-5}))


if __name__ == "__main__":
    main()
