"""The panel of notebook 08: a dream that grows, and every number of it on a slider."""

from collections.abc import Callable

import torch

from ..methods.deepdream import GROWN, Channels, Guided, dream_step, nearer
from ..models import activations
from ..require import require_lists
from .live import Choice, Range, current, play

__all__ = ["deepdream_panel"]

ALL, NONE = -1, "no guide"  # the channel that stands for all, and the guide that is none


def deepdream_panel(networks: dict, starts: dict, layers, *, deepdream_step: Callable,
                    octave_pyramid: Callable | None = None, match_guide: Callable | None = None,
                    begin: int = 10):
    """A panel that dreams on; what a slider says acts at the next step.

    networks: name -> network. starts: name -> picture (1, 3, H, W) in [0, 1]. layers: names that
    all networks have. The three functions are the student's; a step of the panel takes one in
    each octave of the pyramid; what is not given has no slider. What the functions raise becomes
    a line of text; one that is defined anew is picked up. Raises ValueError or TypeError for no
    network, start or layer.
    """
    require_lists(layers=layers)
    if not networks or not len(layers):
        raise ValueError(f"networks has {len(networks)} entries and layers {len(layers)}: a panel "
                         f"needs a network, name -> network, and the name of a layer")
    student = {"deepdream_step": deepdream_step, "octave_pyramid": octave_pyramid,
               "match_guide": match_guide}
    student = {name: function for name, function in student.items() if function is not None}
    generator, built = torch.Generator().manual_seed(0), {}

    def asked(network, layer, channel, balanced, guide):
        """The network that the step is handed: built once for each setting of the menus."""
        key = (network, layer, channel, balanced, guide, current(match_guide))
        if key not in built:
            model = Channels(networks[network], layer, None if channel == ALL else channel,
                             balanced=balanced)
            built[key] = model if guide == NONE else Guided(model, GROWN, starts[guide],
                                                            current(match_guide))
        return built[key]

    def step(picture, *, network, layer, channel, balanced, guide=NONE, octaves=1, scale=1.0,
             zoom=1.0, **rates):
        model = asked(network, layer, channel, balanced, guide)
        grow = dream_step(current(deepdream_step), model, GROWN, generator=generator)
        read = []

        def one(x):
            moved, objective = grow(x, **rates)
            read.append(objective)
            return moved

        pyramid = current(octave_pyramid) or (lambda img, dream, *_: dream(img))
        moved = pyramid(picture, one, octaves, scale)
        return (nearer(moved, zoom) if zoom > 1 else moved), read[-1]

    controls = {"network": Choice(list(networks)[::-1]), "layer": Choice(list(layers)),
                "channel": Range(ALL, ALL, ALL, words=f"channel ({ALL}: all)"), "balanced": True}
    controls |= {"guide": Choice([NONE, *starts])} if match_guide is not None else {}
    controls |= {name: control for name, control in CONTROLS.items()
                 if octave_pyramid is not None or name not in ("octaves", "scale")}
    return play(step, starts, controls, objective="mean of ½ a²", begin=begin, exercises=student,
                name="dream", adapt=lambda panel, moved: offer(panel, moved, networks))


def offer(panel, moved: str | None, networks: dict) -> None:
    """Have the channel slider end where the layer does."""
    if moved in (None, "network", "layer"):
        model, layer = (panel.controls[name].chosen for name in ("network", "layer"))
        model = networks[model]
        with torch.no_grad():
            a = activations(model, panel.images.chosen, layer)[layer]
        panel.controls["channel"].max = a.shape[1] - 1


CONTROLS = {
    "learning_rate": Range(0.0, 0.06, 0.012, 0.002, "learning rate"),
    "octaves": Range(1, 6, 3),
    "scale": Range(1.1, 2.0, 1.4, 0.05, "octave scale"),
    "reach": Range(0, 32, 8, words="jitter (px)"),
    "zoom": Range(1.0, 1.05, 1.0, 0.005, "zoom per step"),
}
