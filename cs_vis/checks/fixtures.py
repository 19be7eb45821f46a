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
