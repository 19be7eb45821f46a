"""The checks of the two clips: what is tried, and what is said about known mistakes."""

import torch

from ..exercise import Case, Exercise, Trap
from ..fixtures import picture


def clipped(function, img, fraction):
    return {"result": function(img, fraction)}


def clipped_with(function, img, gradient, fraction):
    return {"result": function(img, gradient, fraction)}


def pictures(n, height, width, seed, fraction, gradient=False):
    """Pictures of both signs, brighter than 0 on the whole, each weaker than the one before."""
    def inputs(numbers):
        def noise(seed):
            return picture(numbers, n, height, width, seed)
        weaker = 2.0 ** -torch.arange(n, dtype=torch.float64).view(n, 1, 1, 1)
        given = {"img": weaker * (2 * noise(seed) - 0.75)}
        if gradient:
            given["gradient"] = weaker * (4 * noise(seed + 50) - 2)
        return {**given, "fraction": fraction}
    return inputs


def first(n):
    """The first n pictures, and their gradients."""
    return lambda inputs: {key: x[:n] if torch.is_tensor(x) else x for key, x in inputs.items()}


FIRST, NONE = "two pictures, the smallest 60 %", "fraction 0"
BATCH = ("quantile over the batch", "first image only", "pixels left out instead of 0")
SHAPES = (  # where a pixel lies exactly at the quantile, and where none does
    (FIRST, 2, 5, 7, 0.6), ("one picture, the smallest quarter", 1, 5, 9, 0.25),
    ("three pictures, all but a tenth", 3, 4, 5, 0.9), (NONE, 1, 4, 6, 0.0),
)


def cases(call, seed, **options):
    return tuple(Case(name, pictures(*shape, seed + i, fraction, **options), call)
                 for i, (name, *shape, fraction) in enumerate(SHAPES))


TRAPS = (
    Trap("squeezed batch axis", FIRST, first(1), lambda result: result[:1],
         drift="depends on the batch", unless=BATCH),
    Trap("another dtype than img's", FIRST, dtype=torch.float64),
)
BOTH = {  # what may go wrong in either
    "quantile over the batch":
        "One quantile was taken for all the pictures together, so a weak picture loses nearly "
        "everything. Each has its own: flatten(1), then quantile(fraction, dim=1).",
    "value instead of a quantile":
        "fraction was compared with the values themselves. It is a share of the pixels: compare "
        "with the quantile, values.quantile(fraction).",
    "part of the maximum instead of a quantile":
        "fraction was taken as a part of the largest value. It is a share of the pixels: compare "
        "with the quantile, values.quantile(fraction).",
    "part of the mean instead of a quantile":
        "fraction was taken as a part of the mean. It is a share of the pixels: compare with the "
        "quantile, values.quantile(fraction).",
    "fraction in percent":
        "fraction lies between 0 and 1, and was divided by 100: hardly a pixel is clipped. That "
        "is for np.percentile, the other way round; here quantile(fraction).",
    "the other fraction":
        "1 - fraction of the pixels were clipped: fraction is the share that goes.",
    "largest clipped":
        "The largest were set to 0 and the smallest kept. It is the other way round.",
    "the pixel at the quantile clipped":
        "A pixel exactly at the quantile was clipped, too. Only what is below goes, so that "
        "fraction 0 leaves the picture as it is: use < to clip, or >= to keep.",
    "mean instead of 0":
        "The pixels were set to the picture's mean colour. Set them to 0, where the penalty "
        "draws the picture, too.",
    "set to the bound instead of 0":
        "The pixels were raised to the bound, or lowered to it. Set them to 0.",
    "mask instead of the picture":
        "The mask alone comes back. Return the picture with 0 where the mask says so.",
    "pixels left out instead of 0":
        "The pixels that stay come back as one long row. Return a picture as large as img, with 0 "
        "where a pixel goes.",
    "squeezed batch axis":
        "It fails or changes with a single picture: squeeze() drops the batch axis. One picture "
        "gives (1, 3, H, W).",
    "depends on the batch":
        "A picture changes with the others in the batch. Each belongs to itself alone.",
    "another dtype than img's":
        "With a float64 picture the result should be float64: make no float32 tensors of your own.",
}
PIXELS = Exercise(
    name="clip_small_pixels", notebook="05_class_visualization", parameters=("img", "fraction"),
    cases=cases(clipped, 41), traps=TRAPS,
    mistakes={
        "parameters in another order":
            "The parameters stand in another order than in the notebook: "
            "clip_small_pixels(img, fraction).",
        "each colour by itself":
            "Every value was judged by itself, so a pixel may lose one colour and keep the "
            "others. A pixel goes or stays as a whole: take the norm over the colours, "
            "img.norm(dim=1).",
        "no absolute value":
            "The values were compared with their signs, so what is far below 0 counted as small. "
            "Take the norm over the colours, img.norm(dim=1).",
        "sum over the colours":
            "The colours were added up, and plus and minus cancel. Take the norm over the "
            "colours, img.norm(dim=1).",
        "absolute values added up":
            "This is the sum of the absolute values over the colours. Take their L2 norm, the "
            "root of the sum of squares: img.norm(dim=1).",
        "largest colour":
            "This is the largest absolute value over the colours. Take their L2 norm, "
            "img.norm(dim=1).",
        "norm over the pixels":
            "The norm was taken over rows and columns, so whole colours or rows are judged. Take "
            "it over the colours, dim=1: one number for each pixel.",
        "measured around the mean":
            "The norm is measured from the picture's mean colour. Measure it from 0, which is "
            "also what the pixels are set to.",
        **BOTH,
    },
    row={
        "signature": "clip_small_pixels(img, fraction)",
        "shapes": "img (N, 3, H, W), fraction from 0 to 1 → (N, 3, H, W)",
        "gives": "a new tensor, like img in dtype and device; img stays as it was",
        "formula": "0 in all three colours where ‖img‖₂ over the colours is below (<) the "
                   "fraction-quantile of these norms over the pixels of the same picture, as "
                   "torch.quantile takes it (linear); else img",
        "defaults": "none",
        "units": "fraction of the pixels; norms from 0, not from the mean colour",
    })
GRADIENTS = Exercise(
    name="clip_small_gradients", notebook="05_class_visualization",
    parameters=("img", "gradient", "fraction"),
    cases=cases(clipped_with, 61, gradient=True), traps=TRAPS,
    mistakes={
        "parameters in another order":
            "The parameters stand in another order than in the notebook: "
            "clip_small_gradients(img, gradient, fraction).",
        "picture and gradient swapped":
            "The gradient was clipped. Clip the picture: return img with 0 where the "
            "contribution is small.",
        "the gradient alone":
            "Only the gradient was looked at. A pixel contributes its value times its gradient, "
            "so sum img * gradient over the colours.",
        "the picture alone":
            "Only the picture was looked at: that is clip_small_pixels. A pixel contributes its "
            "value times its gradient, so sum img * gradient over the colours.",
        "each colour by itself":
            "Every value was judged by itself, so a pixel may lose one colour and keep the "
            "others. A pixel goes or stays as a whole: sum img * gradient over the colours.",
        "no absolute value":
            "The contributions were compared with their signs, so those that lower the score a "
            "lot counted as small. Take their absolute value after the sum.",
        "absolute value before the sum":
            "The absolute value comes too early: within a pixel, a colour that raises the score "
            "and one that lowers it should cancel. First sum over the colours, then abs().",
        "norm of the products":
            "This is the norm of the products over the colours, in which nothing cancels. Sum "
            "them, then take the absolute value.",
        "largest colour":
            "This is the largest product over the colours. Sum them, then take the absolute "
            "value.",
        "sum of picture and gradient":
            "The gradient was added to the picture. Multiply: img * gradient.",
        "lengths multiplied":
            "This is the pixel's norm times its gradient's norm, whatever their directions. Sum "
            "img * gradient over the colours, then take the absolute value.",
        "sum over the pixels":
            "The sum went over rows or columns. Sum over the colours, dim=1: one number for each "
            "pixel.",
        **BOTH,
    },
    row={
        "signature": "clip_small_gradients(img, gradient, fraction)",
        "shapes": "img and gradient (N, 3, H, W), fraction from 0 to 1 → (N, 3, H, W)",
        "gives": "a new tensor, like img in dtype and device; img and gradient stay as they were",
        "formula": "0 in all three colours where \\|Σ_c img_c · gradient_c\\| is below (<) the "
                   "fraction-quantile of these contributions over the pixels of the same picture, "
                   "as torch.quantile takes it (linear); else img",
        "defaults": "none",
        "units": "fraction of the pixels; contributions in units of the score",
    })
