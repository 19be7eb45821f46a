"""The four exercises of notebook 03: what is tried, and what is said about known mistakes."""

import torch

from ..methods.saliency import backprop
from .engine import Case, CheckFailed, Exercise, relative_l2
from .fixtures import numbers, tiny_images, tiny_net, tiny_scene

NOTEBOOK = "03_saliency"


# --- compute_saliency_maps

def maps(function, X, y, model):
    return {"result": function(X, y, model)}


def images_for(n, height, width, seed, labels, old_gradient=False):
    """Pictures, labels that are mostly wrong, and a tiny network; X may hold an old gradient."""
    def build(device, dtype):
        X = tiny_images(n, height, width, device, dtype, seed)
        if old_gradient:
            X.requires_grad_().grad = tiny_images(n, height, width, device, dtype, seed + 1)
        return {"X": X, "y": torch.tensor(labels, device=device), "model": tiny_net(device, dtype)}
    return build


SALIENCY = Exercise(
    name="compute_saliency_maps", notebook=NOTEBOOK,
    cases=[
        Case("three images", images_for(3, 10, 7, 73, [2, 3, 0]), maps),
        Case("one image in float64", images_for(1, 6, 9, 65, [2]), maps, torch.float64),
        Case("five images with old gradients", images_for(5, 7, 6, 53, [1, 1, 0, 2, 3], True), maps),
        Case("two specimens", lambda *where: specimens([3, 100], *where), maps,
             tolerance=1e-2, distance=relative_l2, fingerprints=False),
    ],
    mistakes={
        "no absolute value":
            "The absolute value is missing: a strong negative gradient matters as much as a "
            "positive one. Take gradient.abs() before the maximum over the colours.",
        "absolute value after the maximum":
            "The absolute value comes too late: the maximum has already preferred a weak positive "
            "colour to a strong negative one. First abs, then the maximum.",
        "mean over channels":
            "This is the mean over the colours; the map is the maximum over them.",
        "sum over channels":
            "This is the sum over the colours; the map is the maximum over them.",
        "length over channels":
            "This is the length (L2 norm) over the colours; the map is the maximum over them.",
        "cross-entropy instead of the score":
            "This is the gradient of the cross-entropy loss, which nearly vanishes where the "
            "network is sure. Take the raw score of class y, before any softmax or loss.",
        "log-probability instead of the score":
            "This is the gradient of the log-probability, which mixes in the rival classes. Take "
            "the raw score of class y, before any softmax.",
        "probability instead of the score":
            "This is the gradient of the probability, which vanishes where the softmax is "
            "saturated. Take the raw score of class y, before any softmax.",
        "mean over the batch":
            "Every map is N times too small: the scores were averaged over the batch. Take their "
            "sum; each image still gets its own gradient, since it influences its own score only.",
        "sum of all scores":
            "This is the gradient of all the scores together. Pick the score of class y for each "
            "image, for example with scores.gather(1, y.view(-1, 1)).",
        "scores[:, y]":
            "scores[:, y] is N × N: every image is asked for the classes of all the others. Pick "
            "one score per row: scores.gather(1, y.view(-1, 1)) or scores[torch.arange(N), y].",
        "predicted class instead of y":
            "This is the map of the class that the network predicts. Ask for y, even where the "
            "network disagrees with it.",
        "hard-coded batch axis":
            "The number of images is written into the code, so only batches of five work. Take it "
            "from X.shape[0].",
        "squeezed batch axis":
            "squeeze() drops the batch axis when there is one image. Name the axis that should "
            "go, for example amax(dim=1) or squeeze(1), and one image gives (1, H, W).",
        "gradient left from an earlier call":
            "X.grad held a gradient from before, and backward() adds to it. Use "
            "torch.autograd.grad(score, X), or start from a copy: X.detach().requires_grad_().",
        "rescaled to its maximum":
            "The maps are rescaled so that the largest value is 1. Return the values as they are; "
            "the picture can be scaled when it is shown.",
    },
    row={
        "signature": "compute_saliency_maps(X, y, model)",
        "shapes": "X (N, 3, H, W), y (N,) → (N, H, W)",
        "gives": "a new tensor, like X in dtype and device; X and the network stay as they were",
        "formula": "max over c of \\|∂S_y(X)/∂X_c\\|, S_y the raw score of class y",
        "defaults": "none",
        "units": "score per full range of brightness; X in [0, 1]",
    })


# --- occlusion_map

def heat(function, image, y, model, **options):
    return {"result": function(image, y, model, **options)}


def picture_for(height, width, seed, y, color=None, **options):
    def build(device, dtype):
        fill = {} if color is None else {"fill": torch.tensor(color, device=device, dtype=dtype)}
        return {"image": tiny_images(1, height, width, device, dtype, seed), "y": y,
                "model": tiny_net(device, dtype), **options, **fill}
    return build


def one_specimen(device, dtype):
    inputs = specimens([100], device, dtype)
    return {"image": inputs["X"], "y": int(inputs["y"]), "model": inputs["model"],
            "patch": 48, "stride": 30}


OCCLUSION = Exercise(
    name="occlusion_map", notebook=NOTEBOOK,
    cases=[
        Case("small windows", picture_for(11, 9, 81, 1, patch=4, stride=3), heat),
        Case("a fill in float64", picture_for(10, 13, 82, 3, (0.125, 0.75, 0.875), patch=4,
                                              stride=3), heat, torch.float64),
        Case("the defaults", picture_for(40, 50, 83, 0), heat),
        Case("a specimen", one_specimen, heat, tolerance=1e-3, fingerprints=False),
    ],
    mistakes={
        "no flush window":
            "The last window is missing where the steps do not end at the border. Add one more "
            "that is flush with it, at H - patch or W - patch.",
        "last window twice":
            "The flush window is added even where the steps end at the border already, so it "
            "counts twice. Add it only where the last step is not H - patch or W - patch.",
        "black patch":
            "The patch is black (0). Paint it in the colour fill, by default model.mean_color: "
            "a black square is a thing that the network can see.",
        "grey patch":
            "The patch is mid-grey (0.5). Paint it in the colour fill, by default "
            "model.mean_color.",
        "fill ignored":
            "The patch always has the colour model.mean_color. That is only the default: where "
            "fill is given, paint with it.",
        "predicted class instead of y":
            "This is the probability of the class that the network predicts. Ask for class y.",
        "score instead of the probability":
            "These are raw scores. Take the softmax over the classes, then entry y.",
        "log-probability instead of the probability":
            "These are logarithms of probabilities. Use softmax, not log_softmax.",
        "drop instead of the probability":
            "This is by how much the probability drops. Return what is left: the probability of y "
            "with the patch in place.",
        "off by one in position":
            "Every window lies one pixel too far right and down. The first one begins at row 0, "
            "column 0.",
        "windows centred on their position":
            "The windows are centred on the steps. They begin there: rows top to top + patch.",
        "patch one pixel too large":
            "The patch is one pixel too large: a slice ends before its last index, so "
            "top:top + patch is right.",
        "patch not restored":
            "The patches pile up: each is painted on the picture with all earlier ones. Start "
            "every window from a fresh copy, image.clone().",
        "rows and columns swapped":
            "Rows and columns are swapped. Rows of the map go down the picture (H), columns go "
            "across (W).",
    },
    row={
        "signature": "occlusion_map(image, y, model, patch=32, stride=16, fill=None)",
        "shapes": "image (1, 3, H, W), y int, fill (3,) → (rows, cols)",
        "gives": "a new tensor, like image in dtype and device; image stays as it was",
        "formula": "softmax probability of y with the patch at (top, left); tops are 0, stride, "
                   "2·stride, … and H − patch; lefts likewise",
        "defaults": "patch 32, stride 16, fill model.mean_color",
        "units": "pixels; probability in [0, 1]; fill in [0, 1]",
    })


# --- GuidedReLU

def both_ways(function, x, gradient):
    x = x.requires_grad_()
    y = function.apply(x)
    if not torch.is_tensor(y):
        raise CheckFailed(f"GuidedReLU.apply(x) gave a {type(y).__name__} instead of a tensor: "
                          f"does forward end in `return`?")
    saved = getattr(y.grad_fn, "saved_tensors", ())  # gone after the backward pass
    back, = torch.autograd.grad(y, x, gradient)
    return {"forward result": y.detach(), "backward result": back, "saved": saved}


def features(*shape, seed):
    """Values and gradients of both signs, none of them near 0, in every combination."""
    def build(device, dtype):
        x, gradient = 2 * numbers(2, *shape, seed=seed) - 1 + 1 / 512
        return {"x": x.to(device, dtype), "gradient": gradient.to(device, dtype)}
    return build


def through_network(function, image, target, model):
    return {"backward result": backprop(model, image, target, relu=function)}


def network_for(height, width, seed, target):
    return lambda device, dtype: {"image": tiny_images(1, height, width, device, dtype, seed),
                                  "target": target, "model": tiny_net(device, dtype)}


def specimen_for_relu(device, dtype):
    inputs = specimens([100], device, dtype)
    return {"image": inputs["X"], "target": int(inputs["y"]), "model": inputs["model"]}


def relu_without_rule(function, outcomes):
    """Two mistakes whose values alone do not tell them from others."""
    if not (isinstance(function, type) and issubclass(function, torch.autograd.Function)
            and function.backward is not torch.autograd.Function.backward):
        return "plain ReLU"
    outputs = outcomes["feature maps"].outputs
    y, back = outputs.get("forward result"), outputs.get("backward result")
    if back is not None and back[y == 0].any() and any(torch.equal(y, x) for x in outputs["saved"]):
        return "sign of the output instead of the input"
    return None


GUIDED = Exercise(
    name="GuidedReLU", notebook=NOTEBOOK,
    cases=[
        Case("feature maps", features(3, 4, 5, 7, seed=91), both_ways),
        Case("a vector in float64", features(40, seed=92), both_ways, torch.float64),
        Case("a whole network", network_for(9, 8, 92, 2), through_network),
        Case("a specimen", specimen_for_relu, through_network,
             tolerance=1e-2, distance=relative_l2, fingerprints=False),
    ],
    mistakes={
        "only the gradient clamped":
            "Only the gradient is clamped: that is the deconvnet's rule. Also ask where the input "
            "was positive on the way forward, x > 0.",
        "only the forward mask":
            "Only the forward mask is used: that is the gradient of any ReLU. Also drop negative "
            "gradients, for example with gradient.clamp(min=0).",
        "sign of the output instead of the input":
            "You saved the ReLU's output and ask where it is at least 0: that is everywhere. Save "
            "the input, and ask where x > 0.",
        "gradient doubled":
            "The gradient comes out twice as large. Pass it on once, unchanged where both signs "
            "are positive.",
        "plain ReLU":
            "This is a ReLU like any other, with no rule of its own for the way back. Derive the "
            "class from torch.autograd.Function and write its backward.",
        "absolute gradient":
            "Negative gradients come through as positive ones. They should become 0: "
            "gradient.clamp(min=0), not abs().",
        "negative gradients kept":
            "The negative gradients pass and the positive ones do not. It is the other way round.",
        "mask upside down":
            "The gradient passes where the input was negative. It should pass where x > 0.",
        "size of the gradient lost":
            "The gradient became a mask of zeros and ones. Keep its size: multiply the gradient "
            "by the mask.",
        "gradient times the input":
            "The gradient is multiplied by the input itself. Multiply it by the mask x > 0, which "
            "is 0 or 1.",
        "no ReLU forward":
            "Forward passes everything on. It should be an ordinary ReLU, x.clamp(min=0); only "
            "backward is unusual.",
    },
    recognise=relu_without_rule,
    row={
        "signature": "class GuidedReLU(torch.autograd.Function)",
        "shapes": "any shape, the same forward and backward",
        "gives": "new tensors, like the input in dtype and device; the input stays as it was",
        "formula": "forward max(x, 0); backward g · [g > 0] · [x > 0]",
        "defaults": "none",
        "units": "those of x and of g",
    })


# --- segment_by_saliency

def mask(function, image, saliency):
    return {"result": function(image, saliency)}


def scene(colors_seed, pointed_at):
    return lambda device, dtype: dict(zip(("image", "saliency"), tiny_scene(
        colors_seed, pointed_at, device, dtype)))


def specimen_to_cut(device, dtype):
    inputs = specimens([100], device, dtype)
    gradient = backprop(inputs["model"], inputs["X"], inputs["y"])
    return {"image": inputs["X"], "saliency": gradient.abs().amax(dim=1)[0]}


def saliency_unused(function, outcomes):
    """The same mask for two maps of one picture: the map given was not looked at."""
    one, other = (outcomes[name].outputs.get("result") for name in ("a ring", "the same picture, "
                                                                    "pointed at elsewhere"))
    if torch.is_tensor(one) and torch.is_tensor(other) and torch.equal(one, other):
        return "saliency from the wrong image"
    return None


SEGMENT = Exercise(
    name="segment_by_saliency", notebook=NOTEBOOK,
    cases=[
        Case("a ring", scene(1410, (1, 0.6, 0.25, 0.15)), mask, tolerance=0.01),
        Case("the same picture, pointed at elsewhere", scene(1410, (0.15, 0.15, 0.2, 1)), mask,
             torch.float64, tolerance=0.01),
        Case("another picture", scene(1210, (1, 0.6, 0.25, 0.15)), mask, tolerance=0.01),
        Case("a specimen", specimen_to_cut, mask, tolerance=0.05, fingerprints=False),
    ],
    mistakes={
        "thresholds swapped":
            "Foreground and background seeds are swapped: the pixels of highest saliency are "
            "surely foreground, those of lowest saliency surely background.",
        "saliency not smoothed":
            "The saliency was not smoothed, so the seeds are scattered grains. Blur it first, "
            "cv2.GaussianBlur(saliency, (0, 0), 3), and take the quantiles of the blurred map.",
        "saliency from the wrong image":
            "The mask stays the same when the saliency changes. Use the argument `saliency`, not "
            "the picture itself or a map from another cell.",
        "BGR and RGB mixed":
            "Red and blue are swapped: the picture is RGB, so convert with cv2.COLOR_RGB2LAB.",
        "not converted to Lab":
            "GrabCut ran on RGB. Convert the picture first: cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).",
        "probable label dropped":
            "Only the sure foreground is returned. GrabCut marks what it found as probably "
            "foreground (cv2.GC_PR_FGD), which belongs to the mask as well.",
        "background instead of foreground":
            "This is the background. The mask should be True where the label is cv2.GC_FGD or "
            "cv2.GC_PR_FGD.",
        "picture not scaled to 255":
            "The picture is all black as bytes: values in [0, 1] were cut to whole numbers. "
            "Multiply by 255 before you convert to uint8.",
        "parts of the maximum instead of quantiles":
            "The thresholds are parts of the largest value. Take quantiles of the blurred map, "
            "np.quantile(blurred, [0.30, 0.70, 0.95]), which do not hang on one extreme pixel.",
        "GrabCut's answer not used":
            "This is the mask from before GrabCut. It writes its answer into the labels: build "
            "the mask from those afterwards.",
    },
    recognise=saliency_unused,
    row={
        "signature": "segment_by_saliency(image, saliency)",
        "shapes": "image (1, 3, H, W), saliency (H, W) → bool (H, W)",
        "gives": "a new bool tensor on the device of image; both inputs stay as they were",
        "formula": "saliency blurred, sigma 3; at or above its 95 % quantile surely foreground, "
                   "at or below 30 % surely background, the rest above 70 % probably foreground, "
                   "else probably background; five rounds of GrabCut on the picture as 8-bit Lab; "
                   "surely or probably foreground afterwards",
        "defaults": "none",
        "units": "sigma in pixels; image in [0, 1]; saliency in any",
    })



def specimens(places, device, dtype):
    """Pictures of the frozen gallery, their labels, and the network trained on their kind."""
    from ..models import load_model  # here, for the tiny cases need neither
    from ..specimens import gallery
    pictures = gallery()
    return {"X": pictures.images[places].to(device, dtype),
            "y": pictures.labels[places].to(device),
            "model": load_model("specimens", device=device, dtype=dtype)}
