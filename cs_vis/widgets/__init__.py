"""Sliders for the notebooks: `ask` and `play` make a panel of any function; topics add theirs."""

from importlib import import_module
from importlib.util import find_spec

from ..course import assignments, topic
from .live import Choice, Range, ask, play

__all__ = ["Choice", "Range", "ask", "play"]
for _name in assignments():
    if find_spec(f"{__name__}.{topic(_name)}"):  # not every notebook has a panel of its own
        _home = import_module(f".{topic(_name)}", __name__)
        globals().update({name: getattr(_home, name) for name in _home.__all__})
        __all__ += _home.__all__
