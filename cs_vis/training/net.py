"""The network while it learns: with batch normalisation, which is folded away at the end."""

import torch
import torch.nn.functional as F
from torch import nn

from ..models.specimen_net import WIDTHS


class TrainingNet(nn.Module):
    """A SpecimenNet with batch normalisation after each convolution, as long as it learns."""

    def __init__(self, classes, widths=WIDTHS):
        super().__init__()
        self.blocks = nn.ModuleList()
        before = 3
        for block in widths:
            units = nn.ModuleList()
            for width in block:
                conv = nn.Conv2d(before, width, 3, padding=1, bias=False)
                units.append(nn.Sequential(conv, nn.BatchNorm2d(width), nn.ReLU()))
                before = width
            self.blocks.append(units)
        self.fc = nn.Linear(before, classes)

    def forward(self, images):
        x = (images - 0.5) / 0.25
        for i, block in enumerate(self.blocks):
            x = F.max_pool2d(x, 2) if i else x
            for unit in block:
                x = unit(x)
        return self.fc(F.dropout(x.mean(dim=(2, 3)), 0.1, self.training))


def fold(net):
    """The state dict of the SpecimenNet that computes what `net` computes in eval mode."""
    state = {"fc.weight": net.fc.weight, "fc.bias": net.fc.bias}
    for i, block in enumerate(net.blocks, 1):
        for j, (conv, norm, _) in enumerate(block, 1):
            gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            state[f"conv{i}_{j}.weight"] = conv.weight * gain[:, None, None, None]
            state[f"conv{i}_{j}.bias"] = norm.bias - norm.running_mean * gain
    return {name: tensor.detach().contiguous() for name, tensor in state.items()}
