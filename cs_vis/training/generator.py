"""The generator, and two that are thrown away: an encoder that finds codes, a critic that judges.

A variational autoencoder (Kingma and Welling 2014) whose pictures must look alike to the robust
network (Dosovitskiy and Brox 2016), and whose samples must look real to a critic that sees with
that network's eyes (Sauer et al. 2021). The ordinary network has no part in it, so it can judge.
"""

import copy

import torch
import torch.nn.functional as F
from torch import nn

from .. import specimens
from ..methods.generator import FREE, Generator
from ..models import activations, load_model
from . import portraits
from .loop import run, write

LAYERS = {"relu1_1": 24, "relu2_2": 48, "relu3_2": 96, "relu4_2": 128}  # of the robust network
STAGES = ((32, 64, 700), (64, 32, 1200), (128, 24, 700))  # side in pixels, batch, steps
PLAY_FROM = 64   # pixels: with less, the network sees nothing, and neither does the critic
PEAK = 2e-3      # of the learning rate
PIXELS, PRIOR, REAL, NAMED = 4.0, 0.3 / FREE, 0.1, 0.2  # weights of the losses; of features, 1
AVERAGE = 0.995  # the generator that ships is a mean over some 200 steps


class Encoder(nn.Module):
    """The mean and the log variance of a picture's code, from what the network makes of it."""

    def __init__(self, kinds):
        super().__init__()
        self.narrow = nn.Conv2d(3 + LAYERS["relu3_2"] + LAYERS["relu4_2"] + kinds, 48, 1)
        self.mix = nn.Sequential(nn.Linear(48 * 8 * 8, 256), nn.LeakyReLU(0.2),
                                 nn.Linear(256, 2 * FREE))

    def forward(self, images, seen, kinds):
        maps = [F.adaptive_avg_pool2d(x, 8) for x in (images, *seen[2:])]
        maps.append(kinds[:, :, None, None].expand(-1, -1, 8, 8))
        x = F.leaky_relu(self.narrow(torch.cat(maps, dim=1)), 0.2)  # (N, 48, 8, 8)
        mean, spread = self.mix(x.flatten(1)).float().chunk(2, dim=1)
        return mean, spread.clamp(-8, 4)


class Critic(nn.Module):
    """How real the places of a picture are, as ones of its kind; from its pixels and features."""

    def __init__(self, kinds, width=64):
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, width, 3, 2, 1), nn.LeakyReLU(0.2),
                          nn.Conv2d(width, width, 3, 2, 1), nn.LeakyReLU(0.2))
            for channels in (3, *LAYERS.values()))
        self.real = nn.ModuleList(nn.Conv2d(width, 1, 1) for _ in self.heads)
        self.fits = nn.ModuleList(nn.Linear(kinds, width, bias=False) for _ in self.heads)

    def forward(self, images, seen, kinds):
        said = []
        for head, real, fits, x in zip(self.heads, self.real, self.fits, (images - 0.5, *seen)):
            x = head(x)  # (N, C, h, w)
            fit = (x * fits(kinds)[:, :, None, None]).mean(dim=1, keepdim=True)
            said.append((real(x) + 8 * fit).flatten(1))
        return torch.cat(said, dim=1).float()


class Learners(nn.Module):
    """All that learns together, and the mean of the generator, which does not."""

    def __init__(self, kinds):
        super().__init__()
        self.generator, self.encoder, self.critic = Generator(kinds), Encoder(kinds), Critic(kinds)
        self.mean = copy.deepcopy(self.generator).requires_grad_(False)


def train(folder, weights, seed, progress):
    """Train the generator; returns the weights' path."""
    eye = load_model("specimens-robust").to(memory_format=torch.channels_last)
    pool = portraits.pool(folder, progress=progress)
    learners = Learners(len(specimens.class_names)).to(memory_format=torch.channels_last)
    plan = [(side, count) for side, count, steps in STAGES for _ in range(steps)]
    begin = sum(side < PLAY_FROM for side, _ in plan)

    def step(optimizer, number, generator):
        side, count = plan[number]
        images, masks, labels = portraits.sample(pool, side, count, generator)
        kinds = F.one_hot(labels, len(specimens.class_names)).float()
        game = min(1, max(0, (number - begin) / 200))
        return descend(learners, eye, optimizer, images, masks, kinds, game, number)
    seconds = run("generator", learners, step, len(plan), PEAK, folder / "generator.pt", seed,
                  progress, optimizer=optimizer_of)
    return write(weights / "generator.safetensors", learners.mean.state_dict(), seconds, seed,
                 class_names=specimens.class_names)


def optimizer_of(learners):
    """Adam that forgets soon: what the critic wants changes from step to step."""
    return torch.optim.Adam(learners.parameters(), betas=(0.5, 0.95))


def look(eye, images):
    """What the network makes of pictures: its features, and its scores."""
    found = activations(eye, images, [*LAYERS, "fc"])
    return [found[layer] for layer in LAYERS], found["fc"].float()


def descend(learners, eye, optimizer, images, masks, kinds, game, number):
    """One step of all: the pictures again from their codes, and as many new ones, half."""
    count, (generator, critic) = len(images), (learners.generator, learners.critic)
    with torch.autocast(images.device.type, torch.bfloat16):
        with torch.no_grad():
            seen, _ = look(eye, images)
        mean, spread = learners.encoder(images, seen, kinds)
        free = torch.cat([mean + torch.randn_like(mean) * (spread / 2).exp(),
                          torch.randn(count // 2 if game else 0, FREE)])
        wanted = torch.cat([kinds, kinds.roll(1, 0)[:len(free) - count]])
        made = generator(torch.cat([free, wanted], dim=1), images.shape[2]).float()
        seen_of_made, scores = look(eye, made)
        prior = 0.5 * (mean ** 2 + spread.exp() - 1 - spread).sum(dim=1).mean()
        loss = unlike(images, seen, made, seen_of_made, masks) + PRIOR * prior
        if game:
            critic.requires_grad_(False)
            loss = loss + game * (NAMED * F.cross_entropy(scores, wanted)
                                  - REAL * critic(made, seen_of_made, wanted).mean())
            critic.requires_grad_(True)
        real = critic(images, seen, kinds)
        fake = critic(made.detach(), [x.detach() for x in seen_of_made], wanted)
        hinge = F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    optimizer.zero_grad()
    (loss + hinge).backward()
    for part in (generator, learners.encoder, critic):
        nn.utils.clip_grad_norm_(part.parameters(), 2.0)
    optimizer.step()
    follow(learners.mean, generator, min(AVERAGE, (number + 1) / (number + 10)))
    return loss.item()


def unlike(images, seen, made, seen_of_made, masks):
    """How far the pictures made again are from the images: in pixels, and to the network."""
    weight = 0.5 + masks
    far = PIXELS * ((made[:len(images)] - images).abs() * weight).mean()
    for wanted, found in zip(seen, seen_of_made):
        wanted, found = wanted.float(), found[:len(images)].float()
        size = wanted.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        there = F.adaptive_avg_pool2d(weight, wanted.shape[2:])
        far = far + ((wanted - found).abs() / size * there).mean()
    return far


@torch.no_grad()
def follow(mean, generator, keep):
    for slow, quick in zip(mean.parameters(), generator.parameters()):
        slow.lerp_(quick, 1 - keep)
