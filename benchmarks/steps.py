"""What a step costs, over a bare pass of the network, cut at the layer asked for.

    python benchmarks/steps.py [--rounds 15]

Each step is the reference's, run by the driver of the notebooks: a fooling step, an attack step, a
step of a class visualization with jitter, and the same for a channel of an inner layer; a step of an
inversion of that layer with both priors, smoothing and momentum, and a step of a dream of it, with
jitter and the pyramid's part. The peer is the least that any of them can do: forward through the
layers up to the one asked for, and back, for the gradient of one number with respect to the
picture. Both in turn in one run, on one thread and on two; each figure is the median over the
rounds of the quotient. Without the weights of SqueezeNet (CS_VIS_WEIGHTS) it is untrained, which
costs as much. Prints a Markdown table, then one JSON object per line.

Freed memory is kept, where libc can be asked to: whether it is handed back to the system after
each pass, and fetched again page by page, depends on what happens to lie above it in the heap,
and moved the quotients by up to a tenth from run to run.
"""

import argparse
import ctypes
import json
import statistics
import time

import torch

from cs_vis import load_model
from cs_vis.methods.class_visualization import Neurons, ascent_step
from cs_vis.methods.deepdream import dream
from cs_vis.methods.drive import drive, step_of_loop
from cs_vis.methods.feature_inversion import invert
from cs_vis.models import activations, find_layer, untrained
from cs_vis.reference.class_visualization import class_visualization_update_step, jitter
from cs_vis.reference.deepdream import deepdream_step, octave_pyramid
from cs_vis.reference.feature_inversion import alpha_norm, inversion_step, total_variation
from cs_vis.reference.fooling_images import attack_step, make_fooling_image

GOAL = 1.2
STEPS = 3  # a round: a first step alone would be dearer than those that follow


def network(name):
    try:
        return load_model(name)
    except FileNotFoundError:
        return untrained(name, generator=torch.Generator().manual_seed(0))


def steps_of(model, side):
    """Name -> (a run of STEPS steps, the layer it asks for)."""
    generator = torch.Generator().manual_seed(1)
    X = torch.rand(1, 3, side, side, generator=generator)
    with torch.no_grad():
        # A class that the network does not say yet: a fooling image would be found at once.
        rare, y = int(model(X).argmin()), model(X).argmax(dim=1)
    inner = inner_layer(model)
    fool = step_of_loop(lambda image: make_fooling_image(image, rare, model), model,
                        lambda scores: scores[0, rare])

    def attack(image):
        return attack_step(image, X, y, model, 1 / 255, 4 / 255, "linf"), 0.0

    def climb(network, k):
        return ascent_step(class_visualization_update_step, network, k, {"jitter": jitter},
                           generator=generator)
    return {"fooling step": (run_of(fool, X), last_layer(model)),
            "attack step": (run_of(attack, X), last_layer(model)),
            "class visualization": (run_of(climb(model, rare), X - 0.5, reach=8),
                                    last_layer(model)),
            f"channel of {inner}": (run_of(climb(Neurons(model, inner), 0), X - 0.5, reach=8),
                                    inner),
            f"inversion of {inner}": (inversion_of(model, inner, X), inner),
            f"dream of {inner}": (dream_of(model, inner, X, generator), inner)}, X


def inversion_of(model, layer, X):
    target = activations(model, X, layer)[layer]
    start = X.flip(3)

    def prior(img):
        return 3e-5 * total_variation(img, 1) + 1e-3 * alpha_norm(img - 0.5, 6)  # notebook 06's
    return lambda: [*invert(inversion_step, model, layer, target, prior, start=start, steps=STEPS)]


def dream_of(model, layer, X, generator):
    return lambda: [*dream(deepdream_step, octave_pyramid, model, layer, start=X, steps=STEPS,
                           octaves=1, generator=generator)]


def run_of(step, image, **values):
    return lambda: [frame for frame in drive(step, image, values, steps=STEPS)]


def last_layer(model):
    return model.layer_names[-1]


def inner_layer(model):
    """A convolution before a ReLU, somewhat past the middle of the network."""
    convolutions = [name for name in model.layer_names
                    if isinstance(find_layer(model, name), torch.nn.Conv2d)]
    return convolutions[len(convolutions) * 2 // 3]


def bare(model, layer, image):
    """STEPS times forward to the layer and back to the picture, by hooks and nothing else."""
    def once():
        leaf, caught = image.clone().requires_grad_(), []

        def stop(module, inputs, output):
            caught.append(output)
            raise Cut
        hook = find_layer(model, layer).register_forward_hook(stop)
        try:
            model(leaf)
        except Cut:
            torch.autograd.grad(caught[0].flatten()[0], leaf)
        finally:
            hook.remove()
    return lambda: [once() for _ in range(STEPS)]


class Cut(Exception):
    pass


def keep_memory():
    """Ask glibc never to give freed memory back; other libraries are left as they are."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        trim, mmap = -1, -3  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
        libc.mallopt(trim, 2 ** 30)
        libc.mallopt(mmap, 2 ** 25)  # bytes: glibc takes no more


def spent(function):
    start = time.process_time()
    function()
    return time.process_time() - start


def measure(mine, peer, rounds):
    """The median quotient of both times, taken in turn after one round that does not count."""
    pairs = [(spent(mine), spent(peer)) for _ in range(rounds + 1)][1:]
    mean = statistics.median(b for _, b in pairs) / STEPS
    return statistics.median(a / b for a, b in pairs), mean


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    options, rows = parser.parse_args(), []
    keep_memory()
    for name, side in (("specimens", 128), ("specimens-robust", 128), ("squeezenet1_0", 224)):
        model = network(name)
        runs, image = steps_of(model, side)
        for threads in (1, 2):
            torch.set_num_threads(threads)
            for what, (run, layer) in runs.items():
                ratio, base = measure(run, bare(model, layer, image), options.rounds)
                rows.append((name, what, threads, base, ratio))

    print("| network | step | threads | bare pass, ms | ratio |")
    print("| --- | --- | --- | --- | --- |")
    for name, what, threads, base, ratio in rows:
        print(f"| {name} | {what} | {threads} | {1000 * base:.1f} | {ratio:.2f} |")
    for name, what, threads, _, ratio in rows:
        print(json.dumps({"figure": f"{name}, {what}, over a bare pass, CPU time, threads: "
                                    f"{threads}", "value": round(ratio, 3),
                          "goal": f"<= {GOAL}", "holds": ratio <= GOAL}))


if __name__ == "__main__":
    main()
