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


class TinyNet(nn.Module):
    """Three layers; like every network of the course frozen, in eval mode, images to raw scores."""

    def __init__(self, seed: int, classes: int = 4):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, padding=1)
        self.conv2 = nn.Conv2d(6, 8, 3, padding=1)
        self.fc = nn.Linear(8, classes)
        self.relu, self.pool = nn.ReLU(), nn.MaxPool2d(2)
        self.register_buffer("mean_color", torch.tensor([0.4375, 0.5, 0.34375]))
        for i, weight in enumerate(self.parameters()):
            spread = 2.0 if weight.ndim > 1 else 0.25
            weight.data = (spread * (numbers(*weight.shape, seed=10 * seed + i) - 0.5)).float()
        self.eval().requires_grad_(False)

    def forward(self, images):
        x = self.pool(self.relu(self.conv1(images - 0.5)))
        x = self.relu(self.conv2(x))
        return self.fc(x.mean(dim=(2, 3)))  # (N, classes)


def tiny_net(device, dtype, seed: int = 3) -> TinyNet:
    """A TinyNet where and in the precision the check runs."""
    with torch.random.fork_rng(devices=[]):  # the layers draw weights, which are replaced at once
        return TinyNet(seed).to(device, dtype)


def tiny_images(n: int, height: int, width: int, device, dtype, seed: int) -> torch.Tensor:
    """n noise pictures (n, 3, height, width) in [0, 1)."""
    return numbers(n, 3, height, width, seed=seed).to(device, dtype)


def tiny_scene(colors_seed: int, pointed_at: tuple[float, ...], device, dtype):
    """A ring with a core before two grounds, (1, 3, 40, 56), and a grainy saliency map (40, 56).

    pointed_at says how salient the core, the ring, and the grounds right and left are.
    """
    row, col = torch.meshgrid(torch.arange(40).double(), torch.arange(56).double(), indexing="ij")
    region = torch.where(col + 0.4 * row > 50.4, 2, 3)
    region[((row - 20) / 14.4) ** 2 + ((col - 25.2) / 16.8) ** 2 < 1] = 1
    region[((row - 20) / 6.8) ** 2 + ((col - 25.2) / 7.28) ** 2 < 1] = 0
    paint = numbers(4, 3, seed=colors_seed)[region].permute(2, 0, 1)[None]  # (1, 3, 40, 56)
    image = 0.75 * paint + 0.25 * numbers(1, 3, 40, 56, seed=colors_seed + 1)
    # A quarter above whole numbers of 255, so that rounding and cutting give the same bytes.
    image = ((255 * image).floor() + 0.25) / 255
    grain = numbers(40, 56, seed=colors_seed + 2) ** 3
    saliency = grain * torch.tensor(pointed_at, dtype=torch.float64)[region]
    return image.to(device, dtype), saliency.to(device, dtype)


def specimens(places, device, dtype):
    """Pictures of the frozen gallery, their labels, and the network trained on their kind."""
    from ..models import load_model  # here, for the tiny cases need neither
    from ..specimens import gallery
    pictures = gallery()
    return {"X": pictures.images[places].to(device, dtype),
            "y": pictures.labels[places].to(device),
            "model": load_model("specimens", device=device, dtype=dtype)}
