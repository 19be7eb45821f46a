"""What a function may leave behind that it should not: found by looking before and after."""

import random
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

HARMS = {
    "input changed":
        "The values of the input were changed. Work on a copy, for example X.clone().",
    "model switched to train mode":
        "The network was left in another mode (train or eval) than it came in. Leave the mode "
        "alone: in train mode dropout and batch norm would change the scores.",
    "weights changed":
        "The network's weights were changed. Only the picture may move, never the network.",
    "weights' gradients left":
        "The network's weights were asked for gradients. Ask for the picture's alone: "
        "torch.autograd.grad(score, X), or X.requires_grad_() before the forward pass.",
    "hooks left":
        "A hook was left on the network, so every later pass would run it too. Remove it with "
        "handle.remove(), also when something fails in between.",
    "layers replaced":
        "A layer of the network was replaced and not put back.",
    "random numbers used":
        "The global random numbers were drawn from or reseeded, so a repeated run would differ. "
        "This exercise needs none.",
    "gradients switched off":
        "Gradients were left switched off or on for everybody. Use `with torch.no_grad():`, which "
        "switches back by itself.",
}

HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def state_of(inputs: dict) -> dict[str, list]:
    """Everything among the inputs, and around them, that a call could harm, by name of the harm.

    A tensor's requires_grad and .grad are not among it: to set them is the familiar way.
    """
    modules = [m for x in inputs.values() if isinstance(x, nn.Module) for m in x.modules()]
    weights = [w for m in modules
               for w in (*m.parameters(recurse=False), *m.buffers(recurse=False))]
    return {
        "input changed": [x.detach().clone() for x in inputs.values() if torch.is_tensor(x)],
        "model switched to train mode": [m.training for m in modules],
        "weights changed": [w.detach().clone() for w in weights],
        "weights' gradients left": [(w.requires_grad, w.grad is None) for w in weights],
        "hooks left": [len(getattr(m, hooks)) for m in modules for hooks in HOOKS],
        "layers replaced": [id(m) for m in modules],
        "random numbers used": [torch.get_rng_state(), random.getstate(),
                                np.random.get_state(legacy=False)["state"]["key"],
                                np.random.get_state(legacy=False)["state"]["pos"]],
        "gradients switched off": [torch.is_grad_enabled()],
    }


@contextmanager
def globals_kept(device):
    """Put back the random numbers and whether gradients are on when the block ends, however."""
    used = [torch.device(device)] if torch.device(device).type == "cuda" else []
    python, numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=used), torch.set_grad_enabled(torch.is_grad_enabled()):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def harms_between(before: dict[str, list], after: dict[str, list]) -> list[str]:
    """The names of the harms that turn one state into the other, in the order of HARMS."""
    return [name for name in HARMS if not same(before[name], after[name])]


def same(before: list, after: list) -> bool:
    return len(before) == len(after) and all(map(equal, before, after))


def equal(a, b) -> bool:
    if torch.is_tensor(a):
        return torch.is_tensor(b) and a.shape == b.shape and torch.equal(a, b)
    return np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b
