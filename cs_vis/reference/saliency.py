"""What in this image mattered? The four exercises of notebook 03, solved.

Nothing here changes its inputs, the network's mode, or its weights' gradients.
"""

import cv2
import numpy as np
import torch
from torch import nn

from ..require import (require_color, require_fit, require_images, require_map, require_one,
                       require_pictures, require_target)


def compute_saliency_maps(X: torch.Tensor, y: torch.Tensor, model: nn.Module) -> torch.Tensor:
    """How strongly the raw score of class y reacts to each pixel: max over colours of |dS_y/dX|.

    Simonyan, Vedaldi and Zisserman 2014. X (N, 3, H, W) in [0, 1], y (N,) class indices;
    returns (N, H, W), at least 0, in units of score per full range of brightness.
    Raises TypeError or ValueError for other shapes, dtypes, or classes.
    """
    require_images(X, "X")
    X = X.detach().requires_grad_()  # a new leaf: the caller's X keeps its own .grad
    scores = model(X)  # (N, K)
    y = require_target(y, *scores.shape, name="y").to(X.device)
    # Image n influences row n alone, so the gradient of the sum holds each image's own gradient.
    score_of_y = scores.gather(1, y.view(-1, 1)).sum()
    gradient, = torch.autograd.grad(score_of_y, X)  # (N, 3, H, W)
    return gradient.abs().amax(dim=1)  # (N, H, W)


@torch.no_grad()
def occlusion_map(image: torch.Tensor, y: int, model: nn.Module, patch: int = 32,
                  stride: int = 16, fill: torch.Tensor | None = None) -> torch.Tensor:
    """The softmax probability of class y while a patch hides one window after the other.

    Zeiler and Fergus 2014. image (1, 3, H, W) in [0, 1]; fill (3,) is the patch's colour, by
    default model.mean_color. Windows step by stride, the last one is flush with the border.
    Returns (rows, cols) in [0, 1]: where it is low, something hidden mattered.
    Raises TypeError or ValueError for other shapes, classes or colours, or where no patch fits.
    """
    require_one(image)
    fill = model.mean_color if fill is None else fill
    require_color(fill)
    tops, lefts = (positions(side, patch, stride) for side in image.shape[2:])
    require_target(y, *model(image).shape, name="y")
    fill = fill.to(image)
    heat = image.new_empty(len(tops), len(lefts))
    for r, top in enumerate(tops):
        for c, left in enumerate(lefts):
            covered = image.clone()
            covered[:, :, top:top + patch, left:left + patch] = fill.view(3, 1, 1)
            heat[r, c] = model(covered).softmax(dim=1)[0, y]
    return heat


def positions(side: int, patch: int, stride: int) -> list[int]:
    """Where the window starts along one side: 0, stride, 2 stride, ..., and flush at the end.

    Raises TypeError for what is no whole number, ValueError for a patch that does not fit.
    """
    require_fit(side, patch, stride)
    starts = list(range(0, side - patch + 1, stride))
    return starts if starts[-1] == side - patch else starts + [side - patch]


class GuidedReLU(torch.autograd.Function):
    """ReLU forward; backward, only what is positive on both ways passes.

    Springenberg et al. 2015: gradient · [gradient > 0] · [input > 0]. Any shape, same shape out.
    Use it as GuidedReLU.apply(x). What comes back is a picture, no longer a true gradient.
    """

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, gradient):
        x, = ctx.saved_tensors
        return gradient.clamp(min=0) * (x > 0)


def segment_by_saliency(image: torch.Tensor, saliency: torch.Tensor, *,
                        rng_seed: int = 0) -> torch.Tensor:
    """Cut out what the saliency points at: GrabCut, told by the smoothed map where to begin.

    Simonyan et al. 2014, section 3.2, and Rother et al. 2004. image (1, 3, H, W) in [0, 1],
    saliency (H, W); returns a bool mask (H, W). The map is blurred (sigma 3 pixels); its top 5 %
    are surely foreground, its lowest 30 % surely background, the rest above the 70 % quantile
    probably foreground. Five rounds on the picture in Lab colours, where distances are closer to
    what an eye sees than in RGB; their clusters start from rng_seed. Raises TypeError or
    ValueError for other shapes, dtypes, values, and for a map too flat to say where to begin.
    """
    require_one(image)
    require_pictures(image, "image")  # bytes below would wrap around outside [0, 1]
    require_map(saliency, *image.shape[2:])
    rgb = (image[0].permute(1, 2, 0) * 255).round().byte().cpu().numpy()  # (H, W, 3)
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    labels = first_labels(cv2.GaussianBlur(saliency.detach().cpu().numpy(), (0, 0), 3))
    cv2.setRNGSeed(rng_seed)
    cv2.grabCut(lab, labels, None, np.zeros((1, 65)), np.zeros((1, 65)), 5, cv2.GC_INIT_WITH_MASK)
    mask = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    return torch.from_numpy(mask).to(image.device)


def first_labels(smooth):
    """What GrabCut is told before it begins, one of its four labels for each pixel, (H, W)."""
    low, middle, high = np.quantile(smooth, [0.30, 0.70, 0.95])
    labels = np.where(smooth > middle, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[smooth >= high], labels[smooth <= low] = cv2.GC_FGD, cv2.GC_BGD
    for sure, what in ((cv2.GC_FGD, "foreground"), (cv2.GC_BGD, "background")):
        if not (labels == sure).any():
            raise ValueError(f"saliency is {np.median(smooth):.3g} nearly everywhere: after the "
                             f"blur no pixel is surely {what}; pass a map that varies")
    return labels
