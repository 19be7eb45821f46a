"""The picture of a panel: frames as JPEG bytes, each sent only after the last has arrived."""

import time
from html import escape
from io import BytesIO

import ipywidgets
import numpy as np
from IPython.display import display
from PIL import Image

from .. import plots

MOST = 15        # frames a second
PATIENCE = 2.0   # seconds to wait for word from the browser, where none may be there
GONE = 30.0      # seconds without such word after which nobody is looking
SIDE = 384       # pixels of a picture's longer side on the page

# While the controls live, the picture that a saved page needs is hidden; where they are gone, the
# place that would say "Error displaying widget" is.
HINT = """<style>
.jp-OutputArea:has(.cs-vis-panel) .jp-RenderedImage {{ display: none }}
.jp-OutputArea:has(.cs-vis-panel) .cs-vis-hint {{ display: none }}
.jp-OutputArea:has(.cs-vis-panel) .cs-vis-still {{ display: none }}
.jp-OutputArea:has(.cs-vis-hint):not(:has(.cs-vis-panel))
  .jp-OutputArea-child:has(.jupyter-widgets) {{ display: none }}
</style><p class="cs-vis-hint">{}</p>"""
AGAIN = "Run this cell, and the controls appear."


class Screen:
    """Shows pictures and figures, drops the frames that the browser has no time for, and keeps
    the last one in the notebook, where it is seen without a kernel."""

    def __init__(self):
        self.image = ipywidgets.Image(format="jpeg")
        self.page = ipywidgets.HTML()  # in the image's place, for what is drawn as HTML
        self.sent, self.seen = ipywidgets.IntText(0), ipywidgets.IntText(0)
        # The browser copies the number of the frame it has: word that it has arrived.
        self.word = ipywidgets.jsdlink((self.sent, "value"), (self.seen, "value"))
        self.at = self.heard = time.monotonic()
        self.drawn = None   # the picture or figure that is shown
        self.frame = None   # the same as (bytes, format, width on the page)
        self.still = None   # the handle of the picture that stays in the notebook
        self.seen.observe(self._arrived, names="value")

    def _arrived(self, change) -> None:
        self.heard = time.monotonic()

    def free(self) -> bool:
        """Is it time for a frame, and has the last arrived? Else it is dropped."""
        waited = time.monotonic() - self.at
        arrived = self.seen.value == self.sent.value
        return waited > 1 / MOST and (arrived or waited > PATIENCE)

    def unwatched(self) -> bool:
        """Has the browser, which had answered before, been silent for long?"""
        silent = self.seen.value != self.sent.value and time.monotonic() - self.heard > GONE
        return silent and self.seen.value > 0

    def show(self, drawn) -> None:
        """Send a picture or a figure, and remember it."""
        self.drawn, self.frame = drawn, frame_of(drawn)
        data, kind, width = self.frame
        self.page.value = data.decode() if kind == "html" else ""
        if kind != "html":
            self.image.format, self.image.value = kind, data
            self.image.layout.width, self.image.layout.max_width = f"{width}px", "100%"
        self.image.layout.display = "none" if kind == "html" else ""
        self.at = time.monotonic()
        self.sent.value += 1

    def clear(self) -> None:
        """Take away a picture that no longer fits what the controls say."""
        self.drawn = self.frame = None
        self.image.layout.display = "none"
        self.page.value = ""

    def keep(self, words: str) -> None:
        """Put what is shown, or else the words, where the notebook keeps it."""
        if self.still is not None:
            data, about = self._bundle(words)
            self.still.update(data, metadata=about, raw=True)

    def display(self, words: str) -> None:
        """Make the outputs for which no kernel is needed."""
        data, about = self._bundle(words)
        self.still = display(data, metadata=about, raw=True, display_id=True)
        display({"text/html": HINT.format(AGAIN), "text/plain": f"({AGAIN})"}, raw=True)

    def _bundle(self, words):
        if self.frame is None:  # with the hint's name, for the live panel says it, too
            line = f'<p class="cs-vis-hint">{escape(words)}</p>'
            return {"text/html": line, "text/plain": words}, {}
        data, kind, width = self.frame
        words = getattr(self.drawn, "alt", words)
        if kind == "html":
            still = f'<div class="cs-vis-still">{data.decode()}</div>'
            return {"text/html": still, "text/plain": f"<{words}>"}, {}
        return ({f"image/{kind}": data, "text/plain": f"<{words}>"},
                {f"image/{kind}": {"width": width, "alt": words}})


def frame_of(drawn) -> tuple[bytes, str, int]:
    """The bytes of a picture, figure or map, their format, and the width on the page in pixels."""
    if isinstance(drawn, plots.PictureMap):
        return drawn.page.encode(), "html", drawn.width
    if isinstance(drawn, plots.Figure):
        (data, *_), (about, *_) = (part.items() for part in drawn.bundle())
        return data[1], data[0].split("/")[1], about[1]["width"]
    pixels = np.round(plots.picture(drawn).pixels * 255).astype(np.uint8)  # (H, W, 3)
    file = BytesIO()
    Image.fromarray(pixels).save(file, "jpeg", quality=90, subsampling=0)
    height, width = pixels.shape[:2]
    return file.getvalue(), "jpeg", max(width, round(SIDE * width / max(height, width)))
