"""The check of `attack_step`: what is tried, and what is said about known mistakes."""

import re

import torch

from ..exercise import Case, Exercise, Trap
from ..fixtures import picture, tiny_weights
from ..inputs import Network


def one_step(function, X, original, y, model, rate, radius, norm):
    result = function(X, original, y, model, rate, radius, norm)
    return {"result": result, "has a graph": getattr(result, "requires_grad", False)}


def after_another(function, X, original, y, model, rate, radius, norm):
    """The same pictures a second time, after a call for other classes."""
    function(X, original, y.flip(0), model, rate, radius, norm)
    return one_step(function, X, original, y, model, rate, radius, norm)


def underway(height, width, seed, labels, norm, rate, radius, far):
    """Pictures on their way. far: how far each is from its original, in radii; more than 1 where
    the radius has become smaller on the way."""
    def inputs(numbers):
        n = len(far)
        original = picture(numbers, n, height, width, seed)
        change = 2 * picture(numbers, n, height, width, seed + 1) - 1  # from -1 to 1
        sizes = change.flatten(1).norm(dim=1) if norm == "l2" else torch.ones(n).double()
        change = change * (radius * torch.tensor(far).double() / sizes).view(n, 1, 1, 1)
        return {"X": (original + change).clamp(0, 1), "original": original,
                "y": torch.tensor(labels), "model": Network("tiny", tiny_weights(numbers, seed)),
                "rate": rate, "radius": radius, "norm": norm}
    return inputs


def first(n):
    return lambda inputs: {**inputs, **{key: inputs[key][:n] for key in ("X", "original", "y")}}


def guarded(inputs):
    return {**inputs, "model": inputs["model"]._replace(guarded=True)}


def conventions(observed, inputs):
    """Is the graph still there? The next step would grow it."""
    outputs = [outcome.outputs for outcome in observed.outcomes.values()]
    return {"has a graph": ()} if any(out.get("has a graph") is True for out in outputs) else {}


LINF, L2 = "a step in the L∞ ball", "a step in the L2 ball"
BATCH = ("norm of the whole batch", "normalised over the batch", "first picture's class for all",
         "first image only", "norm over a part of the gradient")
ATTACK = Exercise(
    name="attack_step", notebook="04_fooling_images",
    parameters=("X", "original", "y", "model", "rate", "radius", "norm"), conventions=conventions,
    cases=(
        Case(LINF, underway(4, 6, 498, [2, 0, 3], "linf", 1 / 8, 3 / 16, (1.0, 0.5, 1.5)),
             one_step),
        Case(L2, underway(6, 4, 1927, [2, 3, 0], "l2", 5 / 4, 3 / 2, (0.1, 0.9, 1.4)), one_step),
        Case("a step longer than the radius, L∞",
             underway(4, 8, 891, [1, 3, 0], "linf", 3 / 8, 1 / 4, (0.0, 1.0, 0.6)), one_step),
        Case("a step longer than the radius, L2",
             underway(8, 4, 1060, [3, 1, 0], "l2", 2.0, 5 / 4, (0.0, 1.0, 0.5)), one_step),
        Case("a step well inside the L2 ball",
             underway(6, 6, 1821, [3, 2, 1], "l2", 1 / 2, 2.0, (0.1, 0.3, 0.5)), one_step),
    ),
    traps=(
        Trap("hard-coded batch axis", L2, first(2), lambda result: result[:2],
             drift="depends on the batch", unless=BATCH),
        Trap("squeezed batch axis", LINF, first(1), lambda result: result[:1],
             drift="depends on the batch", unless=("hard-coded batch axis", *BATCH)),
        Trap("gradient left from an earlier call", L2, call=after_another,
             unless=("input changed", "original changed")),
        Trap("another dtype than X's", L2, dtype=torch.float64),
        Trap("train mode while it runs", L2, guarded, unless=("model switched to train mode",)),
    ),
    mistakes={
        "parameters in another order":
            "The parameters stand in another order than in the notebook: "
            "attack_step(X, original, y, model, rate, radius, norm).",
        "rate and radius swapped":
            "rate and radius are swapped: rate is how far one step goes, radius how far from the "
            "original all steps together may lead.",
        "the norm unused":
            "The step and the ball are those of one norm, whichever is asked for. Look at norm, "
            "which is \"linf\" or \"l2\".",
        "the change returned":
            "What comes back is the change alone. Return the picture, the original plus that.",
        "loss descended":
            "The step lowers the loss, so the picture looks even more like y. Add the step: the "
            "gradient points to where the loss rises.",
        "score instead of the loss":
            "The step follows the score of y downhill, which knows nothing of the other classes. "
            "Climb the cross-entropy loss, F.cross_entropy(scores, y).",
        "score climbed":
            "The step raises the score of y. The attack leads away from y: climb the "
            "cross-entropy loss, F.cross_entropy(scores, y).",
        "loss of the softmax":
            "F.cross_entropy takes the softmax itself. Give it the raw scores, or it is a softmax "
            "of a softmax.",
        "predicted class instead of y":
            "The step leads away from what the network says. It should lead away from y, the true "
            "class, even where the network says something else.",
        "first picture's class for all":
            "All pictures are led away from y[0]. Each has its own class in y.",
        "gradient at the original":
            "The gradient is taken at the original. Take it at X, where the attack has come to.",
        "step from the original":
            "The step starts from the original, so all earlier steps are lost. Start from X.",
        "no sign in the L∞ step":
            "In the L∞ ball every value moves by rate, up or down: take the gradient's sign.",
        "L2 step in the L∞ ball":
            "For norm=\"linf\" the gradient was divided by its length. There every value moves by "
            "rate, up or down: take the gradient's sign.",
        "sign in the L2 step":
            "For norm=\"l2\" the sign was taken. There the step is the gradient, divided by its "
            "length, times rate.",
        "not divided by the norm":
            "For norm=\"l2\" the gradient is not divided by its length, so a picture that the "
            "network is sure of hardly moves. Divide each picture's gradient by its L2 norm.",
        "divided by the squared norm":
            "The gradient is divided by its squared length: the root is missing.",
        "normalised over the batch":
            "All gradients are divided by one length, that of the whole batch. Each picture has "
            "its own: gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1).",
        "norm over a part of the gradient":
            "The gradient's norm is taken over some axes of a picture only. Take it over all "
            "three, colours, rows and columns: gradient.flatten(1).norm(dim=1).",
        "no projection":
            "The picture may leave the ball: nothing is done about its distance from the "
            "original. Cut X - original to the radius after the step.",
        "ball around X":
            "The ball lies around X, so every step may lead on. It lies around the original: cut "
            "the new picture minus original.",
        "projected before the step":
            "The distance from the original is cut first, and then the step leads out again. Take "
            "the step first.",
        "box instead of the L2 ball":
            "For norm=\"l2\" each value is cut by itself: that is the L∞ ball. Compare the length "
            "of the whole change with radius, and shorten the change if it is longer.",
        "L2 ball instead of the box":
            "For norm=\"linf\" the whole change is shortened: that is the L2 ball. Cut each "
            "value: change.clamp(-radius, radius).",
        "always on the sphere":
            "Every change is made exactly as long as radius, also one that is shorter. Leave "
            "those alone: the factor is (radius / length).clamp(max=1).",
        "norm of the whole batch":
            "One length was taken for the changes of all pictures together. Each picture has its "
            "own: change.flatten(1).norm(dim=1).view(-1, 1, 1, 1).",
        "cut on one side only":
            "Changes are cut on one side only: change.clamp(-radius, radius).",
        "not cut to [0, 1]":
            "The result has values outside [0, 1], which no picture has. At the end, "
            "clamp(0, 1).",
        "cut to [0, 1] before the ball":
            "The values are cut to [0, 1] first, and to the ball afterwards. Both orders end "
            "inside both, but in another picture: the ball comes first here.",
        "change cut to [0, 1]":
            "The change itself is cut to [0, 1], so nothing can become darker. Cut the picture, "
            "the original plus the change.",
        "hard-coded batch axis":
            "The number of pictures is written into the code. Take it from X.shape[0], or use "
            "view(-1, 1, 1, 1).",
        "squeezed batch axis":
            "With a single picture it fails: squeeze() drops the batch axis then. Name the axis "
            "that should go.",
        "depends on the batch":
            "What happens to a picture changes with the others in the batch. Each belongs to "
            "itself alone: take lengths image by image.",
        "gradient left from an earlier call":
            "Called twice on the same X, the second step contains the first one's gradient: "
            "backward() adds to X.grad. Work on X.detach().clone(), or use torch.autograd.grad.",
        "another dtype than X's":
            "With float64 pictures the result should be float64: use the dtype of X, and make no "
            "float32 tensors of your own.",
        "train mode while it runs":
            "The network ran in train mode, where dropout and batch norm change the scores. Leave "
            "its mode alone.",
    },
    notes={
        "has a graph":
            "what comes back still remembers how it was computed, so a loop would need more "
            "memory with each step. Return it with .detach().",
    },
    errors={"hard-coded batch axis": re.compile(r"\b(view|reshape)\(3,")},
    row={
        "signature": "attack_step(X, original, y, model, rate, radius, norm)",
        "shapes": "X, original (N, 3, H, W), y (N,) → (N, 3, H, W)",
        "gives": "a new tensor without a graph, like X in dtype and device; all inputs stay as "
                 "they were",
        "formula": "X′ = X + rate · sign(g) for \"linf\", X + rate · g / ‖g‖₂ for \"l2\", g the "
                   "gradient of the cross-entropy of y, image by image; then X′ − original is cut "
                   "to [−radius, radius], or shortened to length radius where it is longer; then "
                   "X′ is cut to [0, 1]",
        "defaults": "none",
        "units": "X, rate and radius in brightness, the full range being 1",
    })
