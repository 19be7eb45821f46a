"""How well a map finds what is really there: scores against the true mask."""

import torch

from ..require import (require_at_least_0, require_bool, require_maps, require_pair,
                       require_whole)


def pointing_game(maps: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Does the strongest pixel lie on the object? Zhang et al. 2016.

    maps (N, H, W), masks (N, H, W) bool; returns (N,) bool. Of several strongest, the first counts.
    Raises ValueError or TypeError where maps and masks do not fit, or a map is not finite.
    """
    require_maps(maps)
    require_pair(maps, masks)
    strongest = maps.flatten(1).argmax(dim=1, keepdim=True)  # (N, 1)
    return masks.flatten(1).gather(1, strongest)[:, 0]


def energy_inside(maps: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """The share of the map's sum that lies on the object, 0 to 1. Wang et al. 2020.

    maps (N, H, W), at least 0; masks (N, H, W) bool; returns (N,). A map of zeros scores 0.
    Raises ValueError or TypeError where maps and masks do not fit, or a map has values that are
    negative or not finite.
    """
    require_maps(maps)
    require_pair(maps, masks)
    require_at_least_0(maps, "maps", "take maps.abs() or maps.clamp(min=0) first")
    inside = (maps * masks).flatten(1).sum(dim=1)
    total = maps.flatten(1).sum(dim=1)
    return inside / total.where(total > 0, 1)


def iou(predicted: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Intersection over union of two masks, 0 to 1. Two empty masks agree: 1.

    predicted and masks (N, H, W), both bool; returns (N,) float.
    Raises ValueError or TypeError where they do not fit.
    """
    require_bool(predicted, "predicted", "maps > threshold")
    require_pair(predicted, masks, "predicted")
    both = (predicted & masks).flatten(1).sum(dim=1)
    either = (predicted | masks).flatten(1).sum(dim=1)
    return torch.where(either > 0, both / either.clamp(min=1), 1.0)


def centre_map(height: int, width: int) -> torch.Tensor:
    """The baseline that never looks: a Gaussian in the centre, sigma a quarter of each side.

    Returns (height, width) floats, at most 1. Photographers put things in the middle, so any map
    has to beat this one. Raises TypeError or ValueError unless both are whole numbers from 1.
    """
    require_whole(height=height, width=width, at_least=1)
    rows = (torch.arange(height) - (height - 1) / 2) / (height / 4)
    cols = (torch.arange(width) - (width - 1) / 2) / (width / 4)
    return torch.exp(-0.5 * (rows[:, None] ** 2 + cols[None] ** 2))
