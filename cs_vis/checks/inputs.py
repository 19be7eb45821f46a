"""What a case gives to a function, as data of closed kinds: it can be stored, and made live.

Tensors (floats in float64), numbers, strings, lists and dicts of these, and the two below.
"""

from typing import NamedTuple

import torch

from .fixtures import ChainNet, TinyNet


class Leaf(NamedTuple):
    """A tensor that asks for its gradient, and may hold one from an earlier call."""
    value: torch.Tensor
    grad: torch.Tensor | None = None


class Network(NamedTuple):
    """A network by its specification: a trained one by name, or with these weights a "tiny" one
    or, where there is a plan, a "chain"."""
    kind: str
    weights: dict[str, torch.Tensor] | None = None
    guarded: bool = False  # with batch norm and dropout that do nothing in eval mode
    plan: tuple = ()  # of a chain: (kind, kernel, stride, padding) of each layer
    lent: bool = False  # in training: train mode, weights that learn, hooks of somebody else's


def live(value, device, dtype: torch.dtype):
    """The data as what a function is called with: on the device, floats in dtype."""
    if isinstance(value, torch.Tensor):
        return value.to(device, dtype if value.is_floating_point() else value.dtype, copy=True)
    if isinstance(value, Leaf):
        leaf = live(value.value, device, dtype).requires_grad_()
        leaf.grad = None if value.grad is None else live(value.grad, device, dtype)
        return leaf
    if isinstance(value, Network):
        return network(value, device, dtype)
    if isinstance(value, dict):
        return {key: live(item, device, dtype) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(live(item, device, dtype) for item in value)
    return value


def network(specification: Network, device, dtype):
    """The network itself; every call builds a new one."""
    if specification.weights is None:
        from ..models import load_model  # here, for the tiny cases need none
        return load_model(specification.kind, device=device, dtype=dtype)
    with torch.random.fork_rng(devices=[]):  # layers draw weights, which are replaced at once
        made = (ChainNet(specification.weights, specification.plan, specification.guarded)
                if specification.plan else TinyNet(specification.weights, specification.guarded))
    if specification.lent:
        made.train().requires_grad_()
        for part in made.modules():
            part.register_forward_hook(look_on)
    return made.to(device, dtype)


def look_on(module, inputs, output):
    """A hook of somebody else's, which changes nothing."""
