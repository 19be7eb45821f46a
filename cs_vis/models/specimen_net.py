"""The two small networks of the drawn world: plain convolutions, VGG-style names."""

import json
import re

import torch
from torch import nn

from .. import datasets
from ..require import require_images, require_like

NAMES = ("specimens", "specimens-robust")
WIDTHS = ((24,), (48, 48), (96, 96), (128, 128), (192, 192))


class SpecimenNet(nn.Module):
    """Blocks of 3x3 convolutions and ReLUs, max-pools between, global average, linear.

    `widths[b][r]` is the number of channels of conv{b+1}_{r+1}. Images (N, 3, H, W) in [0, 1],
    of any size from 16 pixels (with five blocks), become raw class scores (N, classes).
    Layers are called by the names of the submodules: conv1_1, relu1_1, pool1, ..., fc.
    """

    def __init__(self, widths=WIDTHS, classes: int = 24):
        super().__init__()
        self.class_names = [f"class {index}" for index in range(classes)]
        self.smallest = 2 ** (len(widths) - 1)
        self.register_buffer("mean_color", torch.full((3,), 0.5), persistent=False)
        channels = 3
        for block, row in enumerate(widths, 1):
            for place, width in enumerate(row, 1):
                conv = nn.Conv2d(channels, width, 3, padding=1)
                self.add_module(f"conv{block}_{place}", conv)
                self.add_module(f"relu{block}_{place}", nn.ReLU())
                channels = width
            if block < len(widths):
                self.add_module(f"pool{block}", nn.MaxPool2d(2))
        self.average = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(channels, classes)
        self.layer_names = [name for name, _ in self.named_children()]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        require_images(images, smallest=self.smallest)
        require_like(images, self.mean_color)
        x = (images - 0.5) / 0.25
        for layer in self.children():
            x = layer(x)
        return x


def load(name: str) -> SpecimenNet:
    """A trained network; its widths are those of the stored weights, whatever they are."""
    state, facts = datasets.weights(name)
    with torch.device("meta"):  # nothing is drawn, so the random state stays as it was
        network = SpecimenNet(_widths(state), classes=len(state["fc.bias"]))
    network.load_state_dict(state, assign=True)
    network.class_names = json.loads(facts["class_names"])
    network.mean_color = torch.tensor(json.loads(facts["mean_color"]))
    return network


def architecture(name: str) -> SpecimenNet:
    """The network `name` as it is before training."""
    from .. import specimens  # here, so that loading a network does not load the drawing code
    network = SpecimenNet(classes=len(specimens.class_names))
    network.class_names = list(specimens.class_names)
    return network


def _widths(state):
    found = {tuple(map(int, re.findall(r"\d+", key))): len(value)
             for key, value in state.items() if re.fullmatch(r"conv\d+_\d+\.bias", key)}
    blocks = range(1, 1 + max(block for block, _ in found))
    return tuple(tuple(found[place] for place in sorted(found) if place[0] == block)
                 for block in blocks)
