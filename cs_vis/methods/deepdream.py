"""Dreams: the drivers around the student's step and pyramid, and what part of a layer they feed.

The step takes a network and the name of a layer, and makes the picture do more for that layer.
To feed some channels, or all of them alike, or what a guide shows, hand it a network that ends
in just these: `Channels` and `Guided` do, in a layer that is called GROWN.
"""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import nn

from ..models import activations, find_layer
from ..models.layers import Enough
from ..require import (is_whole, require_above_0, require_batch, require_features,
                       require_function, require_generator, require_number, require_octaves,
                       require_one, require_same_shape, require_switch, require_unit,
                       require_whole)
from .drive import Frame, drive, watched

GROWN = "grown"


def dream(step: Callable, octave_pyramid: Callable, model: nn.Module, layer: str, *,
          start: torch.Tensor, steps: int = 10, octaves: int = 4, scale: float = 1.4,
          reach: int = 8, learning_rate: float = 0.012,
          generator: torch.Generator) -> Iterator[Frame]:
    """The pictures on the way into a dream: a Frame after each of the steps of each octave.

    step(img, model, layer, learning_rate, ox, oy) and octave_pyramid(img, dream, octaves, scale)
    are the exercise's. Every picture is as large as start (1, 3, H, W): of a smaller octave it is
    start, and what the dream has added there, enlarged. The objective is the mean of ½ a² at the
    octave's size. start stays as it was, and nothing is computed before the first frame is asked
    for. Raises TypeError or ValueError for other input.
    """
    require_one(start, "start")
    require_function(octave_pyramid, "octave_pyramid")
    require_whole(steps=steps, at_least=1)
    require_octaves(octaves, scale, start.shape[2:])
    grow = dream_step(step, model, layer, generator=generator)
    start, rates = start.detach(), {"learning_rate": learning_rate, "reach": reach}

    def pyramid(dream):
        return octave_pyramid(start.clone(), dream, octaves, scale)

    return _by_octaves(grow, pyramid, start, steps, rates)


def _by_octaves(grow, pyramid, start, steps, rates):
    """The pyramid takes a function, and we want its steps one by one. So it is run anew for each
    octave: it is handed the octaves that are done, and ended where it asks for the next."""
    done = []
    picture, whole = _next_octave(pyramid, done, start)
    while picture is not None:
        base = _resized(start, picture.shape[2:])
        for number, frame in enumerate(drive(grow, picture, rates, steps=steps), 1):
            full = frame._replace(image=_enlarged(frame.image, base, start))
            if number < steps:
                yield full
        done.append(frame.image)
        picture, whole = _next_octave(pyramid, done, start)
        yield full if whole is None else full._replace(image=whole)


def _next_octave(pyramid, done: list, start) -> tuple:
    """(what the pyramid wants dreamed after those that are done, None), or (None, its picture)."""
    asked, given = [], iter(done)

    def replay(picture):
        for dreamed in given:
            return dreamed
        asked.append(picture.detach().clone())
        raise Enough

    try:
        whole = pyramid(replay)
    except Enough:
        return asked[0], None
    require_same_shape(whole, start, "what octave_pyramid returned", "start")
    return None, whole.detach().clamp(0, 1)


def _enlarged(dreamed, base, start) -> torch.Tensor:
    """A dream as large as start: what it has added to its octave's base, on start itself."""
    if dreamed.shape == start.shape:
        return dreamed
    return (start + _resized(dreamed - base, start.shape[2:])).clamp(0, 1)


def _resized(picture, size) -> torch.Tensor:
    return F.interpolate(picture, size=tuple(size), mode="bilinear", antialias=True)


def dream_step(step: Callable, model: nn.Module, layer: str, *,
               generator: torch.Generator) -> Callable:
    """What `methods.drive` runs: grow(x, learning_rate=, reach=) -> (x, the mean of ½ a² it had).

    a is read in the pass that the exercise's step makes. reach: the most pixels of its jitter,
    which is drawn anew for each step. Raises TypeError or ValueError for other input.
    """
    require_function(step, "step")
    require_generator(generator)
    looked_at = find_layer(model, layer)

    def grow(x, *, learning_rate=0.012, reach=8):
        require_number("learning_rate", learning_rate, 0, 1e6)
        require_whole(reach=reach, at_least=0)
        right, down = torch.randint(-reach, reach + 1, (2,), generator=generator,
                                    device=generator.device).tolist()
        with watched(looked_at) as seen:
            moved = step(x, model, layer, learning_rate, right, down)
        require_same_shape(moved, x, "what the step returned", "its picture")
        return moved, seen.first_answer().square().mean() / 2
    return grow


def zoom(step: Callable, model: nn.Module, layer: str, *, start: torch.Tensor, frames: int,
         steps: int = 2, by: float = 1.02, reach: int = 8, learning_rate: float = 0.012,
         generator: torch.Generator) -> Iterator[Frame]:
    """A journey into a dream: each frame is `steps` steps from the one before, seen `by` times
    nearer. As `dream`, but at one size: what is to become large has the time to grow.
    """
    require_one(start, "start")
    require_whole(frames=frames, steps=steps, at_least=1)
    require_number("by", by, 1, 2)
    grow = dream_step(step, model, layer, generator=generator)
    rates = {"learning_rate": learning_rate, "reach": reach}

    def journey(picture):
        for _ in range(frames):
            *_, frame = drive(grow, picture, rates, steps=steps)
            yield frame
            picture = nearer(frame.image, by)
    return journey(start.detach())


def nearer(pictures: torch.Tensor, by: float) -> torch.Tensor:
    """The pictures (N, 3, H, W) enlarged `by` times about their centre, and cut to their size."""
    require_batch(pictures, "pictures")
    require_above_0(by=by)
    zoomed = pictures.new_tensor([[1 / by, 0, 0], [0, 1 / by, 0]]).expand(len(pictures), -1, -1)
    grid = F.affine_grid(zoomed, list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, mode="bicubic", padding_mode="reflection",
                         align_corners=False).clamp(0, 1)


class Channels(nn.Module):
    """A network that ends in channels of a layer: its layer "grown" is (1, k, h, w), or (1, k).

    channels: one or a list of them; all, where none is said. balanced: grown is a / sqrt(r), r a
    channel's root mean square over the picture: so ½ Σ grown² sums r instead of r², and a weak
    channel pulls as hard as a strong one. Raises ValueError for a layer or a channel that is not
    there.
    """

    def __init__(self, model: nn.Module, layer: str, channels=None, *, balanced: bool = False):
        super().__init__()
        find_layer(model, layer)
        require_switch(balanced=balanced)
        self.model, self.layer, self.balanced = model, layer, balanced
        self.channels = [channels] if is_whole(channels) else channels
        self.grown = nn.Identity()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        a = activations(self.model, images, self.layer)[self.layer]
        require_features(a, images, self.layer)
        if self.channels is not None:
            a = a[:, [require_unit(c, a.shape, "channel")[0] for c in self.channels]]
        return self.grown(a / strengths(a).sqrt() if self.balanced else a)


def strengths(a: torch.Tensor) -> torch.Tensor:
    """The root of each channel's mean square over all positions: (N, C, 1, 1), or (N, C)."""
    return a.square().mean(dim=list(range(2, a.ndim)), keepdim=True).clamp(min=1e-12).sqrt()


class Guided(nn.Module):
    """A network that ends in how well a layer fits a guide: its layer "grown" is (1, 1, h, w).

    At each position b is the guide's vector that match_guide finds for the vector a there, and
    grown is sqrt(2 a·b): so the step, which raises ½ grown², raises a·b, and its gradient at the
    layer is b. Take a layer behind a ReLU: where a·b is not above 0, nothing grows.
    match_guide(features, guide) is the exercise's, guide a picture (1, 3, H, W) of any size.
    """

    def __init__(self, model: nn.Module, layer: str, guide: torch.Tensor, match_guide: Callable):
        super().__init__()
        require_one(guide, "guide")
        require_function(match_guide, "match_guide")
        self.model, self.layer, self.grown = model, layer, nn.Identity()
        self.match_guide = match_guide
        with torch.no_grad():
            self.wanted = activations(model, guide, layer)[layer]  # (1, C, gh, gw)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        a = activations(self.model, images, self.layer)[self.layer]  # (1, C, h, w)
        require_features(a, images, self.layer)
        b = self.match_guide(a.detach(), self.wanted)
        require_same_shape(b, a, "what match_guide returned", "features")
        products = (a * b).sum(dim=1, keepdim=True)
        return self.grown((2 * products.clamp(min=1e-12)).sqrt())  # the root of 0 has no slope
