"""Videos in and out, as MP4 files: frames are pictures (1, 3, H, W) in [0, 1], one after another.

Frames are written and read one at a time, so a video may be longer than memory. PyAV does the
coding (H.264, which every browser plays).
"""

import os
import tempfile
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import torch

from ..require import SMALLEST, require_number, require_path, require_whole, shown
from . import to_numpy

QUALITY = 23  # the constant rate factor of x264: 0 loses nothing, 51 is the smallest file
FASTEST = 240  # frames a second


class About(NamedTuple):
    """What a video is made of."""
    frames: int
    fps: float
    height: int
    width: int


def write(path, frames: Iterable, *, fps: int = 24, quality: int = QUALITY) -> None:
    """Write the frames, (1, 3, H, W) or (3, H, W) in [0, 1], as an MP4 file of `fps` a second.

    path: ends in .mp4, or a file object open for bytes that can seek. frames may be a generator,
    with notebook.progress around it for a bar. H.264 wants even sides: of odd ones the last row
    or column comes twice. quality: x264's rate factor, 0 (best) to 51. The file appears when the
    last frame is in; after an error or an interrupt what was there before is there still.
    Raises ValueError or TypeError for no frame, frames of two sizes, and numbers out of range.
    """
    require_whole(fps=fps, quality=quality)
    require_number("fps", fps, 1, FASTEST)
    require_number("quality", quality, 0, 51)
    if hasattr(path, "write"):
        return encode(path, frames, fps, quality)
    path = require_mp4(path)
    handle, unfinished = tempfile.mkstemp(suffix=".mp4", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            encode(file, frames, fps, quality)
        os.chmod(unfinished, 0o644)  # as any new file; mkstemp makes one for nobody else
        os.replace(unfinished, path)
    finally:
        Path(unfinished).unlink(missing_ok=True)


def require_mp4(path) -> Path:
    """Refuse a path that does not end in .mp4, or whose folder is not there."""
    require_path(path)
    path = Path(path)
    if path.suffix.lower() != ".mp4":
        raise ValueError(f"path={str(path)!r} must end in .mp4, the one format of our videos")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"path={str(path)!r}: there is no folder {str(path.parent)!r}; "
                                f"make it first, or name another")
    return path


def encode(file, frames, fps, quality) -> None:
    """The frames into an open file, which they leave only when all of them are coded."""
    pictures = map(to_numpy, require_frames(frames))  # (H, W, 3) each
    first = next(pictures, None)
    if first is None:
        raise ValueError("frames is empty: a video needs a picture (1, 3, H, W) at least")
    if min(first.shape[:2]) < SMALLEST:
        raise ValueError(f"frames[0] is {first.shape[0]} x {first.shape[1]} pixels, but no side "
                         f"may be below {SMALLEST}; enlarge the pictures")
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.height, stream.width = (side + side % 2 for side in first.shape[:2])
        stream.pix_fmt = "yuv420p"  # the one colour format that every browser plays
        stream.options = {"crf": str(quality)}
        for number, picture in enumerate(chain([first], pictures)):
            if picture.shape != first.shape:
                raise ValueError(f"frames[{number}] is {picture.shape[0]} x {picture.shape[1]} "
                                 f"pixels and frames[0] {first.shape[0]} x {first.shape[1]}: "
                                 f"bring all to one size, images.fit(frame, (H, W))")
            container.mux(stream.encode(av.VideoFrame.from_ndarray(even_bytes(picture), "rgb24")))
        container.mux(stream.encode())  # what the coder still holds


def require_frames(frames) -> Iterable:
    """Refuse what is no row of pictures."""
    if isinstance(frames, (str, bytes)) or not isinstance(frames, Iterable) or (
            getattr(frames, "ndim", 1) == 0):
        raise TypeError(f"frames={shown(frames)} must be pictures (1, 3, H, W) one after another, "
                        f"in a list or from a generator")
    return frames


def even_bytes(picture: np.ndarray) -> np.ndarray:
    """(H, W, 3) floats to bytes with even sides."""
    height, width = picture.shape[:2]
    whole = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
    return (whole * 255).round().astype(np.uint8)


def read(path) -> Iterator[torch.Tensor]:
    """The frames of a video, (1, 3, H, W) in [0, 1] each, decoded one at a time.

    path: of a file, or a file object open for bytes.
    Raises FileNotFoundError or ValueError for what is no video, before the first frame.
    """
    container = opened(path)

    def frames():
        with container:
            for frame in container.decode(video=0):
                pixels = torch.from_numpy(frame.to_ndarray(format="rgb24"))  # (H, W, 3)
                yield pixels.permute(2, 0, 1)[None].float() / 255  # (1, 3, H, W)
    return frames()


def about(path) -> About:
    """How many frames a video has, how many a second, and their size. Raises as `read`."""
    with opened(path) as container:
        stream = container.streams.video[0]
        # Some containers do not say how many they hold: then they are counted.
        count = stream.frames or sum(1 for _ in container.decode(video=0))
        return About(count, float(stream.average_rate), stream.height, stream.width)


def opened(path):
    """The open container of a video; refuse what holds no pictures."""
    source = path if hasattr(path, "read") else str(require_file(path))
    try:
        container = av.open(source)
    except av.FFmpegError as error:
        raise ValueError(f"path={str(path)!r} cannot be read as a video ({error.strerror}); give "
                         f"an MP4, WebM, MOV or AVI file") from None
    if not container.streams.video:
        container.close()
        raise ValueError(f"path={str(path)!r} has sound and no pictures; give a video")
    return container


def require_file(path) -> Path:
    """Refuse a path where there is no file."""
    require_path(path)
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"path={str(path)!r} is no file; give the path of a video "
                                f"(the current folder is {Path.cwd()})")
    return path
