"""The live panel in a real kernel, with ipywidgets 8 and with the 7.7 that Colab ships."""

import io
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from page import Page

VERSIONS = {"7": "7.7.1", "8": ""}


@pytest.fixture(scope="session")
def old_widgets(tmp_path_factory):
    """A folder with ipywidgets 7.7.1, to be put on the path before the one that is installed."""
    folder = tmp_path_factory.mktemp("ipywidgets7")
    got = subprocess.run([sys.executable, "-m", "pip", "install", "--no-deps", "-q", "--target",
                          folder, "ipywidgets==7.7.1", "ipython_genutils==0.2.0"],
                         capture_output=True, text=True)
    if got.returncode:
        pytest.skip(f"ipywidgets 7.7.1 cannot be fetched here: {got.stderr.strip()[-200:]}")
    return folder


@pytest.fixture(scope="module", params=VERSIONS)
def kernel(request, tmp_path_factory):
    """A kernel for all tests with one version, for it takes seconds to start."""
    path = request.getfixturevalue("old_widgets") if request.param == "7" else ""
    page = Page(tmp_path_factory.mktemp("page"), path=path)
    assert page.run("import ipywidgets; print(ipywidgets.__version__)").startswith(request.param)
    yield page
    page.close()


@pytest.fixture
def page(kernel):
    yield kernel
    kernel.answers = True
    kernel.move(kernel.named("panel"), _view_count=0)
    kernel.wait(timeout=0.2)
    kernel.frames.clear()


PLAY = """
import time, torch
from cs_vis.widgets import Range, play
steps = []
def brighten(image, *, rate):
    steps.append(rate)
    time.sleep(0.02)
    return (image + rate / 1000).clamp(0, 1), image.mean()
panel = play(brighten, {"grey": torch.full((1, 3, 16, 16), 0.5),
                        "dark": torch.zeros(1, 3, 16, 16)},
             {"rate": Range(0, 10, 1)}, objective="mean", exercises=(brighten,))
panel
"""

ASK = """
import time, torch
from cs_vis import plots
from cs_vis.widgets import Range, ask
def blurred(image, *, grey):
    for size in (1, 2):
        time.sleep(0.3)
        yield plots.picture(torch.full((1, 3, 16, 16), grey * size / 20))
ask(blurred, torch.rand(1, 3, 16, 16), {"grey": Range(0, 10, 1)}, exercises=(blurred,))
"""


def shade(frame):
    """The grey of a frame, 0 to 1."""
    return np.asarray(Image.open(io.BytesIO(frame))).mean() / 255


def count(page):
    return int(page.run("print(len(steps))"))


def look_at(page):
    """What a page says when it shows the panel's box."""
    page.move(page.named("panel"), _view_count=1)


def test_a_cell_ends_in_controls_a_picture_and_a_line_for_those_without_a_kernel(page):
    page.run(PLAY)
    assert page.printed == ""
    (_, view), (_, still), (_, hint) = page.shown
    assert "application/vnd.jupyter.widget-view+json" in view["data"]
    assert set(still["data"]) == {"image/jpeg", "text/plain"} and still["transient"]["display_id"]
    assert hint["data"]["text/plain"] == "(Run this cell, and the controls appear.)"


def test_play_takes_steps_until_pause(page):
    page.run(PLAY)
    look_at(page)
    page.press(page.find("ButtonModel", "play"))
    assert page.wait(lambda m: len(page.frames) > 4)
    assert page.state("ButtonModel", "pause")
    page.press(page.find("ButtonModel", "pause"))
    page.wait(lambda m: any(s.get("description") == "play" for s in page.widgets.values()))
    before = count(page)
    assert before > 4
    page.wait(timeout=0.5)
    assert count(page) == before
    assert f"step {before}, " in page.chart and "mean: 0.5 at first" in page.chart


def test_a_slider_acts_at_the_next_step_and_the_kernel_answers_meanwhile(page):
    page.run(PLAY)
    look_at(page)
    page.press(page.find("ButtonModel", "play"))
    page.wait(lambda m: len(page.frames) > 2)
    page.move(page.find("IntSliderModel", "rate"), value=7)
    page.wait(timeout=0.5)
    start = time.monotonic()
    assert page.run("print(6 * 7)") == "42\n"
    assert time.monotonic() - start < 2
    rates = eval(page.run("print(steps)"))
    assert rates[0] == 1 and rates[-1] == 7 and sorted(rates) == rates  # no restart between


def test_frames_are_dropped_and_never_queued_where_the_page_gives_no_word(page):
    page.answers = False
    page.run(PLAY)
    look_at(page)
    page.frames.clear()
    page.press(page.find("ButtonModel", "play"))
    page.wait(timeout=3)
    assert count(page) > 20 and len(page.frames) <= 3


def test_closing_the_output_stops_the_work(page):
    page.run(PLAY)
    look_at(page)
    page.press(page.find("ButtonModel", "play"))
    page.wait(lambda m: len(page.frames) > 2)
    page.move(page.named("panel"), _view_count=0)
    page.wait(timeout=0.5)
    before = count(page)
    page.wait(timeout=0.5)
    assert count(page) == before


def test_step_reset_and_another_picture(page):
    page.run(PLAY)
    look_at(page)
    step, reset = page.find("ButtonModel", "step"), page.find("ButtonModel", "reset")
    for _ in range(3):
        page.press(step)
    page.wait(lambda m: page.chart.startswith("<div>step 3"))
    page.press(reset)
    page.wait(lambda m: page.chart.startswith("<div>step 0"))
    assert shade(page.frames[-1][1]) == pytest.approx(0.5, abs=0.01)
    page.move(page.find("DropdownModel", "picture"), index=1)
    page.wait(lambda m: shade(page.frames[-1][1]) < 0.1)
    assert shade(page.frames[-1][1]) == pytest.approx(0, abs=0.01)


def test_an_error_is_one_line_that_stops_the_run_and_clears_the_picture(page):
    page.run(PLAY.replace("time.sleep(0.02)", "image = image + (nothing if rate > 5 else 0)"))
    look_at(page)
    page.press(page.find("ButtonModel", "play"))
    page.wait(lambda m: len(page.frames) > 2)
    page.move(page.find("IntSliderModel", "rate"), value=7)
    page.wait(lambda m: page.message)
    assert page.message.startswith(
        "✗ Your brighten raised NameError (name &#x27;nothing&#x27; is not defined) in line 6: "
        "image = image + (nothing if rate")
    picture = page.state("ImageModel")
    layout = page.widgets[picture["layout"].removeprefix("IPY_MODEL_")]
    assert page.wait(lambda m: layout["display"] == "none")
    before = count(page)
    page.wait(timeout=0.5)
    assert count(page) == before
    page.run("def brighten(image, *, rate):\n    steps.append(0); return image * 0, 0")
    page.wait(lambda m: not page.message)  # picked up, without touching the panel
    page.press(page.find("ButtonModel", "step"))
    page.wait(lambda m: shade(page.frames[-1][1]) < 0.1)
    assert shade(page.frames[-1][1]) == pytest.approx(0, abs=0.01)


def test_a_slow_answer_shows_what_it_has_and_the_last_value_wins(page):
    page.run(ASK)
    look_at(page)
    slider = page.find("IntSliderModel", "grey")
    page.frames.clear()
    for value in range(2, 9):  # dragged
        page.move(slider, value=value)
    page.wait(lambda m: page.frames and shade(page.frames[-1][1]) > 0.75)
    shades = [shade(frame) for _, frame in page.frames]
    assert shades[-2:] == pytest.approx([0.4, 0.8], abs=0.01)  # rough, then fine, of the last
    assert len(shades) <= 4  # what lay between was not drawn


def test_an_answer_that_is_mended_is_picked_up_without_touching_the_panel(page):
    page.run(ASK.replace("yield plots", "raise NotImplementedError\n        yield plots"))
    assert page.message.startswith("○ Solve the exercise above first: this part runs your "
                                       "blurred.")
    look_at(page)
    page.frames.clear()
    page.run(ASK[:ASK.index("ask(blurred")])
    assert page.wait(lambda m: page.frames and not page.message)


def test_a_picture_of_the_reader_s_own_joins_the_menu(page):
    page.run(PLAY)
    look_at(page)
    file = io.BytesIO()
    Image.new("RGB", (40, 20), (255, 255, 255)).save(file, "png")
    upload(page, "cat.png", file.getvalue())
    page.wait(lambda m: page.frames and shade(page.frames[-1][1]) > 0.9)
    assert shade(page.frames[-1][1]) == pytest.approx(1, abs=0.01)
    assert page.state("DropdownModel", "picture")["_options_labels"][-1] == "cat.png"
    upload(page, "no.png", b"no picture", number=2)
    page.wait(lambda m: "no.png" in page.message)
    assert "✗ no.png is not a picture that can be read" in page.message


def test_a_picture_that_lets_light_through_is_laid_on_white(page):
    page.run(PLAY)
    look_at(page)
    file = io.BytesIO()
    Image.new("RGBA", (40, 20), (0, 0, 0, 51)).save(file, "png")
    upload(page, "screen.png", file.getvalue(), number=3)
    page.wait(lambda m: page.frames and shade(page.frames[-1][1]) > 0.7)
    assert shade(page.frames[-1][1]) == pytest.approx(0.8, abs=0.01) and page.message == ""


def test_nothing_can_be_saved_while_another_picture_is_on_its_way(page):
    page.run(ASK)
    look_at(page)
    save = page.find("ButtonModel", "save")
    page.frames.clear()
    page.move(page.find("IntSliderModel", "grey"), value=8)
    assert page.wait(lambda m: page.widgets[save]["disabled"])
    assert page.wait(lambda m: not page.widgets[save]["disabled"])
    assert shade(page.frames[-1][1]) == pytest.approx(0.8, abs=0.01)


def upload(page, name, content, number=1):
    """What the page sends when a file is chosen; the two versions of ipywidgets differ."""
    chooser = page.find("FileUploadModel")
    about = {"name": name, "type": "image/png", "size": len(content), "last_modified": 0}
    if "data" in page.widgets[chooser]:  # ipywidgets 7
        state, paths = {"metadata": [about], "data": [None], "_counter": number}, [["data", 0]]
    else:
        state, paths = {"value": [about]}, [["value", 0, "content"]]
    page.send(chooser, {"method": "update", "state": state, "buffer_paths": paths}, [content])


def test_save_writes_beside_the_notebook_under_a_free_name(page):
    page.run(PLAY)
    (page.folder / "panel-1.jpeg").write_bytes(b"mine")
    page.press(page.find("ButtonModel", "save"))
    page.wait(lambda m: "Saved" in page.message)
    assert page.message == "Saved as panel-2.jpeg, beside the notebook."
    assert (page.folder / "panel-1.jpeg").read_bytes() == b"mine"
    assert shade((page.folder / "panel-2.jpeg").read_bytes()) == pytest.approx(0.5, abs=0.01)
