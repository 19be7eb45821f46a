"""One step of the weights: the ordinary way, and against attacks that learn along."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

RADIUS, REPLAYS = 6 / 255, 3  # of the perturbations in the robust network's first part
BALL_REPLAYS = 4              # in its second


class Tuning(NamedTuple):
    """A run of the second part, at full size: each image in an L-inf or in an L2 ball."""
    steps: int
    peak: float   # of the learning rate
    linf: float   # radius, the largest change of any value
    l2: float     # radius, the length of the change over the whole picture
    share: float  # of the images that are changed within the L2 ball


def descend(net, optimizer, images, labels):
    """One step of the weights; returns the loss. Images that require it get their gradient."""
    with torch.autocast(images.device.type, torch.bfloat16):
        loss = F.cross_entropy(net(images), labels, label_smoothing=0.05)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 2.0)
    optimizer.step()
    return loss.item()


def descend_robustly(net, optimizer, images, labels, generator):
    """Adversarial training "for free", Shafahi et al. 2019: each backward pass serves twice,
    for a step of the weights and for a step of the attack."""
    delta = (torch.rand(images.shape, generator=generator) * 2 - 1).to(images) * RADIUS
    for _ in range(REPLAYS):
        attacked = (images + delta).clamp(0, 1).requires_grad_()
        loss = descend(net, optimizer, attacked, labels)
        delta = (delta + 0.7 * RADIUS * attacked.grad.sign()).clamp(-RADIUS, RADIUS)
    return loss


def descend_in_both_balls(net, optimizer, images, labels, tuning, generator):
    """The same, each image in a ball of its own: some L-inf, some L2."""
    in_l2 = torch.rand(len(images), 1, 1, 1, generator=generator).to(images) < tuning.share
    delta = (torch.rand(images.shape, generator=generator) * 2 - 1).to(images) * tuning.linf
    for _ in range(BALL_REPLAYS):
        attacked = (images + delta).clamp(0, 1).requires_grad_()
        loss = descend(net, optimizer, attacked, labels)
        along = attacked.grad / length(attacked.grad)
        step = torch.where(in_l2, tuning.l2 * along, tuning.linf * attacked.grad.sign())
        delta = delta + 0.7 * step
        shorter = delta * (tuning.l2 / length(delta)).clamp(max=1)
        delta = torch.where(in_l2, shorter, delta.clamp(-tuning.linf, tuning.linf))
    return loss


def length(images):
    """The L2 norm of each image, (N, 1, 1, 1)."""
    return images.flatten(1).norm(dim=1).clamp(min=1e-12)[:, None, None, None]
