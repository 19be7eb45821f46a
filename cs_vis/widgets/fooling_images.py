"""The panel of notebook 04: a picture led step by step to a class, or away from its own."""

from collections.abc import Callable

import torch

from .. import plots
from ..methods.drive import step_of_loop, watched
from .live import Choice, Range, current, defaults, play

__all__ = ["fooling_panel"]

TOWARDS, AWAY = "towards a class", "away from the answer"
NEEDED = {TOWARDS: "make_fooling_image", AWAY: "attack_step"}  # method -> the student's function
NORMS = {"L∞": "linf", "L2": "l2"}


def fooling_panel(models: dict, images: dict, *, make_fooling_image: Callable | None = None,
                  attack_step: Callable | None = None,
                  magnified_difference: Callable | None = None):
    """A panel that takes the steps of an attack, and shows the picture, its change and how sure.

    models: name -> network. images: name -> image (1, 3, H, W) in [0, 1], on the networks'
    device. The functions are the exercises' answers: a method is offered where its function is
    given. A control acts at the next step. What the functions raise becomes a line of text; one
    that is defined anew is picked up. Raises ValueError for nothing to offer.
    """
    student = {"make_fooling_image": make_fooling_image, "attack_step": attack_step,
               "magnified_difference": magnified_difference}
    student = {name: function for name, function in student.items() if function is not None}
    methods = [method for method, name in NEEDED.items() if name in student]
    if not models or not images or not methods:
        raise ValueError(f"models has {len(models)} entries, images {len(images)}, and there is a "
                         f"function for {len(methods)} methods: pass a network, a picture, and "
                         f"make_fooling_image or attack_step")
    first = next(iter(models.values()))
    controls = {"method": Choice(methods), "network": Choice(list(models)),
                "target": Choice(list(first.class_names), answer(first, [*images.values()][-1])),
                "norm": Choice(NORMS), "rate": Range(0.05, 1.5, 0.25, 0.05, "step (radii)"),
                "linf": Range(0.5, 32.0, 6.0, 0.5, "L∞ radius (/255)"),
                "l2": Range(0.25, 20.0, 3.0, 0.25, "L2 radius"),
                "scale": Range(0.01, 0.5, 0.05, 0.01, "change shown ±")}
    panels = []  # the one that is made here, as soon as it is; none without ipywidgets

    def original():
        return panels[0].images.chosen if panels else next(iter(images.values())).detach()

    def step(image, *, method, network, target, norm, rate, linf, l2, scale):
        model, function = models[network], current(student[NEEDED[method]])
        if method == TOWARDS:
            y = list(model.class_names).index(target)
            return step_of_loop(lambda X: function(X, y, model), model,
                                lambda scores: scores.softmax(dim=1)[0, y])(image)
        return step_away(function, image, original(), model, rate, norm,
                         {"linf": linf / 255, "l2": l2}[norm])

    def draw(image):
        values = panels[0].values() if panels else defaults(controls)
        return pictures(models[values["network"]], original(), image, values["scale"],
                        current(student.get("magnified_difference", signed)))

    def adapt(panel, moved):
        panels[:] = [panel]
        offer(panel, moved, models)

    return play(step, images, controls, objective="probability of the class", draw=draw, begin=3,
                adapt=adapt, exercises=student, name="fooling")


def step_away(attack_step, image, original, model, rate, norm, radius):
    """One step away from what the network says to the original, and its probability before."""
    with torch.no_grad():
        y = model(original).argmax(dim=1)  # (1,)
    with watched(model) as seen:
        moved = attack_step(image, original, y, model, rate * radius, radius, norm)
    return moved, seen.first_answer().softmax(dim=1)[0, y]


def offer(panel, moved: str | None, models: dict) -> None:
    """Have the network's own classes, and only what the method can use; draw what has moved."""
    controls = panel.controls
    away = controls["method"].chosen == AWAY
    if moved in (None, "network"):
        names = models[controls["network"].chosen].class_names
        controls["target"].offer(list(names))
    controls["target"].disabled = away
    for name in ("norm", "rate", "linf", "l2"):
        controls[name].disabled = not away
    controls[{"linf": "l2", "l2": "linf"}[controls["norm"].chosen]].disabled = True
    if moved in ("network", "scale"):
        panel.refresh()


def pictures(model, original, image, scale, magnified_difference) -> plots.Figure:
    """The original, the picture as it is now, and the change, with its two lengths."""
    change = (image - original).flatten()
    shown = plots.picture(magnified_difference(original, image, scale))
    return plots.show(
        [plots.picture(original), plots.picture(image), shown._replace(note=f"±{scale:.2g}")],
        [said(model, original), said(model, image), "the change"], height=2.3,
        caption=f"the change: {change.norm():.2f} long (L2), at most {change.abs().max():.3f} a "
                f"value (L∞)")


def signed(X, fooled, scale):
    return plots.signed(fooled - X, scale=scale)


@torch.no_grad()
def said(model, image) -> str:
    p = model(image).softmax(dim=1)[0]  # (K,)
    return f"{model.class_names[p.argmax()]}, {p.max():.0%}"


@torch.no_grad()
def answer(model, image) -> str:
    return model.class_names[model(image)[0].argmax()]
