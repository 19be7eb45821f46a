"""The one building block of all panels: sliders, and a picture that answers them.

`ask` is for what one call answers (a saliency map, an occlusion map), `play` for a step that is
taken again and again (DeepDream, style transfer). Both take a picture, or several by name, and
named hyperparameters:

    widgets.play(step, {"noise": noise, "grey": grey}, {"rate": Range(0, 10, 5.0)})

    def step(image, *, rate):  # -> the new image, and the objective that the step read on its way
        ...

ipywidgets is imported only when a panel is made; without it the first picture comes alone.
"""

import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch

from .. import plots
from ..methods.drive import drive
from ..notebook import explain
from ..require import require_images

SORRY = ("The sliders need ipywidgets: `pip install ipywidgets`, then restart the kernel. "
         "Here is the picture they would start with.")


class Range(NamedTuple):
    """A number from low to high; a whole one where all that is given is whole."""
    low: float
    high: float
    value: float
    step: float | None = None  # by default 1 for whole numbers, else a hundredth of the range
    words: str = ""  # beside the slider, with the unit; by default the name


class Choice(NamedTuple):
    """One of several things by name; the first, unless `value` names another."""
    options: Mapping | list | tuple  # name -> thing, or names that stand for themselves
    value: str | None = None
    words: str = ""


def ask(answer: Callable, images, controls: dict, *, adapt: Callable | None = None,
        exercises=(), name: str = "panel"):
    """A panel that calls answer(image, **values) whenever a control moves, and shows the result.

    answer returns a picture (whatever plots.picture takes) or a figure; one that takes long is a
    generator of several, the roughest first, and is left as soon as a control moves again.
    images: a picture (1, 3, H, W) in [0, 1], or name -> picture. controls: name -> Range, Choice
    or bool. adapt(panel, name) may change the other controls when one has moved. exercises: the
    student's functions that answer calls, by name or as a tuple, so that their errors are called
    theirs. name: of the files that "save" writes. Raises TypeError or ValueError for other input.
    """
    images = require_pictures_by_name(images)
    panels, exercises = imported(), named(exercises, answer)
    if panels:
        return panels.AskPanel(answer, images, controls, adapt, exercises, name)
    try:
        given = answer(next(iter(images.values())), **defaults(controls))
        return [*given][-1] if hasattr(given, "__next__") else given
    except Exception as error:
        print(explained(error, exercises))


def play(step: Callable, images, controls: dict, *, objective: str = "objective",
         draw: Callable = plots.picture, begin: int = 0, adapt: Callable | None = None,
         exercises=(), name: str = "panel"):
    """A panel that takes a step again and again, shows the picture, and plots the objective.

    step(image, **values) returns (image, objective), or None at the end; see methods.drive.
    A control that moves acts at the next step. objective: what the curve is called, with its
    unit. draw(image) is the picture or figure to show. begin: steps to take at once, so that the
    panel starts with more than its first picture. All else as in `ask`.
    """
    images = require_pictures_by_name(images)
    panels, exercises = imported(), named(exercises, step)
    if panels:
        return panels.PlayPanel(step, images, controls, adapt, exercises, name,
                                objective, draw, begin)
    image = next(iter(images.values()))
    try:
        for frame in drive(step, image, defaults(controls), steps=begin):
            image = frame.image
        return draw(image)
    except Exception as error:
        print(explained(error, exercises))


def imported():
    """The module with the panels, None, with a sentence, where there is no ipywidgets."""
    try:
        from . import panels
    except ImportError:
        print(SORRY)
        return None
    return panels


def require_pictures_by_name(images) -> dict[str, torch.Tensor]:
    """Name -> picture (1, 3, H, W); refuse what is no picture, or none at all."""
    images = dict(images) if isinstance(images, Mapping) else {"picture": images}
    if not images:
        raise ValueError("images has 0 entries: a panel needs a picture, or a dictionary "
                         "name -> picture")
    for name, image in images.items():
        require_images(image, f"images[{name!r}]")
    # Detached: what an exercise asked of one picture must not follow it into the panel.
    return {name: image.detach() for name, image in images.items()}


def defaults(controls: dict) -> dict:
    """What the controls say before anybody touches them."""
    return {name: default(spec) for name, spec in controls.items()}


def default(spec):
    if isinstance(spec, Choice):
        things = by_name(spec.options)
        return things[next(iter(things)) if spec.value is None else spec.value]
    return spec.value if isinstance(spec, Range) else spec


def by_name(options) -> dict:
    """name -> thing; a list of names stands for itself."""
    return dict(options) if isinstance(options, Mapping) else {name: name for name in options}


def current(function):
    """The newest definition of a function of the notebook: its cell may have been run again."""
    name = getattr(function, "__qualname__", "<")
    if getattr(function, "__module__", None) != "__main__" or "<" in name:  # <locals>, <lambda>
        return function
    return getattr(sys.modules["__main__"], name, function)


def following(function: Callable) -> Callable:
    """The function as its cell defines it when it is called."""
    return lambda *given: current(function)(*given)


def named(exercises, work: Callable) -> dict:
    """Name -> function: the student's, and what the panel runs, if the notebook defines that."""
    if not isinstance(exercises, Mapping):
        exercises = {function.__name__: function for function in exercises}
    own = {work.__name__: work} if getattr(work, "__module__", None) == "__main__" else {}
    return dict(exercises) | own


def explained(error: Exception, exercises: dict) -> str:
    """The line on an error, in the words that a notebook's cells use."""
    said = explain(error, {name: current(function) for name, function in exercises.items()})
    return said or f"✗ No picture, for this went wrong: {type(error).__name__}: {error}"
