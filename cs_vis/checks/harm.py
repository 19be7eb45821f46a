"""What a function may leave behind that it should not: found by looking before and after.

What belongs to nobody's exercise but to the whole process (random numbers, default dtype, whether
gradients are on …) is no harm: `world_kept` puts it back silently.
"""

import random
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn.modules import module as torch_modules


class Harm(NamedTuple):
    """A kind of harm: its name, what is said, and what of the inputs is compared."""
    name: str
    sentence: str  # {which} stands for the inputs that were harmed
    look: Callable[[Any], list]  # one input -> what must be the same afterwards
    is_left: Callable[[list, list], bool] = lambda before, after: same(before, after)


def values(x):
    # A tensor's requires_grad and .grad are not looked at: to set them is the familiar way.
    return [x.detach().clone()] if torch.is_tensor(x) else []


def modules(x):
    return list(x.modules()) if isinstance(x, nn.Module) else []


def weights(x):
    return [w for m in modules(x)
            for w in (*m.parameters(recurse=False), *m.buffers(recurse=False))]


def hooks(x):
    return [key for m in modules(x) for hooks in HOOKS for key in getattr(m, hooks)]


HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
HARMS = (  # the most specific first: what an earlier one explains is not said again
    Harm("input changed",
         "The values of {which} were changed. Work on a copy, for example {which}.clone().",
         values),
    Harm("layers replaced",
         "A layer of the network was replaced and not put back.",
         lambda x: [id(m) for m in modules(x)]),
    Harm("hooks left",
         "A hook was left on the network, so every later pass would run it too. Remove it with "
         "handle.remove(), also when something fails in between.",
         hooks, lambda before, after: set(after) <= set(before)),
    Harm("hooks of others removed",
         "A hook that was on the network before is gone, and is somebody else's. Remove yours "
         "alone, with handle.remove().",
         hooks, lambda before, after: set(before) <= set(after)),
    Harm("layers changed",
         "How a layer of the network computes was changed and not put back: its inplace, or its "
         "forward. Leave the network as it is.",
         lambda x: [(getattr(m, "inplace", None), m.forward) for m in modules(x)]),
    Harm("model switched to train mode",
         "The network was left in another mode (train or eval) than it came in. Leave the mode "
         "alone: in train mode dropout and batch norm change the scores.",
         lambda x: [m.training for m in modules(x)]),
    Harm("weights changed",
         "The network's weights were changed. Only the picture may move, never the network.",
         lambda x: [w.detach().clone() for w in weights(x)]),
    Harm("weights' gradients left",
         "The network's weights have gradients now, or their requires_grad is another. Leave it "
         "alone; where a gradient is needed, ask for the picture's: torch.autograd.grad(score, X), "
         "or X.requires_grad_() before the forward pass.",
         lambda x: [(w.requires_grad, w.grad is None) for w in weights(x)]),
)
EXPLAINED = {  # a harm or habit that another one brings along
    "layers replaced": ("hooks left", "hooks of others removed", "layers changed",
                        "model switched to train mode", "weights changed",
                        "weights' gradients left"),
    "model switched to train mode": ("weights changed", "train mode while it runs"),
    "train mode while it runs": ("weights changed",),  # batch norm learns from what it sees
}
SENTENCES = {harm.name: harm.sentence for harm in HARMS}


def state_of(inputs: dict) -> dict[tuple[str, str], list]:
    """Everything among the inputs that a call could harm, by name of the harm and of the input."""
    return {(harm.name, key): harm.look(x) for harm in HARMS for key, x in inputs.items()}


def harms_between(before: dict, after: dict) -> list[tuple[str, str]]:
    """The harms (name, input) that turn one state into the other, the most specific first."""
    is_left = {harm.name: harm.is_left for harm in HARMS}
    found = [key for key in before if not is_left[key[0]](before[key], after[key])]
    names = {name for name, _ in found}
    explained = {other for name in names for other in EXPLAINED.get(name, ())}
    return [(name, which) for name, which in found if name not in explained]


def same(before: list, after: list) -> bool:
    return len(before) == len(after) and all(map(equal, before, after))


def equal(a, b) -> bool:
    if torch.is_tensor(a):
        return torch.is_tensor(b) and (a.shape, a.dtype) == (b.shape, b.dtype) and torch.equal(
            a.nan_to_num(nan=0.5), b.nan_to_num(nan=0.5))
    return a == b


WORLD = (  # what belongs to everybody: how to read it, and how to put it back
    (torch.get_default_dtype, torch.set_default_dtype),
    # Setting a device, even the CPU, would slow every later call down: None unsets it.
    (torch.get_default_device, lambda d: torch.set_default_device(d if d.type != "cpu" else None)),
    (torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms),
    (torch.get_num_threads, torch.set_num_threads),
    (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (np.geterr, lambda errors: np.seterr(**errors)),
    (random.getstate, random.setstate),
    (lambda: [dict(hooks) for hooks in global_hooks()], lambda kept: put_hooks_back(kept)),
)


def global_hooks():
    """PyTorch's tables of hooks on all modules."""
    return [table for name, table in vars(torch_modules).items()
            if name.startswith("_global_") and isinstance(table, dict)]


def put_hooks_back(kept):
    for table, before in zip(global_hooks(), kept):
        table.clear()
        table.update(before)


@contextmanager
def world_kept(device):
    """Gradients are on inside; all that is global is as before when the block ends, however."""
    used = [torch.device(device)] if torch.device(device).type == "cuda" else []
    before, numpy = [read() for read, _ in WORLD], np.random.get_state()
    try:
        with torch.random.fork_rng(devices=used):
            torch.set_grad_enabled(True)
            yield
    finally:
        for (read, put_back), value in zip(WORLD, before):
            if read() != value:
                put_back(value)
        np.random.set_state(numpy)
