"""The running cell of a notebook, and an output of it that changes."""

import sys
from collections.abc import Callable


def in_notebook() -> bool:
    """Does this run in a Jupyter kernel, whose outputs can change?"""
    ipython = sys.modules.get("IPython")
    shell = ipython and ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None


def output() -> Callable | None:
    """A new, empty output of the cell, None outside a notebook.

    Call it with data by MIME type, and metadata, to put them in the place of what it shows; what
    it shows last is saved, and {} leaves nothing.
    """
    if not in_notebook():
        return None
    from IPython.display import display
    place = display({}, raw=True, display_id=True)

    def show(data: dict, metadata: dict | None = None) -> None:
        place.update(data, metadata=metadata or {}, raw=True)
    return show
