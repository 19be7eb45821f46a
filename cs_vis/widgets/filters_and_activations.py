"""The panel of notebook 01: every map of a layer, one of them large, of a specimen that turns."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F

from .. import plots, specimens
from ..models import activations
from .live import Choice, Range, ask, current

__all__ = ["activation_panel"]

FRAMES = 36  # of a whole turn
PAGE = 300   # pixels: about the height of the picture of all maps


def activation_panel(networks: dict, scenes: dict, layers, *, activation_maps: Callable):
    """A panel that shows all maps of a layer and one of them over the picture, which may move.

    networks: name -> network. scenes: name -> (seed, kind), a specimen that can be turned and
    resized, or a picture (1, 3, H, W) in [0, 1]. layers: names that all networks have, of layers
    with places. activation_maps is the student's; what it raises becomes a line of text, and one
    that is defined anew is picked up. Raises ValueError or TypeError for nothing to show.
    """
    layers = list(layers)
    if not networks or not layers:
        raise ValueError(f"networks has {len(networks)} entries and layers {len(layers)}: a panel "
                         f"needs a network, name -> network, and the name of a layer")
    device = next(next(iter(networks.values())).parameters()).device
    still = {name: scene if torch.is_tensor(scene) else specimens.draw(*scene).image.to(device)
             for name, scene in scenes.items()}

    def answer(image, *, network, layer, channel, angle, size, turn):
        def figure(angle):
            shown = moved(scenes, still, image, angle, size).to(image)
            maps = current(activation_maps)(networks[network], shown, layer)  # (C, h, w)
            return maps_figure(shown, maps, channel, layer)
        yield figure(angle)
        for frame in range(1, FRAMES + 1) if turn else ():
            yield figure(angle + 360 * frame / FRAMES)

    controls = {"network": Choice(list(networks)), "layer": Choice(layers, layers[len(layers) // 2]),
                "channel": Range(0, 0, 0), "angle": Range(-180, 180, 0, words="turned by (°)"),
                "size": Range(0.4, 1.6, 1.0, 0.05, "times as large"), "turn": False}
    return ask(answer, still, controls, exercises={"activation_maps": activation_maps},
               name="activations", adapt=lambda panel, moved: offer(panel, moved, networks))


def offer(panel, moved: str | None, networks: dict) -> None:
    """Have the channel slider end where the layer does, and a new layer begin at its strongest."""
    if moved in (None, "network", "layer"):
        network, layer = (panel.controls[name].chosen for name in ("network", "layer"))
        with torch.no_grad():
            a = activations(networks[network], panel.images.chosen, layer)[layer]
        panel.controls["channel"].max = a.shape[1] - 1
        if moved != "network":  # of another network, the same channel is of interest
            panel.controls["channel"].value = int(a.amax(dim=(0, 2, 3)).argmax())


def moved(scenes: dict, still: dict, image, angle: float, size: float) -> torch.Tensor:
    """The specimen turned by so many degrees and so much larger; other pictures stay."""
    scene = next((scenes[name] for name, one in still.items()
                  if one.shape == image.shape and torch.equal(one, image)), None)
    if scene is None or torch.is_tensor(scene) or (angle == 0 and size == 1):
        return image
    pose = specimens.draw(*scene).facts["pose"]
    return specimens.draw(*scene, pose={"angle": pose["angle"] + math.radians(angle),
                                        "size": min(max(size * pose["size"], 0.1), 2)}).image


def maps_figure(image, maps: torch.Tensor, channel: int, layer: str) -> plots.Figure:
    """The picture, all maps on one scale of grey with one marked, and that one on the picture."""
    maps = maps.detach().clamp(min=0)
    white = maps.max().item() or 1.0
    columns = math.ceil(math.sqrt(len(maps)))
    zoom = max(1, round(PAGE / (columns * maps.shape[2])))  # a map of 128 pixels stays as it is
    page = plots.tiles((maps / white).sqrt(), columns, zoom=zoom, gap=max(2, zoom // 2),
                       marked=channel, note=f"white: {white:.2g}, mid-grey: a quarter of it")
    one = F.interpolate(maps[None, channel:channel + 1], image.shape[2:], mode="bilinear")[0, 0]
    return plots.show([plots.picture(image), page, plots.heat(image, one, top=white)],
                      ["picture", f"{layer}: {len(maps)} maps", f"channel {channel}"], height=2.4)
