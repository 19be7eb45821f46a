"""Videos: what is written is what is read, and nothing is lost on the way."""

import io
import re
from base64 import b64decode

import numpy as np
import pytest
import torch

from cs_vis import plots
from cs_vis.images import video


def moving(count=6, height=32, width=48):
    """A bright bar that moves to the right over a slope of colours."""
    slope = torch.linspace(0.1, 0.6, width).expand(height, width)
    for number in range(count):
        frame = torch.stack([slope, slope.flip(1), torch.full_like(slope, 0.3)])[None]
        frame[..., 4 * number:4 * number + 8] = 0.9
        yield frame


def test_what_is_read_is_what_was_written(tmp_path):
    video.write(tmp_path / "bar.mp4", moving(), fps=10, quality=10)
    frames = list(video.read(tmp_path / "bar.mp4"))
    assert video.about(tmp_path / "bar.mp4") == (6, 10.0, 32, 48)
    assert len(frames) == 6
    for frame, wanted in zip(frames, moving()):
        assert frame.shape == wanted.shape and frame.dtype == torch.float32
        assert (frame - wanted).abs().mean() < 0.02  # colours at half the resolution lose a little
        assert frame.min() >= 0 and frame.max() <= 1


def test_odd_sides_are_made_even_by_their_last_row_and_column(tmp_path):
    video.write(tmp_path / "odd.mp4", (frame[0] for frame in moving(3, 33, 47)), quality=10)
    assert video.about(tmp_path / "odd.mp4")[2:] == (34, 48)
    last = list(video.read(tmp_path / "odd.mp4"))[-1]
    assert (last[..., -1, :] - last[..., -2, :]).abs().mean() < 0.02


def test_frames_are_taken_one_at_a_time():
    """A long video does not have to fit into memory: no frame is asked for before its turn."""
    alive, most = 0, 0

    class Counted:
        def __init__(self):
            nonlocal alive, most
            alive, most = alive + 1, max(most, alive + 1)

        def __del__(self):
            nonlocal alive
            alive -= 1

    def frames():
        for frame in moving(40):
            frame.counted = Counted()
            yield frame
            del frame
    video.write(io.BytesIO(), frames())
    assert most <= 3


@pytest.mark.parametrize("error", [RuntimeError("no more"), KeyboardInterrupt()])
def test_an_error_half_way_leaves_what_was_there(tmp_path, error):
    def broken():
        yield from moving(3)
        raise error
    kept = tmp_path / "kept.mp4"
    video.write(kept, moving(2))
    before = kept.read_bytes()
    with pytest.raises(type(error)):
        video.write(kept, broken())
    assert kept.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["kept.mp4"]


def test_what_is_refused(tmp_path):
    good, path = list(moving(2)), tmp_path / "a.mp4"
    with pytest.raises(ValueError, match="frames is empty"):
        video.write(path, [])
    with pytest.raises(ValueError, match=r"frames\[1\] is 32 x 40 .* images.fit"):
        video.write(path, [good[0], good[1][..., :40]])
    with pytest.raises(ValueError, match="must end in .mp4"):
        video.write(tmp_path / "a.gif", good)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        video.write(tmp_path / "none" / "a.mp4", good)
    with pytest.raises(ValueError, match="fps"):
        video.write(path, good, fps=0)
    with pytest.raises(ValueError, match="quality"):
        video.write(path, good, quality=52)
    with pytest.raises(TypeError, match="image"):
        video.write(path, [(good[0] * 255).byte()])
    with pytest.raises(FileNotFoundError, match="is no file"):
        video.read(path)
    path.write_text("no video")
    with pytest.raises(ValueError, match="cannot be read as a video"):
        video.read(path)
    with pytest.raises(TypeError, match="path of a file"):
        video.about(3)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.mp4"]


def test_a_cell_shows_it_with_a_player(tmp_path):
    shown = plots.video(moving(), fps=12, alt="a bar that <moves>")
    html = shown._repr_html_()
    data = b64decode(re.search(r"base64,([^\"]+)", html)[1])
    (tmp_path / "again.mp4").write_bytes(data)
    assert video.about(tmp_path / "again.mp4") == (6, 12.0, 32, 48)
    assert 'width="48"' in html and "a bar that &lt;moves&gt;" in html and "controls" in html
    assert repr(shown) == "<a bar that <moves>>"
    stored = plots.video(tmp_path / "again.mp4", width=96)
    assert stored.data == data and 'width="96"' in stored._repr_html_()


def test_a_video_too_large_for_a_notebook_is_refused(monkeypatch):
    monkeypatch.setattr("cs_vis.plots.moving.LARGEST", 1000)
    with pytest.raises(ValueError, match="the most that a notebook takes"):
        plots.video(moving())


def test_a_width_of_nothing_is_refused():
    with pytest.raises(ValueError, match="width"):
        plots.video(moving(), width=0)


def test_the_same_frames_give_the_same_bytes():
    files = [io.BytesIO(), io.BytesIO()]
    for file in files:
        video.write(file, moving())
    assert np.array_equal(*(np.frombuffer(file.getvalue(), np.uint8) for file in files))
