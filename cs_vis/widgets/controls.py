"""The controls of a panel, for ipywidgets 7.7 and 8."""

from collections.abc import Mapping
from io import BytesIO

import ipywidgets
from PIL import Image, ImageOps

from ..images.sources import LARGEST
from .live import Choice, Range, by_name

WIDE = {"style": {"description_width": "110px"}, "layout": {"width": "340px"}}


class Menu(ipywidgets.Dropdown):
    """A drop-down list of things by name.

    Its value is a place in the list, for an option whose own value is None would count as no
    selection.
    """

    def __init__(self, description: str, options, name: str | None = None):
        super().__init__(description=description, **WIDE)
        self.things = {}
        self.offer(options, name)

    def offer(self, options, name: str | None = None) -> None:
        """Have these things to choose from; what was chosen stays so if it is among them."""
        self.things, before = by_name(options), self.label if name is None else name
        if not self.things:
            raise ValueError(f"{self.description}: options is empty, but a choice needs at least "
                             f"one")
        names = list(self.things)
        if [label for label, _ in self.options] != names:
            self.options = [(label, place) for place, label in enumerate(names)]
        self.value = names.index(before) if before in names else 0

    def choose(self, name: str) -> None:
        self.value = list(self.things).index(name)

    @property
    def chosen(self):
        return list(self.things.values())[self.value]


def control_of(name: str, spec):
    """The control of a Range, a Choice, True or False. Raises TypeError or ValueError."""
    if isinstance(spec, bool):
        return ipywidgets.Checkbox(value=spec, description=name, **WIDE)
    if isinstance(spec, Choice):
        return Menu(spec.words or name, spec.options, spec.value)
    if not isinstance(spec, Range):
        raise TypeError(f"controls[{name!r}]={spec!r} must be a Range, a Choice, True or False")
    if not spec.low <= spec.value <= spec.high:
        raise ValueError(f"controls[{name!r}] starts at {spec.value}, outside {spec.low} to "
                         f"{spec.high}: choose a value between")
    given = [spec.low, spec.high, spec.value, 1 if spec.step is None else spec.step]
    whole = all(isinstance(number, int) for number in given)
    slider = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    step = spec.step or (1 if whole else (spec.high - spec.low) / 100)
    return slider(value=spec.value, min=spec.low, max=spec.high, step=step,
                  description=spec.words or name, **WIDE)


def value_of(control):
    """What a control is set to."""
    return control.chosen if isinstance(control, Menu) else control.value


def uploaded(value) -> tuple[str, bytes] | None:
    """The newest file in a FileUpload's value: (name, content), or None."""
    if isinstance(value, Mapping):  # ipywidgets 7: name -> {"content": bytes, ...}
        value = [{"name": name, **file} for name, file in value.items()]
    return (value[-1]["name"], bytes(value[-1]["content"])) if value else None


def opaque(content: bytes):
    """The picture laid on white where it lets light through: a screenshot often does, and a
    button offers no other way. What cannot be read is for images.load to refuse."""
    try:
        picture = Image.open(BytesIO(content))
        if not picture.has_transparency_data or picture.width * picture.height > LARGEST:
            return content
        picture = ImageOps.exif_transpose(picture).convert("RGBA")
    except Exception:  # damaged files make Pillow raise nearly anything
        return content
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture).convert("RGB")
