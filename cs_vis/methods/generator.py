"""A small network that turns a code into a picture: what it cannot draw, no ascent can find."""

import json
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from .. import datasets
from ..require import require_code, require_device, require_generator, require_target

FREE = 66  # numbers of a code that say how; with the 24 that say what, three times 30
START = 8  # pixels, the side with which a picture begins
WIDTHS = (128, 128, 64, 32, 16)  # channels at sides 8, 16, 32, 64, 128
SHARP = 6  # so much the logits of the shares are x: a 1 among 0s is 95 % of one kind
COLORS_FROM = 32  # pixels, the smallest side at which colours are laid down


class Generator(nn.Module):
    """From codes (N, free + K) to pictures (N, 3, 128, 128) in [0, 1], from coarse to fine.

    The first numbers of a code are standard normal; the last K are the shares of the K kinds,
    which sum to 1. At each side the code scales and shifts the channels, and finer colours are
    added to coarser ones (Karras et al. 2020). Raises TypeError or ValueError for other codes.
    """

    def __init__(self, kinds: int = 24, free: int = FREE, widths=WIDTHS):
        super().__init__()
        self.class_names = [f"class {index}" for index in range(kinds)]
        self.free, self.code = free, free + kinds
        self.mix = nn.Sequential(nn.Linear(self.code, 128), nn.LeakyReLU(0.2),
                                 nn.Linear(128, 128), nn.LeakyReLU(0.2))
        self.start = nn.Linear(self.code, widths[0] * START ** 2)
        self.convs, self.styles, self.colors = (nn.ModuleList() for _ in range(3))
        for before, width in zip(widths, widths[1:]):
            self.convs.append(nn.Conv2d(before, width, 3, padding=1))
            self.styles.append(nn.Linear(128, 2 * width))
            self.colors.append(nn.Conv2d(width, 3, 3, padding=1))

    def forward(self, code: torch.Tensor, side: int = 128) -> torch.Tensor:
        require_code(code, self.code)
        style = self.mix(code)  # (N, 128)
        x = self.start(code).view(len(code), -1, START, START)
        colors = 0
        for conv, styled, color in zip(self.convs, self.styles, self.colors):
            x = conv(F.interpolate(x, scale_factor=2.0, mode="bilinear"))
            scale, shift = styled(style)[:, :, None, None].chunk(2, dim=1)  # (N, C, 1, 1)
            x = F.leaky_relu(F.group_norm(x, 8) * (1 + scale) + shift, 0.2)
            if x.shape[2] >= COLORS_FROM:
                if torch.is_tensor(colors):
                    colors = F.interpolate(colors, scale_factor=2.0, mode="bilinear")
                colors = colors + color(x)
            if x.shape[2] == side:
                break
        return colors.sigmoid()


def load_generator(*, device="cpu") -> Generator:
    """The generator that ships, trained on the specimens: in eval mode, with frozen weights.

    class_names are the kinds of its codes. Raises FileNotFoundError where the file is missing.
    """
    device = require_device(device)
    state, facts = datasets.weights("generator")
    with torch.device("meta"):  # nothing is drawn, so the random state stays as it was
        network = Generator()
    network.load_state_dict(state, assign=True)
    network.class_names = json.loads(facts["class_names"])
    return network.eval().requires_grad_(False).to(device)


def codes(network: Generator, labels: torch.Tensor, *, generator: torch.Generator) -> torch.Tensor:
    """Codes (N, free + K) of the kinds labels (N,), all else by chance.

    Raises TypeError or ValueError for labels that are no kinds, or without a generator.
    """
    require_generator(generator)
    kinds = len(network.class_names)
    labels = require_target(labels, len(labels), kinds, name="labels")
    free = torch.randn(len(labels), network.free, generator=generator, device=generator.device)
    shares = F.one_hot(labels, kinds).to(free)
    return torch.cat([free, shares], dim=1).to(network.start.weight)


def of_code(network: Generator) -> Callable:
    """What an ascent needs to move a code in a picture's place: x (1, 3, 1, W) to a picture.

    W is a third of a code's length. The shares are the softmax of x's last K numbers, SHARP
    times as large, so x = 0 is the middle of everything, a bit of each kind. The shape is that of a
    picture because the step asks for one.
    """
    def to_picture(x):
        free, kinds = x.flatten(1).split([network.free, network.code - network.free], dim=1)
        return network(torch.cat([free, (SHARP * kinds).softmax(dim=1)], dim=1))
    return to_picture
