"""What students write for notebook 05: known mistakes, and right solutions that look different.

The step is read factor by factor, so its mistakes are put together from factors here as well; the
others have fingerprints, which `make goldens` takes by running them.
"""

import math
from functools import partial

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from cs_vis.grading.mistakes import collection, products

EXERCISES = ("class_visualization_update_step", "jitter", "blur", "clip_small_pixels",
             "clip_small_gradients")
MISTAKES, ALTERNATIVES, mistake, alternative = collection(*EXERCISES)
STEP, JITTER, BLUR, PIXELS, GRADIENTS = EXERCISES


# --- class_visualization_update_step: mistakes

OBJECTIVES = {  # of the scores (1, K), as one climbs it
    "": lambda s, y: s[0, y],
    "score descended": lambda s, y: -s[0, y],
    "loss or probability instead of the score":
        lambda s, y: -F.cross_entropy(s, torch.tensor([y])),
    "loss or probability instead of the score ": lambda s, y: s.softmax(1)[0, y],
    "loss climbed": lambda s, y: F.cross_entropy(s, torch.tensor([y])),
    "loss of the softmax": lambda s, y: -F.cross_entropy(s.softmax(1), torch.tensor([y])),
    "difference of two scores": lambda s, y: s[0, y] - s.max(),
    "present class pushed down": lambda s, y: -s.max(),
    "predicted class instead of the target": lambda s, y: s[0, s.argmax()],
    "all scores together": lambda s, y: s.sum(),
    "score of another class": lambda s, y: s[0, y - 1],
}
DIVISORS = {  # of the gradient g, at the picture x
    "": lambda g, x: g.norm(),
    "not divided by the norm": lambda g, x: 1,
    "divided by the picture's norm": lambda g, x: x.norm(),
    "divided by the squared norm": lambda g, x: (g ** 2).sum(),
    "divided by the squared sum": lambda g, x: g.sum() ** 2,
    "divided by the sum": lambda g, x: g.sum(),
    "sign step": lambda g, x: g.abs(),
    "sign step ": lambda g, x: (g ** 2 + 1e-8).sqrt(),
    "norm over a part of the gradient": lambda g, x: g.norm(dim=(2, 3), keepdim=True),
    "norm over a part of the gradient ": lambda g, x: g.norm(dim=1, keepdim=True),
    "another measure than the norm": lambda g, x: g.abs().max(),
    "another measure than the norm ": lambda g, x: g.std(),
    "another measure than the norm  ": lambda g, x: g.abs().mean(),
}
PENALTIES = {  # of the picture x, and the scores s, without its weight
    "": lambda x, s: (x ** 2).sum(),
    "norm instead of squared norm": lambda x, s: x.norm(),
    "norm instead of squared norm ": lambda x, s: 2 * x.norm(),
    "penalty without effect": lambda x, s: (x.data ** 2).sum() + 0 * x.sum(),
    "penalty without effect ": lambda x, s: ((x / x.norm(dim=1, keepdim=True)) ** 2).sum(),
    "penalty's sign turned": lambda x, s: -(x ** 2).sum(),
    "penalty's factor 2 missing": lambda x, s: (x ** 2).sum() / 2,
    "penalty twice": lambda x, s: 2 * (x ** 2).sum(),
    "square instead of its gradient": lambda x, s: (x ** 3).sum() / 3,  # whose gradient is x²
    "mean instead of the sum of squares": lambda x, s: (x ** 2).mean(),
    "sum of the picture in the penalty": lambda x, s: x.sum(),
    "another norm in the penalty": lambda x, s: x.norm(3),
    "another norm in the penalty ": lambda x, s: x.abs().sum(),
    "penalty on the scores": lambda x, s: (s ** 2).sum(),
}
PLACES = {"": "inside", "penalty outside the division": "outside",
          "penalty without the learning rate": "apart"}
RATES = {"": lambda rate: rate, "learning rate unused": lambda rate: 1.0,
         "learning rate unused ": lambda rate: 25.0,
         "another learning rate": lambda rate: rate / 2}
MEMORIES = {"": False, "gradient piles up": True}
HANDS = {"": "in place", "new picture returned": "returned"}


def step_by(objective=OBJECTIVES[""], divisor=DIVISORS[""], penalty=PENALTIES[""],
            place="inside", rate=RATES[""], piles_up=False, hand="in place"):
    """class_visualization_update_step put together from its factors."""
    def class_visualization_update_step(img, model, target_y, l2_reg, learning_rate):
        scores = model(img)
        climbed, taken = objective(scores, target_y), l2_reg * penalty(img, scores)
        pull = 0
        if place != "inside":
            pull, = torch.autograd.grad(taken, img, retain_graph=True)
            taken = 0
        (climbed - taken).backward()
        with torch.no_grad():
            step = rate(learning_rate) * img.grad / divisor(img.grad, img)
            step = step - (rate(learning_rate) if place == "outside" else 1) * pull
            if not piles_up:
                img.grad = None
            if hand == "returned":
                return img + step
            img += step
    return class_visualization_update_step


FACTORS = (OBJECTIVES, DIVISORS, PENALTIES, PLACES, RATES, MEMORIES, HANDS)


def same_as_fewer(names) -> bool:
    """Slips that together are the algebra of fewer, or that no other formula can share a step."""
    names, penalty = set(names), {*PENALTIES, *PLACES} - {""}
    return (  # what is not divided has no outside
        {"not divided by the norm", "penalty outside the division"} <= names
        # nor is what is not multiplied apart
        or {"learning rate unused", "penalty without the learning rate"} <= names
        # signs hide how hard the penalty pulls, and what is left of it
        or "sign step" in names and names & {*penalty, "gradient piles up"}
        # both turn round
        or {"divided by the sum", "score descended"} <= names
        # without effect, it is nowhere
        or "penalty without effect" in names and names & set(PLACES)
        # a new leaf each time keeps no gradient
        or {"new picture returned", "gradient piles up"} <= names
        # half of it all, or of the one
        or "not divided by the norm" in names and names & set(RATES)
        # downhill as a whole, or in the score alone
        or "penalty's sign turned" in names and names & {"score descended", "loss climbed"})


for names, entries in products(*FACTORS, at_most=1):
    mistake(STEP, *names)(step_by(*entries))
# Two at once, which need no fingerprint: the tests prove that both are said.
COMBINED = [(names, step_by(*entries)) for names, entries in products(*FACTORS, at_most=2)
            if len(names) == 2 and not same_as_fewer(names)]


def combined(*names):
    return lambda function: COMBINED.append((names, function))


@mistake(STEP, "penalty without effect")
def penalty_twice_and_back(img, model, target_y, l2_reg, learning_rate):
    loss = model(img)[0, target_y] - l2_reg * torch.sum(img * img)
    loss.backward()
    gradient = img.grad + 2 * l2_reg * img.data
    img.data += learning_rate * gradient / gradient.norm()
    img.grad.zero_()


@mistake(STEP, "penalty without effect")
def penalty_as_a_number(img, model, target_y, l2_reg, learning_rate):
    loss = model(img)[0, target_y] - l2_reg * (img ** 2).sum().item()
    loss.backward()
    img.data += learning_rate * img.grad / img.grad.norm()
    img.grad.zero_()


@mistake(STEP, "square instead of its gradient")
def square_in_the_gradient(img, model, target_y, l2_reg, learning_rate):
    gradient, = torch.autograd.grad(model(img)[0, target_y], img)
    gradient = gradient - l2_reg * (img.detach() ** 2).sum()
    img.data += learning_rate * gradient / gradient.norm()


@combined("square instead of its gradient", "penalty without the learning rate")
def square_taken_off(img, model, target_y, l2_reg, learning_rate):
    gradient, = torch.autograd.grad(model(img)[0, target_y], img)
    img.data += learning_rate * gradient / gradient.norm() - l2_reg * img.data ** 2


@mistake(STEP, "sum of the picture in the penalty")
def number_added_everywhere(img, model, target_y, l2_reg, learning_rate):
    gradient, = torch.autograd.grad(model(img)[0, target_y], img)
    gradient += l2_reg
    img.data += learning_rate * gradient / gradient.norm()


@mistake(STEP, "gradient piles up")
def network_cleared(img, model, target_y, l2_reg, learning_rate):
    (model(img)[0, target_y] - l2_reg * img.norm() ** 2).backward()
    with torch.no_grad():
        img += learning_rate * img.grad / img.grad.norm()
    model.zero_grad()


@mistake(STEP, "gradient piles up")
def copy_cleared(img, model, target_y, l2_reg, learning_rate):
    model(img)[:, target_y].backward()  # the penalty by hand, on a copy of the gradient
    gradient = img.grad.clone()
    gradient -= 2 * l2_reg * img.data
    img.data += learning_rate * gradient / gradient.norm()
    gradient.zero_()


@mistake(STEP, "gradient piles up")
def penalty_in_the_gradient(img, model, target_y, l2_reg, learning_rate):
    model(img)[0][target_y].backward()
    img.grad.data -= 2 * l2_reg * img.data
    img.data += learning_rate * img.grad / img.grad.norm()


@mistake(STEP, "gradient piles up")
def divided_in_place(img, model, target_y, l2_reg, learning_rate):
    (model(img)[0, target_y] - l2_reg * (img * img).sum()).backward()
    img.grad /= img.grad.norm()
    img.data += learning_rate * img.grad
    img.grad.zero_  # without its brackets


@combined("penalty outside the division", "gradient piles up")
def score_piles_up_outside(img, model, target_y, l2_reg, learning_rate):
    model(img)[0, target_y].backward()
    img.data += learning_rate * (img.grad / img.grad.norm() - 2 * l2_reg * img.data)


@combined("divided by the picture's norm", "another norm in the penalty")
def three_norm(img, model, target_y, l2_reg, learning_rate):
    (model(img)[0, target_y] - l2_reg * torch.norm(img, 3)).backward()
    with torch.no_grad():
        img += learning_rate * img.grad / torch.norm(img)
        img.grad.zero_()


@combined("not divided by the norm", "norm instead of squared norm", "gradient piles up")
def three_slips(img, model, target_y, l2_reg, learning_rate):
    (model(img)[0, target_y] - l2_reg * torch.norm(img)).backward()
    img.data += learning_rate * img.grad.data


@combined("not divided by the norm", "penalty without effect", "gradient piles up")
def other_three_slips(img, model, target_y, l2_reg, learning_rate):
    (model(img)[0, target_y] - l2_reg * torch.sum(img.data ** 2)).backward()
    img.data += learning_rate * img.grad.data


@combined("new picture returned", "not divided by the norm", "norm instead of squared norm")
def returned_and_two(img, model, target_y, l2_reg, learning_rate):
    loss = model(img)[0, target_y] - l2_reg * torch.norm(img)
    loss.backward()
    return (img + learning_rate * img.grad).detach().requires_grad_()


@combined("new picture returned", "not divided by the norm", "penalty on the scores")
def returned_and_scores(img, model, target_y, l2_reg, learning_rate):
    scores = model(img)
    (scores[0, target_y] - l2_reg * (scores ** 2).sum()).backward()
    return img.data + learning_rate * img.grad.data


@mistake(STEP, "another penalty")
def weight_decay(img, model, target_y, l2_reg, learning_rate):
    gradient, = torch.autograd.grad(model(img)[0, target_y], img)
    with torch.no_grad():
        img += learning_rate * gradient / gradient.norm()
        img *= 1 - l2_reg


@mistake(STEP, "another penalty")
def length_of_each_pixel(img, model, target_y, l2_reg, learning_rate):
    step_by(penalty=lambda x, s: x.norm(dim=1).sum())(img, model, target_y, l2_reg, learning_rate)


@mistake(STEP, "something kept between calls")
def momentum(img, model, target_y, l2_reg, learning_rate):
    step_by(piles_up=True)(img, model, target_y, l2_reg, learning_rate)
    img.grad *= 0.5


@mistake(STEP, "score not picked")
def no_row(img, model, target_y, l2_reg, learning_rate):
    (model(img)[target_y] - l2_reg * (img ** 2).sum()).backward()
    img.data += learning_rate * img.grad / img.grad.norm()


@mistake(STEP, "clamped")
def clamped(img, model, target_y, l2_reg, learning_rate):
    step_by()(img, model, target_y, l2_reg, learning_rate)
    img.data.clamp_(0, 1)


@mistake(STEP, "picture left as it was")
def name_bound(img, model, target_y, l2_reg, learning_rate):
    gradient, = torch.autograd.grad(model(img)[0, target_y], img)
    gradient = gradient - 2 * l2_reg * img
    img = img + learning_rate * gradient / gradient.norm()


@mistake(STEP, "picture left as it was")
def copy_changed(img, model, target_y, l2_reg, learning_rate):
    step_by()(img.detach().clone().requires_grad_(), model, target_y, l2_reg, learning_rate)
    return img


@mistake(STEP, "img changed where gradients are recorded")
def recorded(img, model, target_y, l2_reg, learning_rate):
    (model(img)[0, target_y] - l2_reg * (img ** 2).sum()).backward()
    img += learning_rate * img.grad / img.grad.norm()


@mistake(STEP, "parameters in another order")
def model_first(model, img, target_y, l2_reg, learning_rate):
    step_by()(img, model, target_y, l2_reg, learning_rate)


@mistake(STEP, "another dtype than img's")
def float_picture(img, model, target_y, l2_reg, learning_rate):
    step_by()(img, model, target_y, l2_reg, learning_rate)
    img.data = img.data.float()


@mistake(STEP, "train mode while it runs")
def train_and_back(img, model, target_y, l2_reg, learning_rate):
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    model.train()
    step_by()(img, model, target_y, l2_reg, learning_rate)
    model.eval().load_state_dict(kept)


@mistake(STEP, "model switched to train mode")
def train_mode(img, model, target_y, l2_reg, learning_rate):
    step_by()(img, model, target_y, l2_reg, learning_rate)
    model.train()


@mistake(STEP, "weights' gradients left")
def thawed(img, model, target_y, l2_reg, learning_rate):
    model.requires_grad_()
    step_by()(img, model, target_y, l2_reg, learning_rate)


# --- class_visualization_update_step: right

@alternative(STEP, "backward(), in place under no_grad, gradient cleared")
def familiar(img, model, target_y, l2_reg, learning_rate):
    score = model(img)[0, target_y] - l2_reg * torch.sum(img ** 2)
    score.backward()
    with torch.no_grad():
        img += learning_rate * img.grad / torch.norm(img.grad)
        img.grad.zero_()


@alternative(STEP, "img returned, penalty as norm squared, .data")
def returned_too(img, model, target_y, l2_reg, learning_rate):
    score = model(img)[0][target_y] - l2_reg * torch.norm(img) ** 2
    score.backward()
    gradient = img.grad.data
    img.data += learning_rate * (gradient / gradient.norm())
    img.grad.data.zero_()
    return img


@alternative(STEP, "penalty's gradient by hand, both in one")
def by_hand(img, model, target_y, l2_reg, learning_rate):
    gradient, = torch.autograd.grad(model(img)[0, target_y], img)
    gradient -= 2 * l2_reg * img.detach()
    img.data.add_(gradient, alpha=learning_rate / gradient.norm().item())


@alternative(STEP, "storage replaced, a small number in the divisor")
def replaced(img, model, target_y, l2_reg, learning_rate):
    (model(img)[:, target_y].squeeze() - l2_reg * (img * img).sum()).backward()
    img.data = img.data + learning_rate * img.grad.data / (img.grad.data.norm() + 1e-10)
    img.grad = None


@alternative(STEP, "Variable, 2017")
def variable(img, model, target_y, l2_reg, learning_rate):
    from torch.autograd import Variable
    img_var = Variable(img, requires_grad=True)
    scores = model(img_var)
    loss = scores[0, target_y] - l2_reg * img_var.norm(2).pow(2)
    loss.backward()
    g = img_var.grad.data
    img_var.data += learning_rate * (g / g.norm())
    img_var.grad.data.zero_()


@alternative(STEP, "penalty taken off every score, a loss descended")
def whole_vector(img, model, target_y, l2_reg, learning_rate):
    scores = model(img) - l2_reg * img.pow(2).sum()
    loss = -scores[0, target_y]
    loss.backward()
    with torch.no_grad():
        img -= learning_rate * img.grad / img.grad.norm()
        img.grad.zero_()
    return img


@alternative(STEP, "one-hot backward, a copy of the old gradient cleared first")
def one_hot(img, model, target_y, l2_reg, learning_rate):
    if img.grad is not None:
        img.grad.zero_()
    scores = model(img)
    scores.backward(F.one_hot(torch.tensor([target_y]), scores.shape[1]).to(scores))
    with torch.no_grad():
        gradient = img.grad - 2 * l2_reg * img
        img += learning_rate * gradient / gradient.pow(2).sum().sqrt()


@alternative(STEP, "torch.func")
def functional(img, model, target_y, l2_reg, learning_rate):
    def objective(x):
        return model(x)[0, target_y] - l2_reg * torch.einsum("nchw,nchw->", x, x)
    gradient = torch.func.grad(objective)(img.detach())
    img.data.add_(F.normalize(gradient.flatten(), dim=0).view_as(img), alpha=learning_rate)


@alternative(STEP, "an optimiser, NumPy, prints")
def optimiser(img, model, target_y, l2_reg, learning_rate):
    sgd = torch.optim.SGD([img], lr=learning_rate, maximize=True)
    sgd.zero_grad()
    objective = model(img)[0, target_y] - l2_reg * img.square().sum()
    objective.backward()
    print(f"objective {objective.item():.3f}")
    img.grad /= float(np.linalg.norm(img.grad.cpu().numpy()))
    sgd.step()
    sgd.zero_grad()


@alternative(STEP, "a copy's gradient, copied back")
def copied_back(img, model, target_y, l2_reg, learning_rate):
    x = img.clone().detach().requires_grad_(True)
    (model.forward(x)[0, target_y] - l2_reg * x.norm().square()).backward()
    with torch.no_grad():
        img.copy_(x + learning_rate * x.grad / x.grad.norm())
    return img.clone()


@alternative(STEP, "gradient left zero, retain_grad, channels last")
def channels_last(img, model, target_y, l2_reg, learning_rate):
    x = img.to(memory_format=torch.channels_last) * 1
    x.retain_grad()
    (model(x).gather(1, torch.tensor([[target_y]])).sum() - l2_reg * (x ** 2).sum()).backward()
    img.data += learning_rate * x.grad / x.grad.norm(p=2)
    img.grad.detach_()
    img.grad.zero_()


@alternative(STEP, "other parameter names, with a note")
def renamed(image, net, label, reg, lr):
    step_by()(image, net, label, reg, lr)


# --- jitter: mistakes

def rolling(x, shift, axis):
    return x.roll(shift, axis)


def zeros_in(x, shift, axis):
    size, result = x.shape[axis], torch.zeros_like(x)
    kept = size - abs(shift)
    result.narrow(axis, max(shift, 0), kept).copy_(x.narrow(axis, max(-shift, 0), kept))
    return result


def border_in(x, shift, axis):
    places = (torch.arange(x.shape[axis]) - shift).clamp(0, x.shape[axis] - 1)
    return x.index_select(axis, places)


def cut(x, shift, axis):
    kept = x.shape[axis] - abs(shift)
    return x.narrow(axis, max(-shift, 0), kept)


ENTERS = {"": rolling, "zeros enter": zeros_in, "the border enters": border_in,
          "cut instead of rolled": cut}
OFFSETS = {  # columns and rows to go
    "": lambda ox, oy: (ox, oy), "rows and columns swapped": lambda ox, oy: (oy, ox),
    "columns not moved": lambda ox, oy: (0, oy), "rows not moved": lambda ox, oy: (ox, 0),
    "rolled twice": lambda ox, oy: (2 * ox, 2 * oy),
}
SIGNS = {"": (1, 1), "wrong direction": (-1, -1), "one direction turned round": (-1, 1),
         "one direction turned round ": (1, -1)}


def jitter_by(enter=rolling, offsets=OFFSETS[""], signs=(1, 1)):
    """jitter put together from its factors."""
    def jitter(img, ox, oy):
        columns, rows = offsets(signs[0] * ox, signs[1] * oy)
        return enter(enter(img, columns, 3), rows, 2).clone()
    return jitter


def some(factor, *names):
    return {name: factor[name] for name in ("", *names)}


for names, entries in products(ENTERS, OFFSETS, SIGNS, at_most=2):
    # With one of the two not moved, one direction is the direction; twice as far may leave.
    unclear = {"columns not moved", "rows not moved"} & set(names) and any(
        "direction" in name for name in names)
    if not unclear and not ("rolled twice" in names and entries[0] is not rolling):
        mistake(JITTER, *names)(jitter_by(*entries))


@mistake(JITTER, "rolled as one row")
def no_axes(img, ox, oy):
    return torch.roll(torch.roll(img, ox), oy)


@mistake(JITTER, "colours or pictures rolled")
def wrong_axes(img, ox, oy):
    return torch.roll(img, (oy, ox), dims=(1, 2))


@mistake(JITTER, "colours or pictures rolled")
def first_axes(img, ox, oy):
    return torch.roll(img, (ox, oy), dims=(0, 1))


@mistake(JITTER, "parameters in another order")
def rows_first(img, oy, ox):
    return jitter_by()(img, ox, oy)


@mistake(JITTER, "input changed")
def in_place(img, ox, oy):
    img.detach().copy_(jitter_by()(img, ox, oy))
    return img


@mistake(JITTER, "another dtype than img's")
def into_zeros(img, ox, oy):
    result = torch.zeros(img.shape)
    result[:] = jitter_by()(img, ox, oy)
    return result


# --- jitter: right

ALTERNATIVES[JITTER]["torch.roll twice"] = lambda img, ox, oy: img.roll(ox, -1).roll(oy, -2)


@alternative(JITTER, "slices and cat, as in CS231n")
def slices(img, ox, oy):
    if ox != 0:
        left, right = img[:, :, :, :-ox], img[:, :, :, -ox:]
        img = torch.cat([right, left], dim=3)
    if oy != 0:
        top, bottom = img[:, :, :-oy], img[:, :, -oy:]
        img = torch.cat([bottom, top], dim=2)
    return img


@alternative(JITTER, "indices modulo the size")
def by_index(img, ox, oy):
    rows = (torch.arange(img.shape[2]) - oy) % img.shape[2]
    cols = (torch.arange(img.shape[3]) - ox) % img.shape[3]
    return img[:, :, rows[:, None], cols]


@alternative(JITTER, "NumPy")
def numpy_roll(img, ox, oy):
    rolled = np.roll(img.detach().cpu().numpy(), (oy, ox), axis=(2, 3))
    return torch.from_numpy(rolled).to(img.device)


@alternative(JITTER, "circular padding, cut to size")
def padded(img, ox, oy):
    height, width = img.shape[2:]
    around = F.pad(img, (width - 1, width - 1, height - 1, height - 1), mode="circular")
    return around[:, :, height - 1 - oy:, width - 1 - ox:][:, :, :height, :width]


# --- blur: mistakes

def bell(k, sigma):
    return torch.exp(-k ** 2 / (2 * sigma ** 2))


BELLS = {
    "": bell,
    "sigma taken for the variance": lambda k, sigma: torch.exp(-k ** 2 / (2 * sigma)),
    "2 missing in the exponent": lambda k, sigma: torch.exp(-k ** 2 / sigma ** 2),
    "root of the Gaussian": lambda k, sigma: bell(k, sigma).sqrt(),
    "box instead of the bell": lambda k, sigma: torch.ones_like(k),
}
SUMS = {
    "": lambda kernel, sigma: kernel / kernel.sum(),
    "kernel not normalised": lambda kernel, sigma: kernel,
    "kernel divided by another number than its sum":
        lambda kernel, sigma: kernel / (sigma * math.sqrt(2 * math.pi)),
}
REACHES = {
    "": lambda sigma: math.ceil(3 * sigma),
    "kernel too short": lambda sigma: math.ceil(2 * sigma),
    "kernel too short ": lambda sigma: math.ceil(sigma),
    "kernel too short  ": lambda sigma: 1,
    "kernel too short   ": lambda sigma: int(3 * sigma),
    "kernel too short    ": lambda sigma: int(3 * sigma + 0.5),
    "kernel too long": lambda sigma: math.ceil(4 * sigma),
    "kernel too long ": lambda sigma: math.ceil(3 * sigma) + 1,
}


def pad_as(mode):
    return lambda img, reach: F.pad(img, (reach,) * 4, mode=mode)


def mirrored(img, reach):
    """As far as one likes, which PyTorch's own padding is not."""
    around = np.pad(img.detach().numpy(), ((0, 0), (0, 0), (reach,) * 2, (reach,) * 2), "reflect")
    return torch.from_numpy(around)


def wrapped(img, reach):
    around = np.pad(img.detach().numpy(), ((0, 0), (0, 0), (reach,) * 2, (reach,) * 2), "wrap")
    return torch.from_numpy(around)


BORDERS = {"": pad_as("replicate"), "zeros beyond the border": pad_as("constant"),
           "mirrored beyond the border": mirrored, "the other side beyond the border": wrapped}


def in_both(padded, kernel):
    return in_columns(in_rows(padded, kernel), kernel)


def in_rows(padded, kernel):
    return F.conv2d(padded, kernel.expand(3, 1, 1, -1), groups=3)


def in_columns(padded, kernel):
    return F.conv2d(padded, kernel.view(-1, 1).expand(3, 1, -1, 1), groups=3)


def middle(x, reach, axis):
    return x.narrow(axis, reach, x.shape[axis] - 2 * reach)


WAYS = {
    "": in_both,
    "along the rows only": lambda x, kernel: middle(in_rows(x, kernel), len(kernel) // 2, 2),
    "down the columns only":
        lambda x, kernel: middle(in_columns(x, kernel), len(kernel) // 2, 3),
    "blurred twice": lambda x, kernel: in_both(
        pad_as("replicate")(in_both(x, kernel), len(kernel) // 2), kernel),
    "colours mixed": lambda x, kernel: in_both(x, kernel).mean(dim=1, keepdim=True).expand(
        -1, 3, -1, -1).clone(),
}


def blur_by(bell=bell, total=SUMS[""], reach=REACHES[""], border=BORDERS[""], way=in_both):
    """blur put together from its factors."""
    def blur(img, sigma):
        if sigma == 0:
            return img.clone()
        r = reach(sigma)
        kernel = total(bell(torch.arange(-r, r + 1, dtype=img.dtype), sigma), sigma)
        return way(border(img, r), kernel)
    return blur


for names, entries in products(BELLS, SUMS, REACHES, BORDERS, WAYS, at_most=1):
    mistake(BLUR, *names)(blur_by(*entries))
for names, entries in products(
        some(BELLS, "sigma taken for the variance", "2 missing in the exponent"),
        some(SUMS, "kernel not normalised"), {"": REACHES[""]},
        some(BORDERS, "zeros beyond the border", "mirrored beyond the border"),
        some(WAYS, "along the rows only", "down the columns only", "colours mixed"), at_most=2):
    if len(names) == 2:
        mistake(BLUR, *names)(blur_by(*entries))


@mistake(BLUR, "smaller picture")
def unpadded(img, sigma):
    return blur_by(border=lambda img, reach: img)(img, sigma)


@mistake(BLUR, "mirrored beyond the border")
def as_far_as_pytorch_mirrors(img, sigma):
    return blur_by(border=pad_as("reflect"))(img, sigma)


@mistake(BLUR, "the other side beyond the border")
def as_far_as_pytorch_wraps(img, sigma):
    return blur_by(border=pad_as("circular"))(img, sigma)


@mistake(BLUR, "sigma 0")
def always_divided(img, sigma):
    r = math.ceil(3 * sigma)
    k = torch.arange(-r, r + 1, dtype=img.dtype)
    kernel = torch.exp(-0.5 * (k / sigma) ** 2)
    return in_both(BORDERS[""](img, r), kernel / kernel.sum())


@mistake(BLUR, "sigma 0")
def divided_by_python(img, sigma):
    r = math.ceil(3 * sigma)
    kernel = torch.tensor([math.exp(-k * k / (2 * sigma ** 2)) for k in range(-r, r + 1)],
                          dtype=img.dtype)
    return in_both(BORDERS[""](img, r), kernel / kernel.sum())


@mistake(BLUR, "another dtype than img's")
def float_kernel(img, sigma):
    r = math.ceil(3 * sigma)
    kernel = bell(torch.arange(-r, r + 1), sigma) if sigma else torch.ones(1)
    return in_both(BORDERS[""](img, r), kernel / kernel.sum())


@mistake(BLUR, "parameters in another order")
def sigma_first(sigma, img):
    return blur_by()(img, sigma)


@mistake(BLUR, "input changed")
def blurred_in_place(img, sigma):
    return img.detach().copy_(blur_by()(img, sigma))


# --- blur: right

@alternative(BLUR, "SciPy, continued to the nearest")
def scipy_blur(img, sigma):
    from scipy.ndimage import gaussian_filter
    blurred = gaussian_filter(img.detach().cpu().numpy(), (0, 0, sigma, sigma), mode="nearest",
                              radius=(0, 0) + (math.ceil(3 * sigma),) * 2)
    return torch.from_numpy(blurred).to(img.device)


@alternative(BLUR, "OpenCV, picture by picture")
def opencv_blur(img, sigma):
    if sigma == 0:
        return img.clone()
    size = (2 * math.ceil(3 * sigma) + 1,) * 2
    pictures = [cv2.GaussianBlur(np.ascontiguousarray(x.permute(1, 2, 0).numpy()), size, sigma,
                                 borderType=cv2.BORDER_REPLICATE) for x in img.detach().cpu()]
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)


@alternative(BLUR, "torchvision after padding, cut to size")
def torchvision_blur(img, sigma):
    from torchvision.transforms.functional import gaussian_blur
    if sigma == 0:
        return img + 0
    r = math.ceil(3 * sigma)
    around = gaussian_blur(F.pad(img, [r] * 4, mode="replicate"), 2 * r + 1, sigma)
    return around[:, :, r:-r, r:-r]


@alternative(BLUR, "one kernel in two dimensions, the colours on the first axis")
def two_dimensions(img, sigma):
    r = int(np.ceil(3 * sigma))
    k = torch.arange(-r, r + 1).to(img)
    kernel = torch.exp(-(k[:, None] ** 2 + k ** 2) / (2 * max(sigma, 1e-3) ** 2))
    kernel = (kernel / kernel.sum())[None, None]
    n, _, height, width = img.shape
    flat = img.reshape(3 * n, 1, height, width)
    return F.conv2d(F.pad(flat, (r, r, r, r), mode="replicate"), kernel).view_as(img)


@alternative(BLUR, "a sum of shifted pictures")
def shifted(img, sigma):
    r = math.ceil(3 * sigma)
    weights = [math.exp(-0.5 * (k / (sigma or 1)) ** 2) for k in range(-r, r + 1)]
    for axis in (2, 3):
        last = img.shape[axis] - 1
        img = sum(w / sum(weights) * img.index_select(axis, (torch.arange(last + 1) + k).clamp(
            0, last)) for k, w in zip(range(-r, r + 1), weights))
    return img


# --- both clips: mistakes

def share(values, fraction):
    """The quantile of each picture's values, (N, 1, 1) or (N, 1, 1, 1)."""
    bound = values.flatten(1).quantile(fraction, dim=1)
    return bound.view(-1, *(1,) * (values.ndim - 1))


BOUNDS = {
    "": share,
    "quantile over the batch": lambda values, fraction: values.flatten().quantile(fraction),
    "value instead of a quantile": lambda values, fraction: fraction,
    "part of the maximum instead of a quantile":
        lambda values, fraction: fraction * values.flatten(1).amax(dim=1).view(
            -1, *(1,) * (values.ndim - 1)),
    "part of the mean instead of a quantile": lambda values, fraction: fraction * values.mean(),
    "fraction in percent": lambda values, fraction: share(values, fraction / 100),
    "the other fraction": lambda values, fraction: share(values, 1 - fraction),
}
KEEPS = {
    "": lambda values, bound, fraction: values >= bound,
    "largest clipped": lambda values, bound, fraction: values < bound,
    "largest clipped ": lambda values, bound, fraction: values <= share(values, 1 - fraction),
    "the pixel at the quantile clipped": lambda values, bound, fraction: values > bound,
}
FILLS = {
    "": lambda img, keep, bound: torch.where(keep, img, 0),
    "mean instead of 0":
        lambda img, keep, bound: torch.where(keep, img, img.mean(dim=(2, 3), keepdim=True)),
    "set to the bound instead of 0": lambda img, keep, bound: torch.where(
        keep, img, torch.as_tensor(bound).reshape(-1, 1, 1, 1).to(img)),
    "mask instead of the picture":
        lambda img, keep, bound: keep.expand_as(img).to(img.dtype),
    "pixels left out instead of 0": lambda img, keep, bound: img[keep.expand_as(img)],
}
NORMS = {  # (N, 3, H, W) to what is compared
    "": lambda x: x.norm(dim=1),
    "each colour by itself": lambda x: x.abs(),
    "no absolute value": lambda x: x,
    "sum over the colours": lambda x: x.sum(dim=1),
    "sum over the colours ": lambda x: x.mean(dim=1).abs(),
    "absolute values added up": lambda x: x.abs().sum(dim=1),
    "largest colour": lambda x: x.abs().amax(dim=1),
    "norm over the pixels": lambda x: x.norm(dim=(2, 3), keepdim=True),
    "norm over the pixels ": lambda x: x.norm(dim=3, keepdim=True),
    "measured around the mean": lambda x: (x - x.mean(dim=(2, 3), keepdim=True)).norm(dim=1),
}
CONTRIBUTIONS = {  # of picture and gradient
    "": lambda x, g: (x * g).sum(dim=1).abs(),
    "the gradient alone": lambda x, g: g.norm(dim=1),
    "the gradient alone ": lambda x, g: g.abs().amax(dim=1),
    "the gradient alone  ": lambda x, g: g.abs().sum(dim=1),
    "the gradient alone   ": lambda x, g: g.abs(),
    "the picture alone": lambda x, g: x.norm(dim=1),
    "each colour by itself": lambda x, g: (x * g).abs(),
    "no absolute value": lambda x, g: (x * g).sum(dim=1),
    "absolute value before the sum": lambda x, g: (x * g).abs().sum(dim=1),
    "norm of the products": lambda x, g: (x * g).norm(dim=1),
    "largest colour": lambda x, g: (x * g).abs().amax(dim=1),
    "sum of picture and gradient": lambda x, g: (x + g).sum(dim=1).abs(),
    "lengths multiplied": lambda x, g: x.norm(dim=1) * g.norm(dim=1),
    "sum over the pixels": lambda x, g: (x * g).sum(dim=(2, 3), keepdim=True).abs(),
    "sum over the pixels ": lambda x, g: (x * g).sum(dim=2, keepdim=True).abs(),
}


def without(img, values, fraction, bounds, keeps, fill):
    """Values (N, H, W) or (N, 3, H, W), a bound, who stays, and what the others become."""
    bound = bounds(values, fraction)
    keep = keeps(values, bound, fraction)
    return fill(img, keep if keep.ndim == 4 else keep[:, None], bound)


def pixels_by(norm=NORMS[""], bounds=share, keeps=KEEPS[""], fill=FILLS[""]):
    """clip_small_pixels put together from its factors."""
    return lambda img, fraction: without(img, norm(img), fraction, bounds, keeps, fill)


def gradients_by(contribution=CONTRIBUTIONS[""], bounds=share, keeps=KEEPS[""], fill=FILLS[""]):
    """clip_small_gradients put together from its factors."""
    return lambda img, gradient, fraction: without(img, contribution(img, gradient), fraction,
                                                   bounds, keeps, fill)


def told_as_one(names) -> bool:
    """Two slips that show as another one, or as nothing."""
    names = set(names)
    return {"largest clipped", "the other fraction"} <= names or (
        # no pixel lies just there
        "the pixel at the quantile clipped" in names and any(
            name.endswith("instead of a quantile") for name in names))


for exercise, measures, build, often in (
        (PIXELS, NORMS, pixels_by, ("each colour by itself", "no absolute value")),
        (GRADIENTS, CONTRIBUTIONS, gradients_by, ("the gradient alone", "each colour by itself",
                                                  "no absolute value"))):
    for names, entries in products(measures, BOUNDS, KEEPS, FILLS, at_most=1):
        mistake(exercise, *names)(build(*entries))
    for names, entries in products(
            some(measures, *often),
            some(BOUNDS, "quantile over the batch", "value instead of a quantile",
                 "part of the maximum instead of a quantile", "the other fraction"),
            some(KEEPS, "largest clipped", "the pixel at the quantile clipped"),
            some(FILLS, "mean instead of 0", "mask instead of the picture"), at_most=2):
        if len(names) == 2 and not told_as_one(names):
            mistake(exercise, *names)(build(*entries))


@mistake(GRADIENTS, "picture and gradient swapped")
def gradient_clipped(img, gradient, fraction):
    return gradients_by()(gradient, img, fraction)


@mistake(PIXELS, "parameters in another order")
def fraction_first(fraction, img):
    return pixels_by()(img, fraction)


@mistake(GRADIENTS, "parameters in another order")
def gradient_first(gradient, img, fraction):
    return gradients_by()(img, gradient, fraction)


def common_bound(values, fraction):
    """One number for all: the mean of the pictures' own quantiles."""
    return share(values, fraction).mean()


def float_mask(img, keep, bound):
    return img.float() * keep


def written_into(img, keep, bound):
    img.detach().masked_fill_(~keep, 0)
    return img


for exercise, build in ((PIXELS, pixels_by), (GRADIENTS, gradients_by)):
    mistake(exercise, "depends on the batch")(build(bounds=common_bound))
    mistake(exercise, "another dtype than img's")(build(fill=float_mask))
    mistake(exercise, "input changed")(build(fill=written_into))


@mistake(PIXELS, "squeezed batch axis")
def squeezed_pixels(img, fraction):
    return pixels_by()(img, fraction).squeeze() if len(img) > 1 else img[0] * 0 + pixels_by()(
        img, fraction)[0]


@mistake(GRADIENTS, "squeezed batch axis")
def squeezed_gradients(img, gradient, fraction):
    return gradients_by()(img, gradient, fraction).squeeze()


# --- both clips: right

@alternative(PIXELS, "squares, which are in the same order")
def by_squares(img, fraction):
    energy = (img ** 2).sum(dim=1, keepdim=True)
    bound = torch.quantile(energy.view(len(img), -1), fraction, dim=1)
    return img * (energy >= bound.view(-1, 1, 1, 1))


@alternative(PIXELS, "np.percentile, picture by picture, written into a copy")
def by_percentile(img, fraction):
    result = img.detach().clone()
    for x in result:
        norms = np.linalg.norm(x.cpu().numpy(), axis=0)
        x[:, torch.from_numpy(norms < np.percentile(norms, 100 * fraction))] = 0
    return result


@alternative(PIXELS, "sorted and counted")
def by_counting(img, fraction):
    norms = img.norm(dim=1).flatten(1)  # (N, H · W)
    result = img.clone().flatten(2)
    for x, order in zip(result, norms.argsort(dim=1)):
        x[:, order[:int(fraction * norms.shape[1])]] = 0
    return result.view_as(img)


@alternative(PIXELS, "kept by einsum, in float64")
def in_double(img, fraction):
    norms = torch.einsum("nchw,nchw->nhw", img.double(), img.double()).sqrt()
    keep = ~(norms < share(norms, fraction))
    return torch.einsum("nchw,nhw->nchw", img, keep.to(img))


@alternative(PIXELS, "other parameter names, with a note")
def pixels_renamed(x, q):
    return pixels_by()(x, q)


@alternative(GRADIENTS, "masked_fill, einsum")
def by_einsum(img, gradient, fraction):
    contribution = torch.einsum("nchw,nchw->nhw", img, gradient).abs()
    return img.masked_fill((contribution < share(contribution, fraction))[:, None], 0)


@alternative(GRADIENTS, "what would be lost, minus, with np.quantile")
def benefit(img, gradient, fraction):
    loss = (gradient * -img).sum(1).abs().detach().cpu().numpy()
    bound = np.quantile(loss.reshape(len(loss), -1), fraction, axis=1)
    small = torch.from_numpy(loss < bound[:, None, None]).to(img.device)
    return torch.where(small[:, None], torch.zeros_like(img), img)


@alternative(GRADIENTS, "squares, one picture at a time")
def one_at_a_time(img, gradient, fraction):
    result = []
    for x, g in zip(img, gradient):
        c = torch.sum(x * g, dim=0) ** 2
        result.append(x * (c >= c.quantile(fraction)).float())
    return torch.stack(result).to(img.dtype)


@alternative(GRADIENTS, "sorted and counted")
def gradients_by_counting(img, gradient, fraction):
    c = (img * gradient).sum(dim=1).abs().flatten(1)
    gone = c.argsort(dim=1)[:, :int(fraction * c.shape[1])]
    keep = torch.ones_like(c).scatter(1, gone, 0)
    return img * keep.view(len(img), 1, *img.shape[2:])


ALTERNATIVES[GRADIENTS]["a partial of a general function"] = partial(
    lambda measure, img, gradient, fraction: without(
        img, measure(img, gradient), fraction, share, KEEPS[""], FILLS[""]), CONTRIBUTIONS[""])
