"""What students write for notebook 03: known mistakes, and right solutions that look different.

`make goldens` runs the mistakes to take their fingerprints; the tests prove that the check rejects
each under its own name, and accepts every alternative.
"""

import cv2
import numpy as np
import torch
import torch.nn.functional as F

MISTAKES = {"compute_saliency_maps": {}, "occlusion_map": {}, "GuidedReLU": {},
            "segment_by_saliency": {}}
ALTERNATIVES = {exercise: {} for exercise in MISTAKES}


def mistake(exercise, name):
    return lambda function: MISTAKES[exercise].setdefault(name, function)


def alternative(exercise, name):
    return lambda function: ALTERNATIVES[exercise].setdefault(name, function)


# --- compute_saliency_maps: mistakes

def gradient_of(score, X, y, model):
    """The gradient of score(scores, y) with respect to X, (N, 3, H, W)."""
    X = X.detach().requires_grad_()
    return torch.autograd.grad(score(model(X), y), X)[0]


def own(scores, y):
    return scores.gather(1, y.view(-1, 1)).sum()


@mistake("compute_saliency_maps", "no absolute value")
def no_abs(X, y, model):
    return gradient_of(own, X, y, model).amax(dim=1)


@mistake("compute_saliency_maps", "absolute value after the maximum")
def late_abs(X, y, model):
    return gradient_of(own, X, y, model).amax(dim=1).abs()


@mistake("compute_saliency_maps", "mean over channels")
def channel_mean(X, y, model):
    return gradient_of(own, X, y, model).abs().mean(dim=1)


@mistake("compute_saliency_maps", "sum over channels")
def channel_sum(X, y, model):
    return gradient_of(own, X, y, model).abs().sum(dim=1)


@mistake("compute_saliency_maps", "length over channels")
def channel_length(X, y, model):
    return gradient_of(own, X, y, model).norm(dim=1)


@mistake("compute_saliency_maps", "cross-entropy instead of the score")
def cross_entropy(X, y, model):
    return gradient_of(F.cross_entropy, X, y, model).abs().amax(dim=1)


@mistake("compute_saliency_maps", "log-probability instead of the score")
def log_probability(X, y, model):
    return gradient_of(lambda s, y: own(s.log_softmax(1), y), X, y, model).abs().amax(dim=1)


@mistake("compute_saliency_maps", "probability instead of the score")
def probability(X, y, model):
    return gradient_of(lambda s, y: own(s.softmax(1), y), X, y, model).abs().amax(dim=1)


@mistake("compute_saliency_maps", "mean over the batch")
def batch_mean(X, y, model):
    return gradient_of(lambda s, y: own(s, y) / len(y), X, y, model).abs().amax(dim=1)


@mistake("compute_saliency_maps", "sum of all scores")
def all_scores(X, y, model):
    return gradient_of(lambda s, y: s.sum(), X, y, model).abs().amax(dim=1)


@mistake("compute_saliency_maps", "scores[:, y]")
def cross_talk(X, y, model):
    return gradient_of(lambda s, y: s[:, y].sum(), X, y, model).abs().amax(dim=1)


@mistake("compute_saliency_maps", "predicted class instead of y")
def predicted_class(X, y, model):
    return gradient_of(lambda s, y: s.amax(dim=1).sum(), X, y, model).abs().amax(dim=1)


@mistake("compute_saliency_maps", "hard-coded batch axis")
def five_images(X, y, model):
    X = X.detach().requires_grad_()
    scores = model(X)[torch.arange(5), y]
    scores.backward(torch.ones(5, dtype=X.dtype))
    return X.grad.abs().amax(dim=1)


@mistake("compute_saliency_maps", "squeezed batch axis")
def squeezed(X, y, model):
    return gradient_of(own, X, y, model).abs().amax(dim=1).squeeze()


@mistake("compute_saliency_maps", "gradient left from an earlier call")
def accumulated(X, y, model):
    X.requires_grad_()
    own(model(X), y).backward()
    return X.grad.abs().amax(dim=1)


@mistake("compute_saliency_maps", "rescaled to its maximum")
def rescaled(X, y, model):
    maps = gradient_of(own, X, y, model).abs().amax(dim=1)
    return maps / maps.amax(dim=(1, 2), keepdim=True)


@mistake("compute_saliency_maps", "input changed")
def normalised_in_place(X, y, model):
    maps = gradient_of(own, X, y, model).abs().amax(dim=1)
    X.detach().sub_(0.5).div_(0.25)  # for a picture beside the map, say
    return maps


@mistake("compute_saliency_maps", "weights' gradients left")
def thawed(X, y, model):
    model.requires_grad_()
    X = X.detach().requires_grad_()
    own(model(X), y).backward()
    return X.grad.abs().amax(dim=1)


@mistake("compute_saliency_maps", "model switched to train mode")
def train_mode(X, y, model):
    model.train()
    return gradient_of(own, X, y, model).abs().amax(dim=1)


@mistake("compute_saliency_maps", "hooks left")
def hook_left(X, y, model):
    kept = []
    model.register_forward_hook(lambda module, inputs, scores: kept.append(scores))
    X = X.detach().requires_grad_()
    model(X)
    return torch.autograd.grad(own(kept[0], y), X)[0].abs().amax(dim=1)


# --- compute_saliency_maps: right

@alternative("compute_saliency_maps", "one image at a time")
def one_by_one(X, y, model):
    return torch.cat([gradient_of(own, x[None], label[None], model).abs().amax(dim=1)
                      for x, label in zip(X, y)])


@alternative("compute_saliency_maps", "backward(), old gradient cleared")
def backward(X, y, model):
    X.requires_grad_()
    X.grad = None
    model(X)[torch.arange(len(y)), y].sum().backward()
    return X.grad.abs().max(dim=1).values


@alternative("compute_saliency_maps", "one-hot gradient")
def one_hot(X, y, model):
    X = X.clone().detach().requires_grad_()
    scores = model(X)
    scores.backward(gradient=F.one_hot(y, scores.shape[1]).to(scores))
    return X.grad.abs().amax(dim=1)


@alternative("compute_saliency_maps", "einsum with the one-hot labels")
def einsum(X, y, model):
    def score(scores, y):
        return torch.einsum("nk,nk->", scores, F.one_hot(y, scores.shape[1]).to(scores))
    return gradient_of(score, X, y, model).abs().amax(dim=1)


@alternative("compute_saliency_maps", "channels last")
def channels_last(X, y, model):
    X = X.detach().contiguous(memory_format=torch.channels_last)
    return gradient_of(own, X, y, model).abs().amax(dim=1)


@alternative("compute_saliency_maps", "functional gradient")
def functional(X, y, model):
    gradient = torch.func.grad(lambda x: own(model(x), y))(X.detach())
    return gradient.abs().amax(dim=1)


@alternative("compute_saliency_maps", "maximum of both signs, with a warning")
def both_signs(X, y, model):
    import warnings
    warnings.warn("a right answer may warn")
    gradient = gradient_of(own, X, y, model)
    return torch.cat([gradient, -gradient], dim=1).amax(dim=1)


# --- occlusion_map: mistakes

def starts(size, patch, stride):
    return sorted({*range(0, size - patch, stride), size - patch})


def probability_of(y, scores):
    return scores.softmax(dim=1)[0, y]


@torch.no_grad()
def occlude(image, y, model, patch, stride, fill, *, starts=starts, read=probability_of,
            shift=0, grow=0, pile_up=False):
    """The right way, with a screw for each mistake."""
    fill = (model.mean_color if fill is None else fill).to(image).view(3, 1, 1)
    covered, rows = image.clone(), []
    for top in starts(image.shape[2], patch, stride):
        row = []
        for left in starts(image.shape[3], patch, stride):
            covered = covered if pile_up else image.clone()
            rows_hidden = slice(max(top + shift, 0), top + shift + patch + grow)
            covered[:, :, rows_hidden, max(left + shift, 0):left + shift + patch + grow] = fill
            row.append(read(y, model(covered)))
        rows.append(torch.stack(row))
    return torch.stack(rows)


@mistake("occlusion_map", "no flush window")
def no_flush(image, y, model, patch=32, stride=16, fill=None):
    return occlude(image, y, model, patch, stride, fill,
                   starts=lambda size, patch, stride: range(0, size - patch + 1, stride))


@mistake("occlusion_map", "last window twice")
def last_twice(image, y, model, patch=32, stride=16, fill=None):
    def starts(size, patch, stride):
        return [*range(0, size - patch + 1, stride), size - patch]
    return occlude(image, y, model, patch, stride, fill, starts=starts)


@mistake("occlusion_map", "black patch")
def black(image, y, model, patch=32, stride=16, fill=None):
    return occlude(image, y, model, patch, stride, torch.zeros(3))


@mistake("occlusion_map", "grey patch")
def grey(image, y, model, patch=32, stride=16, fill=None):
    return occlude(image, y, model, patch, stride, torch.full((3,), 0.5))


@mistake("occlusion_map", "fill ignored")
def fill_ignored(image, y, model, patch=32, stride=16, fill=None):
    return occlude(image, y, model, patch, stride, None)


@mistake("occlusion_map", "predicted class instead of y")
def wrong_class(image, y, model, patch=32, stride=16, fill=None):
    return occlude(image, int(model(image).argmax()), model, patch, stride, fill)


@mistake("occlusion_map", "score instead of the probability")
def score(image, y, model, patch=32, stride=16, fill=None):
    return occlude(image, y, model, patch, stride, fill, read=lambda y, scores: scores[0, y])


@mistake("occlusion_map", "log-probability instead of the probability")
def log_softmax(image, y, model, patch=32, stride=16, fill=None):
    return occlude(image, y, model, patch, stride, fill,
                   read=lambda y, scores: scores.log_softmax(dim=1)[0, y])


@mistake("occlusion_map", "drop instead of the probability")
def drop(image, y, model, patch=32, stride=16, fill=None):
    before = model(image).softmax(dim=1)[0, y]
    return before - occlude(image, y, model, patch, stride, fill)


@mistake("occlusion_map", "off by one in position")
def off_by_one(image, y, model, patch=32, stride=16, fill=None):
    return occlude(image, y, model, patch, stride, fill, shift=1)


@mistake("occlusion_map", "windows centred on their position")
def centred(image, y, model, patch=32, stride=16, fill=None):
    return occlude(image, y, model, patch, stride, fill, shift=-(patch // 2))


@mistake("occlusion_map", "patch one pixel too large")
def too_large(image, y, model, patch=32, stride=16, fill=None):
    return occlude(image, y, model, patch, stride, fill, grow=1)


@mistake("occlusion_map", "patch not restored")
def not_restored(image, y, model, patch=32, stride=16, fill=None):
    return occlude(image, y, model, patch, stride, fill, pile_up=True)


@mistake("occlusion_map", "rows and columns swapped")
def swapped(image, y, model, patch=32, stride=16, fill=None):
    return occlude(image, y, model, patch, stride, fill).T


@mistake("occlusion_map", "input changed")
def painted_on(image, y, model, patch=32, stride=16, fill=None):
    result = occlude(image, y, model, patch, stride, fill)
    image[:, :, -patch:, -patch:] = 0  # the last patch stays on the caller's picture
    return result


@mistake("occlusion_map", "model switched to train mode")
def train_mode_left(image, y, model, patch=32, stride=16, fill=None):
    model.train()
    return occlude(image, y, model, patch, stride, fill)


# --- occlusion_map: right

@alternative("occlusion_map", "all windows in one batch")
def batched(image, y, model, patch=32, stride=16, fill=None):
    fill = (model.mean_color if fill is None else fill).to(image).view(3, 1, 1)
    tops, lefts = (starts(size, patch, stride) for size in image.shape[2:])
    covered = image.repeat(len(tops) * len(lefts), 1, 1, 1)
    for n, (top, left) in enumerate((top, left) for top in tops for left in lefts):
        covered[n, :, top:top + patch, left:left + patch] = fill
    return model(covered).softmax(dim=1)[:, y].view(len(tops), len(lefts))


@alternative("occlusion_map", "torch.where with a moving mask")
def moving_mask(image, y, model, patch=32, stride=16, fill=None):
    fill = (model.mean_color if fill is None else fill).to(image).view(1, 3, 1, 1)
    height, width = image.shape[2:]
    rows, cols = torch.arange(height)[:, None], torch.arange(width)
    def inside(top, left):
        return (rows >= top) & (rows < top + patch) & (cols >= left) & (cols < left + patch)
    return torch.stack([torch.stack([
        model(torch.where(inside(top, left), fill, image)).softmax(dim=1)[0, y]
        for left in starts(width, patch, stride)]) for top in starts(height, patch, stride)])


@alternative("occlusion_map", "softmax by hand, while loops, padding")
def by_hand(image, y, model, patch=32, stride=16, fill=None):
    fill = model.mean_color if fill is None else fill
    height, width = image.shape[2:]
    square = fill.to(image).view(1, 3, 1, 1).expand(1, 3, patch, patch)
    rows, top, last_row = [], 0, False
    while not last_row:
        last_row, top = top >= height - patch, min(top, height - patch)
        row, left, last = [], 0, False
        while not last:
            last, left = left >= width - patch, min(left, width - patch)
            around = (left, width - patch - left, top, height - patch - top)
            hole = F.pad(torch.ones_like(square), around)
            e = model(image * (1 - hole) + F.pad(square, around)).exp()[0]
            row.append((e[y] / e.sum()).item())
            left += stride
        rows.append(row)
        top += stride
    return torch.tensor(rows, dtype=image.dtype, device=image.device)


@alternative("occlusion_map", "in float64")
def occlude_double(image, y, model, patch=32, stride=16, fill=None):
    import copy
    network = copy.deepcopy(model).double()
    return occlude(image.double(), y, network, patch, stride, fill).to(image.dtype)


# --- GuidedReLU: mistakes

def relu_with(rule, forward=lambda x: x.clamp(min=0)):
    """A ReLU Function whose backward is rule(x, gradient)."""
    class GuidedReLU(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return forward(x)

        @staticmethod
        def backward(ctx, gradient):
            x, = ctx.saved_tensors
            return rule(x, gradient)
    return GuidedReLU


for name, rule in {
    "only the gradient clamped": lambda x, g: g.clamp(min=0),
    "only the forward mask": lambda x, g: g * (x > 0),
    "gradient doubled": lambda x, g: 2 * g.clamp(min=0) * (x > 0),
    "absolute gradient": lambda x, g: g.abs() * (x > 0),
    "negative gradients kept": lambda x, g: g.clamp(max=0) * (x > 0),
    "mask upside down": lambda x, g: g.clamp(min=0) * (x < 0),
    "size of the gradient lost": lambda x, g: ((g > 0) & (x > 0)).to(g),
    "gradient times the input": lambda x, g: g.clamp(min=0) * x.clamp(min=0),
}.items():
    MISTAKES["GuidedReLU"][name] = relu_with(rule)

MISTAKES["GuidedReLU"]["no ReLU forward"] = relu_with(
    lambda x, g: g.clamp(min=0) * (x > 0), forward=lambda x: x.clone())


@mistake("GuidedReLU", "sign of the output instead of the input")
class OutputSaved(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = x.clamp(min=0)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, gradient):
        y, = ctx.saved_tensors
        return gradient.clamp(min=0) * (y >= 0)


@mistake("GuidedReLU", "plain ReLU")
class PlainReLU(torch.nn.ReLU):
    apply = staticmethod(torch.relu)


# What the notebook calls elsewhere, passed to the check by habit.
MISTAKES["GuidedReLU"]["the class itself not passed"] = relu_with(
    lambda x, g: g.clamp(min=0) * (x > 0)).apply


@mistake("GuidedReLU", "input changed")
class InPlace(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mask = x > 0
        return x.clamp_(min=0).clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient.clamp(min=0) * ctx.mask


# --- GuidedReLU: right

ALTERNATIVES["GuidedReLU"]["torch.where"] = relu_with(
    lambda x, g: torch.where((x > 0) & (g > 0), g, 0))
ALTERNATIVES["GuidedReLU"]["ReLU of both, forward by mask"] = relu_with(
    lambda x, g: torch.relu(g) * torch.heaviside(x, torch.zeros_like(x)),
    forward=lambda x: x * (x > 0))


@alternative("GuidedReLU", "sign of the output, above 0")
class SignOfOutput(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = torch.maximum(x, torch.zeros_like(x))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, gradient):
        return gradient.clamp(min=0) * ctx.saved_tensors[0].sign()


@alternative("GuidedReLU", "setup_context, zeros written in a copy")
class SetupContext(torch.autograd.Function):
    @staticmethod
    def forward(x):
        return x.relu()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0])

    @staticmethod
    def backward(ctx, gradient):
        x, = ctx.saved_tensors
        gradient = gradient.clone()
        gradient[(gradient < 0) | (x <= 0)] = 0
        return gradient


@alternative("GuidedReLU", "channels last, in float64")
class DoubleReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mask = x > 0
        return x.double().clamp(min=0).to(x.dtype)

    @staticmethod
    def backward(ctx, gradient):
        return (gradient.double().clamp(min=0) * ctx.mask).to(gradient.dtype)


# --- segment_by_saliency: mistakes

def picture_bytes(image, scale=255):
    return (image[0].permute(1, 2, 0) * scale).round().byte().cpu().numpy()  # (H, W, 3)


def blurred(image, saliency):
    return cv2.GaussianBlur(saliency.detach().cpu().numpy(), (0, 0), 3)


def quantiles(smooth):
    return np.quantile(smooth, [0.30, 0.70, 0.95])


def object_of(labels):
    return (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)


def cut(image, saliency, *, smooth=blurred, levels=quantiles, code=cv2.COLOR_RGB2LAB, scale=255,
        sure=(cv2.GC_FGD, cv2.GC_BGD), answer=object_of, use_answer=True):
    """The right way, with a screw for each mistake."""
    picture = picture_bytes(image, scale)
    picture = picture if code is None else cv2.cvtColor(picture, code)
    smooth = smooth(image, saliency)
    low, middle, high = levels(smooth)
    labels = np.where(smooth > middle, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[smooth >= high], labels[smooth <= low] = sure
    result = labels.copy()
    cv2.setRNGSeed(0)
    cv2.grabCut(picture, result, None, np.zeros((1, 65)), np.zeros((1, 65)), 5,
                cv2.GC_INIT_WITH_MASK)
    return torch.from_numpy(answer(result if use_answer else labels)).to(image.device)


@mistake("segment_by_saliency", "thresholds swapped")
def thresholds_swapped(image, saliency):
    return cut(image, saliency, sure=(cv2.GC_BGD, cv2.GC_FGD))


@mistake("segment_by_saliency", "saliency not smoothed")
def not_smoothed(image, saliency):
    return cut(image, saliency, smooth=lambda image, saliency: saliency.detach().cpu().numpy())


@mistake("segment_by_saliency", "saliency from the wrong image")
def wrong_map(image, saliency):
    return cut(image, image[0].mean(dim=0))


@mistake("segment_by_saliency", "BGR and RGB mixed")
def bgr(image, saliency):
    return cut(image, saliency, code=cv2.COLOR_BGR2LAB)


@mistake("segment_by_saliency", "not converted to Lab")
def rgb(image, saliency):
    return cut(image, saliency, code=None)


@mistake("segment_by_saliency", "probable label dropped")
def sure_only(image, saliency):
    return cut(image, saliency, answer=lambda labels: labels == cv2.GC_FGD)


@mistake("segment_by_saliency", "background instead of foreground")
def inverted(image, saliency):
    return cut(image, saliency, answer=lambda labels: ~object_of(labels))


@mistake("segment_by_saliency", "picture not scaled to 255")
def not_scaled(image, saliency):
    return cut(image, saliency, scale=0.5)  # as .byte() of values below 1: all 0


@mistake("segment_by_saliency", "parts of the maximum instead of quantiles")
def parts_of_maximum(image, saliency):
    return cut(image, saliency, levels=lambda smooth: np.array([0.30, 0.70, 0.95]) * smooth.max())


@mistake("segment_by_saliency", "GrabCut's answer not used")
def answer_unused(image, saliency):
    return cut(image, saliency, use_answer=False)


@mistake("segment_by_saliency", "input changed")
def scaled_in_place(image, saliency):
    saliency.detach().div_(saliency.max())
    return cut(image, saliency)


# --- segment_by_saliency: right

@alternative("segment_by_saliency", "OpenCV's kernel written out, another seed")
def with_kernel(image, saliency):
    cv2.setRNGSeed(5)
    result = cut(image, saliency, smooth=lambda image, saliency: cv2.sepFilter2D(
        saliency.detach().cpu().double().numpy(), -1, *2 * [cv2.getGaussianKernel(25, 3)]))
    return result


@alternative("segment_by_saliency", "torch quantiles, in float64")
def torch_quantiles(image, saliency):
    levels = torch.tensor([0.30, 0.70, 0.95], dtype=torch.float64)
    return cut(image, saliency.double(), levels=lambda smooth: torch.quantile(
        torch.from_numpy(smooth), levels).numpy())


@alternative("segment_by_saliency", "bytes cut instead of rounded, seeds by rank, no random seed")
def by_rank(image, saliency):
    picture = cv2.cvtColor(np.uint8(image.detach().cpu().numpy()[0].transpose(1, 2, 0) * 255),
                           cv2.COLOR_RGB2LAB)
    smooth = blurred(image, saliency)
    share = smooth.argsort(axis=None).argsort().reshape(smooth.shape) / (smooth.size - 1)
    labels = np.select([share >= 0.95, share > 0.70, share > 0.30],
                       [cv2.GC_FGD, cv2.GC_PR_FGD, cv2.GC_PR_BGD], cv2.GC_BGD).astype(np.uint8)
    labels, _, _ = cv2.grabCut(picture, labels, None, None, None, 5, cv2.GC_INIT_WITH_MASK)
    return torch.tensor(labels % 2 == 1, device=image.device)
