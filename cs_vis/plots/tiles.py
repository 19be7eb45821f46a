"""Many small pictures as one: filters and maps are too small, and too many, for a figure each."""

import torch
import torch.nn.functional as F

from ..require import require_tensor, require_whole
from .pictures import Picture, picture

MOST = 50_000_000  # pixels of a page
MARK = (1.0, 0.55, 0.0)  # red, green and blue of the frame around a marked tile


def tiles(images, columns: int, *, zoom: int = 1, gap: int = 1, note: str = "",
          marked: int | None = None) -> Picture:
    """Small pictures side by side on white, row by row, `columns` in each row.

    images: (N, 3, h, w), or grey (N, h, w), in [0, 1]; what lies outside is clamped. zoom: each
    pixel becomes a square of so many. gap: white pixels around a tile. note: on how the values
    became colours, for the picture's scale is yours. marked: the tile that gets a frame. Raises
    TypeError or ValueError for other shapes, and a tile that is not there.
    """
    require_tensor(images, "images", "(N, 3, h, w) or (N, h, w)")
    images = images[:, None].expand(-1, 3, -1, -1) if images.ndim == 3 else images
    if images.ndim != 4 or images.shape[1] != 3 or not images.numel():
        raise ValueError(f"images has shape {tuple(images.shape)}, expected small pictures "
                         f"(N, 3, h, w), or grey ones (N, h, w)")
    require_whole(columns=columns, zoom=zoom, at_least=1)
    require_whole(gap=gap, at_least=0)
    columns, rows = min(columns, len(images)), -(-len(images) // columns)
    height, width = (count * (side * zoom + 2 * gap)
                     for count, side in ((rows, images.shape[2]), (columns, images.shape[3])))
    if height * width > MOST:
        raise ValueError(f"columns={columns}, zoom={zoom} and gap={gap} make a page of {width} × "
                         f"{height} pixels, more than any screen has: pass smaller numbers, or "
                         f"fewer images")
    images = images.detach().cpu().clamp(0, 1).repeat_interleave(zoom, 2).repeat_interleave(zoom, 3)
    framed = F.pad(images, [gap] * 4, value=1.0)
    if marked is not None:
        require_whole(marked=marked, at_least=0)
        if marked >= len(images):
            raise ValueError(f"marked={marked} is none of the {len(images)} tiles: the first is 0")
        framed[marked] = torch.tensor(MARK).view(3, 1, 1)
        framed[marked, :, gap:framed.shape[2] - gap, gap:framed.shape[3] - gap] = images[marked]
    framed = torch.cat([framed, framed.new_ones(rows * columns - len(framed), *framed.shape[1:])])
    page = framed.unflatten(0, (rows, columns)).permute(2, 0, 3, 1, 4)  # (3, rows, h, columns, w)
    return Picture(picture(page.flatten(3).flatten(1, 2)).pixels, note)
