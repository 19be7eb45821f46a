"""The page that `make demo` draws: every picture it names is there, every score is a score."""

import re

import pytest
import torch

from cs_vis.grading import gallery


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gallery, "SHOWN", ("clock",))
        patch.setattr(gallery, "PHOTOGRAPHS", ("chelsea",))
        patch.delenv("CS_VIS_WEIGHTS", raising=False)
        return gallery.make_gallery(tmp_path_factory.mktemp("gallery"))


def test_every_picture_of_the_page_is_there_and_no_other(page):
    named = set(re.findall(r'src="([^"]+)"', page.read_text(encoding="utf-8")))
    assert named == {file.name for file in page.parent.iterdir()} - {"index.html"}
    assert len(named) == 1 + 3 * 7 + 6  # the sheet, a specimen on three networks, a photograph


def test_the_page_scores_each_method_beside_the_centre(page):
    text = page.read_text(encoding="utf-8")
    rows = re.findall(r"<tr><td>([^<]+)<td>([^<]*)<td>([\d.]+)<td>([\d.]+)", text)
    assert [row[0] for row in rows[:2]] == ["the image centre", "saliency"]
    assert len(rows) == 1 + 3 * 3
    assert all(0 <= float(value) <= 1 for row in rows for value in row[2:])
    assert len(re.findall(r"[✓✗] \d+%", text)) == 3 * 4 and len(re.findall(r"IoU 0\.\d\d", text)) == 3


def test_scores_say_hit_and_share():
    mask = torch.zeros(4, 4, dtype=torch.bool)
    mask[0] = True
    map = torch.zeros(4, 4)
    map[0, 0], map[2, 2] = 3.0, 1.0
    assert gallery.score(map, mask) == "✓ 75%"
    assert gallery.score(map.flip(0), mask) == "✗ 0%"
