"""Small live inputs for tests: those of the checks' fixtures, on a device and in a dtype."""

import torch

from cs_vis.checks.fixtures import TinyNet, numbers, picture, tiny_weights


def tiny_net(device="cpu", dtype=torch.float32, seed=3, guarded=False):
    with torch.random.fork_rng(devices=[]):  # the layers draw weights, which are replaced at once
        return TinyNet(tiny_weights(numbers, seed), guarded).to(device, dtype)


def tiny_images(n, height, width, device="cpu", dtype=torch.float32, seed=1):
    return picture(numbers, n, height, width, seed).to(device, dtype)
