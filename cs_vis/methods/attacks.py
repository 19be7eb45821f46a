"""Attacks on a network: what they cost, what is left of its answers, and learning from them.

The step itself is the student's: make_fooling_image and attack_step come in as arguments.
"""

import copy
from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from ..require import (require_above_0, require_batch, require_function, require_generator,
                       require_model, require_norm, require_one, require_same_shape,
                       require_target, require_whole)
from .drive import watched


class Fooled(NamedTuple):
    """What it took to lead one picture to another class."""
    image: torch.Tensor  # (1, 3, H, W), what came back
    steps: int           # how often the picture moved
    l2: float            # the length of the whole change
    linf: float          # the largest change of any value
    reached: bool        # does the network say the target now?


def fool(make_fooling_image: Callable, X: torch.Tensor, target_y: int,
         model: nn.Module) -> Fooled:
    """Run the student's make_fooling_image(X, target_y, model), and measure what it did.

    X (1, 3, H, W). The steps are counted by the pictures that the network was shown. Raises
    TypeError or ValueError for other input, or where what comes back is no picture like X.
    """
    require_function(make_fooling_image, "make_fooling_image")
    require_one(X, "X")
    require_model(model)
    with watched(model) as seen:
        image = make_fooling_image(X.detach().clone(), target_y, model)
    require_same_shape(image, X, "the fooling image", "X")
    image = image.detach()
    moved = [*seen.images, image]
    steps = sum(not torch.equal(one, other) for one, other in zip(moved, moved[1:]))
    change = (image - X).flatten().double()
    with torch.no_grad():
        reached = bool(model(image).argmax() == target_y)
    return Fooled(image, steps, change.norm().item(), change.abs().max().item(), reached)


def attack(attack_step: Callable, images: torch.Tensor, y: torch.Tensor, model: nn.Module, *,
           radius: float, norm: str, steps: int, start: torch.Tensor | None = None) -> torch.Tensor:
    """Take the student's attack_step again and again, from `start` or the images themselves.

    images (N, 3, H, W), y (N,); each step goes a quarter of the radius, or more where there are
    few: 2.5 · radius / steps. Returns (N, 3, H, W). Raises TypeError or ValueError for other input.
    """
    require_function(attack_step, "attack_step")
    require_batch(images)
    require_model(model)
    require_norm(norm)
    require_above_0(radius=radius)
    require_whole(steps=steps, at_least=1)
    X = images if start is None else start
    for _ in range(steps):
        X = attack_step(X, images, y, model, 2.5 * radius / steps, radius, norm)
        require_same_shape(X, images, "what attack_step returned", "images")
    return X.detach()


def share_right(attack_step: Callable, images: torch.Tensor, y: torch.Tensor, model: nn.Module,
                radii: Iterable[float], *, norm: str, steps: int) -> list[float]:
    """How many of the images are still called y, without an attack and at each radius.

    radii: growing. What has fallen at one radius has fallen at all larger ones, so only the
    others are attacked on, from where they are. Returns 1 + len(radii) shares.
    """
    require_batch(images)
    y = require_target(y, len(images), len(model.class_names), name="y").to(images.device)
    attacked, right = images.clone(), [standing(model, images, y)]
    for radius in radii:
        left = right[-1].clone()
        chosen = left.nonzero()[:, 0]
        for part in (chosen[start:start + 16] for start in range(0, len(chosen), 16)):
            attacked[part] = attack(attack_step, images[part], y[part], model, radius=radius,
                                    norm=norm, steps=steps, start=attacked[part])
            left[part] = standing(model, attacked[part], y[part])
        right.append(left)
    return [one.float().mean().item() for one in right]


@torch.no_grad()
def standing(model, images, y):  # (N,) bool
    return torch.cat([model(part) for part in images.split(16)]).argmax(dim=1) == y


def random_change(images: torch.Tensor, lengths: torch.Tensor, *,
                  generator: torch.Generator) -> torch.Tensor:
    """The images with Gaussian noise as long as `lengths` (N,), in L2: the attack's baseline.

    images (N, 3, H, W); returns the same shape, not cut to [0, 1].
    """
    require_batch(images)
    require_generator(generator)
    noise = torch.randn(images.shape, generator=generator, device=generator.device).to(images)
    return images + noise * (lengths.to(images) / noise.flatten(1).norm(dim=1)).view(-1, 1, 1, 1)


def fine_tune(model: nn.Module, batches: Iterable, count: int, attack: Callable | None = None, *,
              rate: float = 5e-4, watch: Callable | None = None) -> nn.Module:
    """A copy of the network that has learned from the batches on; the network stays as it was.

    batches: `count` pairs (images (N, 3, H, W), labels (N,)). attack(images, labels, network) gives
    the images to learn from in their place, against the network as it is by then: adversarial
    training, Madry et al. 2018. Adam; its rate rises to `rate` in a tenth of the time, and falls
    to 0. watch(network, loss) is called after each batch. An interrupt ends it early: what was
    learned until then comes back, frozen, in eval mode. Raises TypeError or ValueError for other
    numbers.
    """
    require_model(model)
    require_above_0(rate=rate)
    require_whole(count=count, at_least=1)
    # On a CPU convolutions learn half as fast again where a pixel's channels lie side by side.
    network = copy.deepcopy(model).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda done: min(1, 10 * (done + 1) / count) * (1 - done / count))
    try:
        for images, labels in batches:
            images = images.contiguous(memory_format=torch.channels_last)
            network.requires_grad_(False)  # attacks find a network like any other
            images = images if attack is None else attack(images, labels, network)
            network.requires_grad_(True)
            loss = F.cross_entropy(network(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            if watch is not None:
                watch(network.requires_grad_(False), loss.item())
    except KeyboardInterrupt:
        print("Interrupted: this is what was learned until then.")
    return network.requires_grad_(False)
