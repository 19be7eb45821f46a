"""Sliders for the notebooks: one panel that runs the student's own functions.

The controls are ipywidgets; the picture beside them is an ordinary output that the controls
update, so a notebook read without a kernel still shows it. ipywidgets is imported only when a
panel is asked for; without it the picture comes alone, with a sentence.
"""

from collections.abc import Callable

import torch

from . import plots
from .exercise import unsolved
from .methods.occlusion import spread
from .methods.saliency import DeconvReLU, backprop, smooth, smooth_saliency
from .models import activations

CLASS_SCORE, ANSWER = "class score", "the network's answer"
PATCH, STRIDE = 24, 8  # pixels, for the panel's occlusion maps


def saliency_panel(models: dict, images: dict, *, compute_saliency_maps: Callable | None = None,
                   occlusion_map: Callable | None = None, GuidedReLU: type | None = None,
                   segment_by_saliency: Callable | None = None):
    """A panel that explains one image by one method, for a class or for a neuron of any layer.

    models: name -> network. images: name -> image (1, 3, H, W) in [0, 1], on the networks'
    device. The four functions are the exercises' answers: a method is offered where its function
    is given. Returns a `SaliencyPanel`, or, without ipywidgets, its first picture.
    """
    if not models or not images:
        raise ValueError(f"models has {len(models)} entries and images {len(images)}: the panel "
                         f"needs at least one of each, as dictionaries name -> network, image")
    methods = _methods(compute_saliency_maps, occlusion_map, GuidedReLU, segment_by_saliency)
    if not methods:
        raise ValueError("no method to offer: pass at least one of compute_saliency_maps, "
                         "occlusion_map, GuidedReLU, segment_by_saliency")
    try:
        import ipywidgets
    except ImportError:
        print("The sliders need ipywidgets: `pip install ipywidgets`, then restart the kernel. "
              "Here is the picture they would start with.")
        model, image = next(iter(models.values())), next(iter(images.values()))
        return draw(model, image, next(iter(methods.values())))
    return SaliencyPanel(ipywidgets, models, images, methods)


class SaliencyPanel:
    """The controls, one attribute each, and `plate`, the figure they last drew."""

    def __init__(self, ipywidgets, models: dict, images: dict, methods: dict):
        wide = {"style": {"description_width": "70px"}, "layout": {"width": "300px"}}
        self._models, self._images, self._methods = models, images, methods
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
        self.plate, self._picture = None, None
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
        self.layer.disabled = self.method.value == "occlusion"
        named = CLASS_SCORE if self.layer.disabled else self.layer.value
        self.y.disabled, self.channel.disabled = named != CLASS_SCORE, named == CLASS_SCORE
        neuron = None if named == CLASS_SCORE else (named, self.channel.value)
        self.message.value = ""
        try:
            self.plate = draw(self._models[self.model.value], self._images[self.image.value],
                              self._methods[self.method.value], y=self.y.value, neuron=neuron,
                              sigma=self.smoothing.value)
        except NotImplementedError as error:
            self.message.value = str(error) or unsolved(self.method.value)
        except Exception as error:  # whatever the student's function raises belongs to the reader
            self.message.value = f"Your function raised {type(error).__name__}: {error}"
        if self._picture is not None and self.plate is not None:
            data, metadata = self.plate.bundle()
            self._picture.update(data, metadata=metadata, raw=True)

    def _ipython_display_(self):
        from IPython.display import display
        view, metadata = self.controls._repr_mimebundle_(), {}
        view["text/plain"] = "(Run this cell in a live notebook, and the controls appear here.)"
        display(view, metadata=metadata, raw=True)
        data, metadata = ({"text/plain": self.message.value}, {}) if self.plate is None \
            else self.plate.bundle()
        self._picture = display(data, metadata=metadata, raw=True, display_id=True)


def draw(model, image, method: Callable, *, y: int | None = None, neuron=None,
         sigma: float = 1.0) -> plots.Plate:
    """The panel's figure: the image with the network's answer, the map, the map on the image.

    y: the class asked for, by default the network's answer. neuron: (layer, channel) instead.
    """
    with torch.no_grad():
        p = torch.softmax(model(image)[0], 0)  # (K,)
    y = int(p.argmax()) if y is None else y
    answer = f"{model.class_names[int(p.argmax())]}, {p.max():.0%} sure"
    asked = "{}, channel {}".format(*neuron) if neuron else f"why {model.class_names[y]}?"
    seen, on_image = method(model, image, y, neuron, sigma)
    return plots.show([plots.picture(image), seen, on_image], [answer, asked, "on the image"],
                      height=2.3)


# ---- the methods: (model, image, y, neuron, sigma) -> (panel, panel on the image) -------------

def _methods(compute_saliency_maps, occlusion_map, GuidedReLU, segment_by_saliency) -> dict:
    def saliency_map(model, image, y, neuron):  # (1, H, W)
        if neuron is not None:  # the exercise asks for classes only
            return backprop(model, image, neuron[1:], layer=neuron[0]).abs().amax(1)
        return compute_saliency_maps(image, torch.tensor([y], device=image.device), model)

    def saliency(model, image, y, neuron, sigma):
        maps = smooth(saliency_map(model, image, y, neuron), sigma)
        return plots.grey(maps[0]), plots.heat(image, maps[0])

    def smoothed(model, image, y, neuron, sigma):
        def step(X, _, model):
            return torch.cat([saliency_map(model, x[None], y, neuron) for x in X])
        maps = smooth_saliency(image, torch.tensor([y], device=image.device), model, step,
                               samples=8, sigma=0.05,
                               generator=torch.Generator(image.device).manual_seed(0))
        maps = smooth(maps, sigma)
        return plots.grey(maps[0]), plots.heat(image, maps[0])

    def through(relu):
        def method(model, image, y, neuron, sigma):
            target, layer = (y, None) if neuron is None else (neuron[1:], neuron[0])
            gradient = backprop(model, image, target, layer=layer, relu=relu)
            return (plots.signed(gradient),
                    plots.heat(image, smooth(gradient.abs().amax(1), sigma)[0]))
        return method

    def occlusion(model, image, y, neuron, sigma):
        p = occlusion_map(image, y, model, PATCH, STRIDE)  # (rows, cols)
        with torch.no_grad():
            whole = torch.softmax(model(image)[0], 0)[y]
        drop = spread((whole - p).clamp(min=0), image.shape[-2:], PATCH, STRIDE)
        return plots.coloured(p), plots.heat(image, drop)

    def segmentation(model, image, y, neuron, sigma):
        found = saliency_map(model, image, y, neuron)[0]
        mask = segment_by_saliency(image, found)
        return plots.outlined(image, mask), plots.cut_out(image, mask)

    offered = {}
    if compute_saliency_maps is not None:
        offered |= {"saliency": saliency, "smoothed saliency": smoothed}
    if GuidedReLU is not None:
        offered |= {"guided backprop": through(GuidedReLU), "deconvnet": through(DeconvReLU)}
    if occlusion_map is not None:
        offered |= {"occlusion": occlusion}
    if segment_by_saliency is not None and compute_saliency_maps is not None:
        offered |= {"segmentation": segmentation}
    return offered
