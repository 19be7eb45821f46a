"""What places and patches tell of how they were found and cut, each factor by itself.

As in reading.py, every table has what is right under "", and under the name of a slip its forms.
"""

import torch
import torch.nn.functional as F

from ...methods.field import Box, crop, windows
from ...models import activations, layer_names
from .reading import FACTORS, choices, counted, fewest

AT_MOST = 2  # slips of each that are looked for at once: of three there are too many
NEAR = 1e-4  # of a pixel's full range
FAR = 1000  # pixels outside a picture

CHANNELS = {  # of maps (N, C, h, w) and the channel
    "": [lambda maps, c: maps[:, c]],
    "another channel": [lambda maps, c: maps[:, 0], lambda maps, c: maps[:, c - 1],
                        lambda maps, c: maps[:, (c + 1) % maps.shape[1]]],
    "all channels together": [lambda maps, c: maps.mean(dim=1), lambda maps, c: maps.amax(dim=1)],
}
SIGNS = {  # of maps (N, h, w)
    "": [lambda x: x],
    "values below 0 left out": [torch.relu],
    "absolute values": [torch.abs],
    "smallest instead of largest": [torch.neg],
}
WORTHS = {  # of the same, what an image is worth
    "": [lambda x: x.amax(dim=(1, 2))],
    "absolute values": [lambda x: x.abs().amax(dim=(1, 2))],
    "mean of the map instead of its maximum": [lambda x: x.mean(dim=(1, 2)),
                                               lambda x: x.relu().mean(dim=(1, 2)),
                                               lambda x: x.abs().mean(dim=(1, 2)),
                                               lambda x: x.square().sum(dim=(1, 2))],
}


def one_of_each(choose):
    """The position of each image's maximum, for the images that `choose` picks by their worth."""
    def pick(x, worth, k):
        images = choose(worth, k)
        return images, x.flatten(1).argmax(dim=1)[images]
    return pick


def over_all(x, worth, k):
    """The largest positions of all images together."""
    best = x.flatten().argsort(descending=True)[:k]
    return best // x[0].numel(), best % x[0].numel()


def of_the_best(x, worth, k):
    """The largest positions of the strongest image."""
    best = worth.argmax()
    return best.expand(k), x[best].flatten().argsort(descending=True)[:k]


def strongest(worth, k):
    return worth.argsort(descending=True)[:k]


PICKS = {  # of maps (N, h, w), what images are worth, and k: images, and positions in them
    "": [one_of_each(strongest)],
    "several of one image": [over_all, of_the_best],
    "not sorted": [one_of_each(lambda worth, k: strongest(worth, k).sort().values),
                   one_of_each(lambda worth, k: strongest(worth, k).sort().values.flip(0))],
    "weakest first": [one_of_each(lambda worth, k: strongest(worth, k).flip(0))],
    "positions of other images": [lambda x, worth, k: (
        strongest(worth, k), x.flatten(1).argmax(dim=1)[:k])],
    "weakest images": [one_of_each(lambda worth, k: worth.argsort()[:k]),
                       one_of_each(lambda worth, k: worth.argsort()[:k].flip(0))],
    "first images": [one_of_each(lambda worth, k: torch.arange(k))],
    "last images": [one_of_each(lambda worth, k: torch.arange(len(worth))[-k:])],
}
SPOTS = {  # row and col, of a position in the map, its height and width, and the picture's
    "": [lambda i, h, w, H, W: (i // w, i % w)],
    "row and column exchanged": [lambda i, h, w, H, W: (i % w, i // w)],
    "wrong width": [lambda i, h, w, H, W: (i // h, i % h)],
    "place in the picture instead of the map": [
        lambda i, h, w, H, W: (i // w * H // h, i % w * W // w)],
}
ORDERS = {  # the columns of places, from rank, image, row and col
    "": [lambda rank, image, row, col: (image, row, col)],
    "rank instead of the image": [lambda rank, image, row, col: (rank, row, col)],
    "columns of places in another order": [lambda rank, image, row, col: (row, col, image),
                                           lambda rank, image, row, col: (row, image, col)],
}


BOXES = {  # where a patch begins, of a row or column of the map, the field, and both sides
    "": [lambda at, size, stride, start, side, there: start + at * stride],
    "start left out": [lambda at, size, stride, start, side, there: at * stride],
    "place as the patch's centre": [
        lambda at, size, stride, start, side, there: at * stride - size // 2,
        lambda at, size, stride, start, side, there: at * stride - (size - 1) // 2,
        lambda at, size, stride, start, side, there: at * stride + stride // 2 - size // 2],
    "half a field off": [
        lambda at, size, stride, start, side, there: start + at * stride - size // 2,
        lambda at, size, stride, start, side, there: start + at * stride + size // 2],
    "place scaled to the picture": [
        lambda at, size, stride, start, side, there: at * there // side - size // 2,
        lambda at, size, stride, start, side, there: at * there // side,
        lambda at, size, stride, start, side, there: int((at + 0.5) * there / side) - size // 2],
    "stride left out": [
        lambda at, size, stride, start, side, there: start + at,
        lambda at, size, stride, start, side, there: at,
        lambda at, size, stride, start, side, there: at - size // 2],
    "start times the stride": [
        lambda at, size, stride, start, side, there: (start + at) * stride],
    "start has the opposite sign": [
        lambda at, size, stride, start, side, there: at * stride - start],
}


def padded(picture, top, left, size, **how):
    """The box cut out of a picture (1, 3, H, W) that is continued on all sides."""
    margin = max(0, -top, -left, top + size - picture.shape[2], left + size - picture.shape[3])
    if margin >= min(picture.shape[2:]):  # more than there is to repeat
        return picture.new_empty(0)
    around = F.pad(picture, (margin,) * 4, **how)
    return around[..., top + margin:top + margin + size, left + margin:left + margin + size]


def in_colour(colour):
    def cut(picture, top, left, size):
        return crop(picture, Box(top, top + size, left, left + size), colour)
    return cut


def in_its_mean(picture, top, left, size):
    inside = in_colour(float("nan"))(picture, top, left, size)
    return torch.where(inside.isnan(), picture.mean(dim=(2, 3), keepdim=True), inside)


def moved_inside(picture, top, left, size):
    top, left = (max(0, min(at, side - size)) for at, side in zip((top, left), picture.shape[2:]))
    return picture[..., top:top + size, left:left + size]


def not_below_0(picture, top, left, size):
    return in_colour(1.0)(picture, max(top, 0), max(left, 0), size)


def enlarged(**how):
    def cut(picture, top, left, size):
        inside = picture[..., max(top, 0):max(top + size, 0), max(left, 0):max(left + size, 0)]
        return F.interpolate(inside, (size, size), **how) if inside.numel() else inside
    return cut


CUTS = {
    "": [in_colour(1.0)],
    "black outside the picture": [in_colour(0.0)],
    "another colour outside the picture": [in_colour(0.5), in_its_mean],
    "picture continued outside": [
        lambda *given: padded(*given, mode="replicate"),
        lambda *given: padded(*given, mode="reflect"),
        lambda *given: padded(*given, mode="circular")],
    "moved into the picture": [moved_inside, not_below_0],
    "cut off and enlarged": [enlarged(), enlarged(mode="bilinear", align_corners=False),
                             enlarged(mode="bilinear", antialias=True)],
}
SOURCES = {  # the picture, of rank and image
    "": [lambda rank, image: image], "patches of other images": [
        lambda rank, image: rank, lambda rank, image: 0]}
TURNS = {"": [lambda row, col: (row, col)],
         "row and column of the patch exchanged": [lambda row, col: (col, row)]}


FIELDS = {  # the rules by which the receptive field is counted
    "": [rules for _, rules in choices(FACTORS, 0)],
    "another receptive field": [rules for _, rules in choices(FACTORS, 1)],
}
PLACES = (CHANNELS, SIGNS, WORTHS, PICKS, SPOTS, ORDERS)
PATCHES = (SOURCES, TURNS, BOXES, CUTS, FIELDS)
RIGHT = next(choices(PLACES, 0))[1]


def places_by(given, maps, channel, sign, worth, pick, spot, order):
    """places (k, 3) by these rules, of a layer's maps (N, C, h, w)."""
    x = sign(channel(maps, given["channel"] % maps.shape[1]))
    images, positions = pick(x, worth(x), given["k"])
    row, col = spot(positions, *x.shape[1:], *given["images"].shape[2:])
    return torch.stack(order(torch.arange(len(images)), images, row, col), dim=1)


def patches_by(given, maps, field, places, source, turn, box, cut):
    """One by one the patches by these rules at places (k, 3), empty where a rule leads nowhere."""
    images = given["images"]
    for rank, (image, *spot) in enumerate(places.long().tolist()):
        which = source(rank, image)
        top, left = (box(at, *field, side, there) for at, side, there in zip(
            turn(*spot), maps.shape[2:], images.shape[2:]))
        there = 0 <= which < len(images) and max(abs(top), abs(left)) < FAR
        yield (cut(images[which:which + 1], top, left, field[0]) if there
               else images.new_empty(0))


class Seen:
    """One case in float64: what was given, and the places and patches that came back."""

    def __init__(self, given, places, patches):
        self.given, self.found, self.patches = given, places, patches
        outputs = activations(given["model"], given["images"], layer_names(given["model"]))
        self.maps = outputs.pop(given["layer"])
        self.others = [x for x in outputs.values() if x.ndim == 4]
        self.layers = windows(given["model"], given["layer"])
        self.right = places_by(given, self.maps, *RIGHT)
        self.meant = []
        self.mean(places, self.right)

    def mean(self, *places) -> None:
        """Remember where patches may have been cut, each place once."""
        for x in places:
            if x.shape == self.right.shape and not any(
                    torch.equal(x.double(), other.double()) for other in self.meant):
                self.meant.append(x)

    def placed(self, *rules) -> bool:
        return torch.equal(places_by(self.given, self.maps, *rules).double(), self.found)

    def choose(self, rules) -> None:
        """Remember where these rules lead, but for how places are written down."""
        self.mean(*(places_by(self.given, self.maps, *rules[:n], *RIGHT[n:]) for n in (-1, -2)))

    def placed_in_pixels(self, turned) -> bool:
        """Are the places, with row and column exchanged or not, some pixel of what is seen?"""
        size, stride, start = counted(self.layers, *FIELDS[""][0])
        spots = self.right[:, [2, 1] if turned else [1, 2]]
        return any(torch.equal(self.found[:, 1:], (spots * stride + first).double())
                   for first in (start, 0, start + size // 2, start + (size - 1) // 2))

    def placed_in_another_layer(self) -> bool:
        return any(torch.equal(places_by(self.given, maps, *RIGHT).double(), self.found)
                   for maps in self.others)

    def cut(self, source, turn, box, cut, rules) -> bool:
        """Are these the patches by these rules, at one of the places that may be meant?"""
        field = counted(self.layers, *rules)
        if self.patches.shape[2:] != (field[0], field[0]) or any(x % 1 for x in field):
            return False
        field = tuple(map(int, field))
        return any(self.alike(patches_by(self.given, self.maps, field, places, source, turn, box,
                                         cut)) for places in self.meant
                   if len(places) == len(self.patches))

    def alike(self, patches) -> bool:
        return all(one.shape[1:] == patch.shape and bool((one[0] - patch).abs().max() <= NEAR)
                   for one, patch in zip(patches, self.patches))


def slips_of_places(cases) -> tuple[str, ...] | None:
    """The fewest slips by which the places came about; None where no rule is known."""
    if any(case.found.shape != case.right.shape for case in cases):
        return None
    known = fewest(PLACES, lambda *rules: all(case.placed(*rules) for case in cases), AT_MOST)
    if known:
        for case in cases:
            case.choose(known[1])
        return known[0]
    for turned in (False, True):
        if all(case.placed_in_pixels(turned) for case in cases):
            return ("row and column exchanged",) * turned + (
                "place in the picture instead of the map",)
    return ("another layer",) if all(case.placed_in_another_layer() for case in cases) else None


def slips_of_patches(cases) -> tuple[str, ...] | None:
    """The fewest slips by which the patches came about; None where no rule is known."""
    known = fewest(PATCHES, lambda *rules: all(case.cut(*rules) for case in cases), AT_MOST)
    sizes = [counted(case.layers, *FIELDS[""][0])[0] for case in cases]
    if not known and any(case.patches.shape[2:] != (side, side)
                         for case, side in zip(cases, sizes)):
        return ("another receptive field",)
    return known and known[0]
