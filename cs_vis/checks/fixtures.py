"""Tiny inputs that are the same on every machine: no random generator, only whole numbers."""

import math

import torch
from torch import nn


def numbers(*shape: int, seed: int) -> torch.Tensor:
    """Well mixed multiples of 1/256 in [0, 1), float64: exact in every float type."""
    k = torch.arange(math.prod(shape)) + 100_003 * seed
    for factor in (0x9E3779B1, 0x85EBCA6B):  # an integer hash: multiply, then fold the high bits in
        k = k * factor % 2**32
        k = k ^ (k >> 15)
    return (k % 256).double().view(shape) / 256


def drawn(generator: torch.Generator):
    """A source like `numbers`, of fresh numbers: for a case with other inputs than the visible."""
    def fresh(*shape, seed):
        return torch.randint(256, shape, generator=generator).double() / 256
    return fresh


class TinyNet(nn.Module):
    """Three layers; like every network of the course frozen, in eval mode, images to raw scores.

    `guarded`: with batch norm and dropout that do nothing in eval mode, and much in train mode.
    """

    def __init__(self, weights: dict, guarded: bool = False):
        super().__init__()
        first, second, classes = (len(weights[f"{name}.bias"])
                                  for name in ("conv1", "conv2", "head"))
        self.conv1 = nn.Conv2d(3, first, 3, padding=1)
        self.conv2 = nn.Conv2d(first, second, 3, padding=1)
        self.head = nn.Linear(second, classes)
        self.relu, self.pool = nn.ReLU(), nn.MaxPool2d(2)
        self.norm = nn.BatchNorm2d(first, eps=1e-15) if guarded else nn.Identity()
        self.dropout = nn.Dropout(0.5) if guarded else nn.Identity()
        self.register_buffer("mean_color", torch.zeros(3))
        self.load_state_dict(weights, strict=False)
        self.class_names = [f"class {k}" for k in range(classes)]
        self.eval().requires_grad_(False)

    def forward(self, images):
        x = self.pool(self.relu(self.norm(self.conv1(images - 0.5))))
        x = self.relu(self.conv2(x))
        return self.head(self.dropout(x.mean(dim=(2, 3))))  # (N, classes)


class ChainNet(nn.Module):
    """Layers in a row, features.0, features.1 …, and a linear layer on their means; frozen.

    plan: (kind, kernel, stride, padding) of each, a PARTS; "relu_" writes in place, as ReLUs of
    ImageNet networks do. `guarded` is as in TinyNet.
    """

    def __init__(self, weights: dict, plan, guarded: bool = False):
        super().__init__()
        parts, channels = [], 3
        for number, (kind, *window) in enumerate(plan):
            filters = len(weights.get(f"features.{number}.bias", ())) or channels
            parts.append(PARTS[kind](channels, filters, guarded, window))
            channels = filters
        self.features = nn.Sequential(*parts)
        self.head = nn.Linear(channels, len(weights["head.bias"]))
        self.load_state_dict(weights, strict=False)
        self.eval().requires_grad_(False)

    def forward(self, images):
        return self.head(self.features(images - 0.5).mean(dim=(2, 3)))


PARTS = {  # of channels in and out, guarded or not, and (kernel, stride, padding)
    "conv": lambda before, after, guarded, window: nn.Conv2d(before, after, *window),
    "pool": lambda before, after, guarded, window: nn.MaxPool2d(*window),
    "average": lambda before, after, guarded, window: nn.AvgPool2d(*window),
    "relu": lambda *given: nn.ReLU(),
    "relu_": lambda *given: nn.ReLU(inplace=True),
    "norm": lambda before, after, guarded, window: (
        nn.BatchNorm2d(before, eps=1e-15) if guarded else nn.Identity()),
}


def chain_weights(numbers, seed: int, plan, widths=(5, 7, 6), classes: int = 3) -> dict:
    """Weights of a ChainNet, whose convolutions have so many filters, from a source of numbers."""
    weights, channels, widths = {}, 3, iter(widths)
    for number, (kind, kernel, *_) in enumerate(plan):
        if kind == "conv":
            filters, name = next(widths), f"features.{number}"
            values = numbers(filters, channels, kernel, kernel, seed=20 * seed + number)
            weights[f"{name}.weight"] = 2 * (values - 0.5)
            weights[f"{name}.bias"] = (numbers(filters, seed=20 * seed + number + 10) - 0.5) / 4
            channels = filters
    weights["head.weight"] = numbers(classes, channels, seed=20 * seed + 9) - 0.5
    weights["head.bias"] = numbers(classes, seed=20 * seed + 19) - 0.5
    return weights


def tiny_weights(numbers, seed: int = 3, widths=(6, 8), classes: int = 4) -> dict:
    """Weights of a TinyNet, from a source of numbers."""
    first, second = widths
    shapes = {"conv1.weight": (first, 3, 3, 3), "conv1.bias": (first,),
              "conv2.weight": (second, first, 3, 3), "conv2.bias": (second,),
              "head.weight": (classes, second), "head.bias": (classes,), "mean_color": (3,)}
    weights = {name: (2.0 if len(shape) > 1 else 0.25) * (numbers(*shape, seed=10 * seed + i) - 0.5)
               for i, (name, shape) in enumerate(shapes.items())}
    weights["mean_color"] += torch.tensor([0.4375, 0.5, 0.34375])
    return weights


def picture(numbers, n: int, height: int, width: int, seed: int) -> torch.Tensor:
    """n noise pictures (n, 3, height, width) in [0, 1)."""
    return numbers(n, 3, height, width, seed=seed)
