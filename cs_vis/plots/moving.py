"""A picture that moves: a video in a cell's output."""

from base64 import b64encode
from collections.abc import Iterable
from html import escape
from io import BytesIO
from pathlib import Path

from ..require import require_texts, require_whole

LARGEST = 1_500_000  # bytes: in a notebook, which has 2.5 MB, they take a third more


class Video:
    """An MP4 that Jupyter shows with a player's controls; it lies in the notebook itself."""

    def __init__(self, data: bytes, alt: str, width: int):
        self.data, self.alt, self.width = data, alt, width

    def _repr_html_(self) -> str:
        source = b64encode(self.data).decode()
        return (f'<video controls loop muted playsinline width="{self.width}" '
                f'aria-label="{escape(self.alt)}" '
                f'src="data:video/mp4;base64,{source}">{escape(self.alt)}</video>')

    def __repr__(self) -> str:
        return f"<{self.alt}>"


def video(source, *, fps: int = 24, width: int | None = None, alt: str = "video") -> Video:
    """A video to show: an MP4 file by its path, or frames (1, 3, H, W) in [0, 1] to make one of.

    fps: frames a second, of frames. width: on the page, in pixels; by default the video's own.
    alt: what a screen reader says. Raises what images.video raises, and ValueError above 1.5 MB,
    since the file becomes a part of the notebook.
    """
    from ..images import video as files  # here, for PyAV takes a while and few cells need it
    require_texts([alt], "alt")
    if isinstance(source, (str, Path)):
        own, data = files.about(source).width, Path(source).expanduser().read_bytes()
    else:
        own, data = encoded(source, fps)
    if len(data) > LARGEST:
        raise ValueError(f"source makes a video of {len(data) / 1e6:.1f} MB, and {LARGEST / 1e6:g}"
                         f" MB is the most that a notebook takes: fewer or smaller frames")
    width = own if width is None else width
    require_whole(width=width, at_least=1)
    return Video(data, alt, width)


def encoded(frames: Iterable, fps: int) -> tuple[int, bytes]:
    """Width and bytes of the MP4 that the frames make."""
    from ..images import video as files
    file = BytesIO()
    files.write(file, frames, fps=fps)
    file.seek(0)
    return files.about(file).width, file.getvalue()
