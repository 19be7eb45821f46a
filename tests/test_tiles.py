"""Many small pictures as one."""

import pytest
import torch

from cs_vis import plots
from cs_vis.plots.tiles import MARK


def test_tiles_lie_row_by_row_each_pixel_a_square():
    images = torch.rand(5, 3, 2, 4, generator=torch.Generator().manual_seed(0))
    page = torch.from_numpy(plots.tiles(images, 3, zoom=2, gap=1, note="scaled").pixels).float()
    assert page.shape == (2 * 6, 3 * 10, 3)
    for i, image in enumerate(images):
        row, col = i // 3 * 6, i % 3 * 10
        tile = page[row:row + 6, col:col + 10].permute(2, 0, 1)
        assert (tile[:, [0, -1]] == 1).all() and (tile[..., [0, -1]] == 1).all()
        for dr in (1, 2):
            torch.testing.assert_close(tile[:, dr:-1:2, dr:-1:2], image)
    assert (page[6:, 20:] == 1).all()  # no sixth


def test_maps_are_grey_clamped_and_one_is_framed():
    maps = torch.tensor([[[-1.0, 2.0]], [[0.25, 0.5]]])
    picture = plots.tiles(maps, 2, gap=1, marked=1, note="white: 1")
    page = torch.from_numpy(picture.pixels).float()
    assert picture.note == "white: 1" and page.shape == (3, 8, 3)
    assert page[1, 1:3, 0].tolist() == [0, 1] and page[1, 5:7, 2].tolist() == [0.25, 0.5]
    torch.testing.assert_close(page[0, 4], torch.tensor(MARK))
    assert (page[0, :4] == 1).all()


@pytest.mark.parametrize("images, options, error, words", [
    (torch.zeros(3, 2), {}, ValueError, r"images has shape \(3, 2\)"),
    (torch.zeros(3, 4, 2, 2), {}, ValueError, r"images has shape \(3, 4, 2, 2\)"),
    ([1], {}, TypeError, "images"),
    (torch.zeros(3, 2, 2), {"columns": 0}, ValueError, "columns=0"),
    (torch.zeros(3, 2, 2), {"zoom": 0}, ValueError, "zoom=0"),
    (torch.zeros(3, 2, 2), {"gap": -1}, ValueError, "gap=-1"),
    (torch.zeros(3, 2, 2), {"marked": 3}, ValueError, "marked=3 is none of the 3 tiles"),
])
def test_what_makes_no_tiles_is_refused(images, options, error, words):
    with pytest.raises(error, match=words):
        plots.tiles(images, **({"columns": 2} | options))
