"""The page that `make demo` draws: it says what is to be seen, and everything it names is there."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cs_vis.grading import gallery
from cs_vis.grading.page import Seen, percent, store

NETWORKS = ["robust", "ordinary", "untrained"]
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Elements(HTMLParser):
    """The elements of a page in order: (tag, attributes, its text), and what was left open."""

    def __init__(self, text):
        super().__init__()
        self.all, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.all.append([tag, dict(attributes), ""])
        if tag not in VOID:
            self.open.append((tag, self.all[-1]))

    def handle_endtag(self, tag):
        opened, _ = self.open.pop()
        assert opened == tag, f"</{tag}> closes <{opened}>"

    def handle_data(self, data):
        for _, element in self.open:
            element[2] += data

    def of(self, tag, **wanted):
        return [(attributes, " ".join(text.split())) for name, attributes, text in self.all
                if name == tag and wanted.items() <= attributes.items()]


def draw(folder, patch, scores):
    """The page with one specimen, one photograph and the two networks that always answer."""
    patch.setattr(gallery, "SHOWN", {"clock": "The hands & the rim <both>?"})
    patch.setattr(gallery, "PHOTOGRAPHS", {"chelsea": "cat"})
    patch.setattr(gallery, "score_table", scores)
    patch.delenv("CS_VIS_WEIGHTS", raising=False)
    return gallery.make_gallery(folder)


@pytest.fixture(scope="module")
def scores():
    return gallery.score_table(gallery.small_networks())


@pytest.fixture(scope="module")
def drawn(tmp_path_factory, scores):
    with pytest.MonkeyPatch.context() as patch:
        return draw(tmp_path_factory.mktemp("gallery"), patch, lambda networks: scores)


@pytest.fixture(scope="module")
def text(drawn):
    return drawn.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def elements(text):
    return Elements(text)


def test_every_picture_of_the_page_is_there_and_no_other(drawn, elements):
    named = {attributes["src"] for attributes, _ in elements.of("img")}
    assert named == {file.name for file in drawn.parent.iterdir()} - {"index.html"}
    # two files for each kind; a specimen by five methods on three networks; a photograph on two;
    # the committed ones
    assert len(named) == 24 * 2 + (1 + 3 * 5) + (1 + 2 * 5) + len(gallery.INSIDE | gallery.CHANGED)


def test_the_page_is_small(drawn):
    committed = {Path(file).name for file in gallery.INSIDE | gallery.CHANGED}
    sizes = {file.name: file.stat().st_size for file in drawn.parent.iterdir()}
    assert sum(size for name, size in sizes.items() if name not in committed) < 2_000_000
    assert all(sizes[name] < 300_000 for name in committed)


def test_every_picture_says_in_words_what_is_to_be_seen(elements):
    alts = [attributes["alt"] for attributes, _ in elements.of("img")]
    assert all(len(alt.split()) >= 3 and not re.search(r"\.\w+$|nan|None", alt) for alt in alts)
    wanted = (r"saliency map of the robust network for a clock: \d+\u00a0% of it lies on the "
              r"object, (and so does|but not) its strongest pixel")
    assert any(re.fullmatch(wanted, alt) for alt in alts)
    assert "guided backprop of the ordinary network for a photograph of a cat, asked why it is a " \
           "snail" in alts


def test_nothing_is_loaded_from_elsewhere(text):
    assert not re.search(r"https?:|//[a-z]|@import|url\(|<script|<link", text)


def test_every_element_is_closed_and_every_place_named_once(elements):
    assert elements.open == []
    ids = [attributes["id"] for _, attributes, _ in elements.all if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes, _ in elements.all:
        for key in ("aria-labelledby", "popovertarget"):
            assert attributes.get(key, ids[0]) in ids
        if attributes.get("href", "#").startswith("#"):
            assert attributes.get("href", f"#{ids[0]}")[1:] in ids


def test_it_fits_a_phone_and_a_dark_room(elements, text):
    view, = elements.of("meta", name="viewport")
    assert "width=device-width" in view[0]["content"]
    assert "prefers-color-scheme: dark" in text and "@media print" in text


def test_the_networks_are_rows_and_the_methods_columns(elements):
    rows = [words.split()[0] for attributes, words in elements.of("th", scope="row")]
    assert rows[:5] == [*NETWORKS, "image", "robust"]
    assert rows[-2:] == ["robust", "ordinary"]  # who answer for a photograph
    columns = [words for _, words in elements.of("th", scope="col")]
    assert columns[:5] == list(gallery.METHODS)


def test_every_map_enlarges_beside_its_picture(elements):
    buttons = {attributes["popovertarget"] for attributes, _ in elements.of("button", type="button")
               if attributes.get("class") == "zoom"}
    places = {attributes["id"] for attributes, _ in elements.of("div", popover="auto")}
    assert buttons == places and len(places) == 24 + (1 + 3 * 5) + (1 + 2 * 5)
    closing = elements.of("button", popovertargetaction="hide")
    assert {attributes["popovertarget"] for attributes, _ in closing} == places


def test_every_map_of_a_specimen_has_its_score(elements):
    cells = [words for attributes, words in elements.of("td") if "data-method" in attributes]
    specimen, photograph = cells[:15], cells[15:]
    assert len(photograph) == 10 and not any(re.search("[✓✗]", words) for words in photograph)
    for n, words in enumerate(specimen):
        wanted = r"(under )?\d+.% overlap$" if n % 5 == 4 else r"[✓✗] (under )?\d+.%$"
        assert re.search(wanted, words), words


def test_the_photograph_is_asked_at_the_notebooks_size(text):
    assert "What in it looks like a snail?" in text  # at 224 pixels the cat was a turtle


def test_what_the_page_says_of_the_scores_is_so(scores):
    guided, plain = scores["methods"]["guided backprop"], scores["methods"]["saliency"]
    assert guided["untrained"]["hits"] >= plain["ordinary"]["hits"]  # no fewer
    assert 0 <= guided["untrained"]["inside"] - scores["centre"]["inside"] < 0.05  # hardly more
    assert guided["robust"]["inside"] > guided["untrained"]["inside"] + 0.3  # far from it


def test_the_page_is_the_same_each_time(drawn, scores, tmp_path, monkeypatch):
    again = draw(tmp_path, monkeypatch, lambda networks: scores)
    for file in drawn.parent.iterdir():
        assert (again.parent / file.name).read_bytes() == file.read_bytes(), file.name


def test_words_are_escaped(text):
    assert "The hands &amp; the rim &lt;both&gt;?" in text


def scored(map):
    mask = torch.zeros(4, 4, dtype=torch.bool)
    mask[0] = True
    return gallery.scored(Seen("x", "saliency map"), map, mask)


def test_scores_say_hit_and_share():
    map = torch.zeros(4, 4)
    map[0, 0], map[2, 2] = 3.0, 1.0
    seen = scored(map)
    assert (seen.hit, seen.share, seen.chance) == (True, 0.75, 0.25)
    assert seen.alt.endswith("75\u00a0% of it lies on the object, and so does its strongest pixel")
    off = scored(map.flip(0))
    assert off.alt.endswith(": 0\u00a0% of it lies on the object, but not its strongest pixel")


def test_a_signed_map_counts_by_its_size_and_a_cut_out_by_its_overlap():
    gradient = torch.zeros(3, 4, 4)
    gradient[1, 0, 0], gradient[2, 2, 2] = -3.0, 1.0
    assert scored(gradient).share == 0.75
    cut = torch.zeros(4, 4, dtype=torch.bool)
    cut[:2] = True
    seen = scored(cut)
    assert (seen.hit, seen.share, seen.chance) == (None, 0.5, None)
    assert seen.alt.endswith("50\u00a0% overlap with it")


def test_percent_stays_on_one_line():
    assert percent(0.614) == "61\u00a0%"
    assert percent(0.0) == "0\u00a0%" and percent(0.001) == "under 1\u00a0%"


def test_pictures_outside_the_range_are_clamped(tmp_path):
    store(tmp_path, "x", np.array([[[-1.0, 0.0, 2.0]] * 8] * 8))
    pixels = np.asarray(Image.open(tmp_path / "x.webp").convert("RGB")).astype(int)
    assert abs(pixels[4, 4] - [0, 0, 255]).max() < 25
