"""Sliders for the notebooks: one panel that runs the student's own functions.

The controls are ipywidgets; the picture beside them is an ordinary output that the controls
update, so a notebook read without a kernel still shows it. ipywidgets is imported only when a
panel is asked for; without it the picture comes alone, with a sentence.
"""

from collections.abc import Callable
from html import escape
from traceback import walk_tb

import torch

from .. import plots
from ..checks.place import codes_of, problem_of
from ..notebook import unsolved
from ..models import activations
from .questions import METHODS, Method, Question

__all__ = ["saliency_panel"]
CLASS_SCORE, ANSWER = "class score", "the network's answer"


def saliency_panel(models: dict, images: dict, *, compute_saliency_maps: Callable | None = None,
                   occlusion_map: Callable | None = None, GuidedReLU: type | None = None,
                   segment_by_saliency: Callable | None = None):
    """A panel that explains one image by one method, for a class or for a neuron of any layer.

    models: name -> network. images: name -> image (1, 3, H, W) in [0, 1], on the networks'
    device. The four functions are the exercises' answers: a method is offered where its function
    is given. Returns a `SaliencyPanel`, or, without ipywidgets, its first picture. What the
    functions raise becomes a line of text. Raises ValueError where there is nothing to offer.
    """
    if not models or not images:
        raise ValueError(f"models has {len(models)} entries and images {len(images)}: the panel "
                         f"needs at least one of each, as dictionaries name -> network, image")
    student = {"compute_saliency_maps": compute_saliency_maps, "occlusion_map": occlusion_map,
               "GuidedReLU": GuidedReLU, "segment_by_saliency": segment_by_saliency}
    student = {name: function for name, function in student.items() if function is not None}
    methods = {name: method for name, method in METHODS.items()
               if student.keys() >= set(method.exercises)}
    if not methods:
        raise ValueError("no method to offer: pass at least one of compute_saliency_maps, "
                         "occlusion_map, GuidedReLU")
    try:
        import ipywidgets
    except ImportError:
        print("The sliders need ipywidgets: `pip install ipywidgets`, then restart the kernel. "
              "Here is the picture they would start with.")
        model, image = next(iter(models.values())), next(iter(images.values()))
        try:
            return draw(next(iter(methods.values())), Question(student, model, image))
        except Exception as error:
            return print(explain(error, student))
    return SaliencyPanel(ipywidgets, models, images, student, methods)


class SaliencyPanel:
    """The controls, one attribute each; `figure`, the figure they last drew; `problem`, why not."""

    def __init__(self, ipywidgets, models: dict, images: dict, student: dict, methods: dict):
        wide = {"style": {"description_width": "70px"}, "layout": {"width": "300px"}}
        self._models, self._images, self._student, self._methods = models, images, student, methods
        self.model = ipywidgets.Dropdown(options=list(models), description="network", **wide)
        self.image = ipywidgets.Dropdown(options=list(images), description="image", **wide)
        self.method = ipywidgets.Dropdown(options=list(methods), description="method", **wide)
        self.y = ipywidgets.Dropdown(options=[(ANSWER, None)], description="class", **wide)
        self.layer = ipywidgets.Dropdown(options=[CLASS_SCORE], description="layer", **wide)
        slider = {"continuous_update": False} | wide
        self.channel = ipywidgets.IntSlider(0, 0, 0, description="channel", **slider)
        self.smoothing = ipywidgets.FloatSlider(1.0, min=0, max=6, step=0.5,
                                                description="smoothing", **slider)
        self.message = ipywidgets.HTML()
        self.figure, self._picture, self.problem = None, None, ""
        controls = [self.model, self.image, self.method, self.y, self.layer, self.channel,
                    self.smoothing]
        self.controls = ipywidgets.VBox([
            ipywidgets.HBox([ipywidgets.VBox(controls[:4]), ipywidgets.VBox(controls[4:])]),
            self.message])
        self._offer_classes_and_layers()
        for control in controls:
            control.observe(self._changed, names="value")
        self._redraw()

    def _changed(self, change) -> None:
        if change["owner"] is self.model:
            self._offer_classes_and_layers()
        if change["owner"] is self.layer and self.layer.value != CLASS_SCORE:
            self.channel.max = self._channels[self.layer.value] - 1
        self._redraw()

    def _offer_classes_and_layers(self) -> None:
        """What the chosen network has; a choice already made stays where it still exists."""
        model = self._models[self.model.value]
        with torch.no_grad():
            found = activations(model, self._images[self.image.value], model.layer_names)
        self._channels = {name: a.shape[1] for name, a in found.items() if a.ndim == 4}
        classes = [(ANSWER, None), *((n, i) for i, n in enumerate(model.class_names))]
        for control, options in ((self.y, classes), (self.layer, [CLASS_SCORE, *self._channels])):
            before = control.label
            if list(control.options) != options:
                control.options = options
            if before in [o[0] if isinstance(o, tuple) else o for o in options]:
                control.label = before

    def _redraw(self) -> None:
        method = self._methods[self.method.value]
        self.layer.disabled, self.smoothing.disabled = not method.neurons, not method.smoothed
        layer = self.layer.value if method.neurons else CLASS_SCORE
        self.y.disabled, self.channel.disabled = layer != CLASS_SCORE, layer == CLASS_SCORE
        neuron = None if layer == CLASS_SCORE else (layer, self.channel.value)
        self.problem = ""
        try:
            self.figure = draw(method, Question(
                self._student, self._models[self.model.value], self._images[self.image.value],
                self.y.value, neuron, self.smoothing.value))
        except Exception as error:  # a panel that dies would take the reader's settings along
            self.problem = explain(error, self._student)
        self.message.value = escape(self.problem)
        if self._picture is not None and not self.problem:
            data, metadata = self.figure.bundle()
            self._picture.update(data, metadata=metadata, raw=True)

    def _ipython_display_(self):
        from IPython.display import display
        view, metadata = self.controls._repr_mimebundle_(), {}
        view["text/plain"] = "(Run this cell in a live notebook, and the controls appear here.)"
        display(view, metadata=metadata, raw=True)
        data, metadata = ({"text/plain": self.problem}, {}) if self.figure is None \
            else self.figure.bundle()
        self._picture = display(data, metadata=metadata, raw=True, display_id=True)


def draw(method: Method, question: Question) -> plots.Figure:
    """The panel's figure: the image with the network's answer, the map, the map on the image."""
    model, image, y = question.model, question.image, question.y
    with torch.no_grad():
        p = torch.softmax(model(image)[0], 0)  # (K,)
    y = int(p.argmax()) if y is None else y
    answer = f"{model.class_names[int(p.argmax())]}, {p.max():.0%} sure"
    asked = "{}, channel {}".format(*question.neuron) if question.neuron \
        else f"why {model.class_names[y]}?"
    seen, on_image = method.draw(question._replace(y=y))
    return plots.show([plots.picture(image), seen, on_image], [answer, asked, "on the image"],
                      height=2.3)


def explain(error: Exception, student: dict) -> str:
    """A line on what went wrong, "your" function only where the error came through it."""
    passed = {frame.f_code for frame, _ in walk_tb(error.__traceback__)}
    names = [name for name, function in student.items() if passed & codes_of(function)]
    if names and isinstance(error, NotImplementedError) and not str(error):
        return unsolved(*names)
    if names:
        return f"Your {names[0]} raised {problem_of(error, student[names[0]])}."
    return f"No picture, for this went wrong: {type(error).__name__}: {error}"
