"""The pen that draws one specimen: colours on one sheet, the index of the part on another."""

import colorsys

import cv2
import numpy as np

SHIFT = 4  # OpenCV takes corners in 1/16 of a pixel.


class Pen:
    """Draws outlines given in object units and remembers which named part each pixel belongs to.

    `fill` and `line` extend the current part; `mark` paints texture that stays inside it; `cut`
    takes a hole out of everything. Parts named in `without` are never drawn.
    """

    def __init__(self, rng, place, size, without=()):
        self.rng, self.place, self.without = rng, place, set(without)
        self.color = np.zeros((size, size, 3), np.uint8)
        self.label = np.zeros((size, size), np.uint8)  # 0 where nothing is drawn, else 1 + part
        self.names = []
        self.current = 0

    def part(self, name):
        """Name the part that the following strokes belong to."""
        if name not in self.names:
            self.names.append(name)
        self.current = 0 if name in self.without else 1 + self.names.index(name)

    def fill(self, outline, color):
        """Paint a polygon and add it to the current part."""
        if self.current:
            corners = [self.corners(outline)]
            cv2.fillPoly(self.color, corners, color, shift=SHIFT)
            cv2.fillPoly(self.label, corners, self.current, shift=SHIFT)

    def mark(self, outlines, color):
        """Paint one polygon, or a list of them, only where the current part shows."""
        if self.current:
            outlines = outlines if isinstance(outlines, list) else [outlines]
            outlines = [self.corners(outline) for outline in outlines]
            left, top, right, bottom = self.bounds(outlines)
            if left == right or top == bottom:  # outside the frame
                return
            stamp = np.zeros((bottom - top, right - left), np.uint8)
            for outline in outlines:  # One by one: overlaps would cancel under the even-odd rule.
                cv2.fillPoly(stamp, [outline], 1, shift=SHIFT,
                             offset=(-left << SHIFT, -top << SHIFT))
            hit = (stamp > 0) & (self.label[top:bottom, left:right] == self.current)
            self.color[top:bottom, left:right][hit] = color

    def bounds(self, outlines):
        """The part of the sheet (left, top, right, bottom) that some polygons can touch."""
        corners, size = np.concatenate(outlines) >> SHIFT, len(self.label)
        left, top = (min(max(int(low) - 1, 0), size) for low in corners.min(axis=0))
        right, bottom = (min(int(high) + 2, size) for high in corners.max(axis=0))
        return left, top, max(left, right), max(top, bottom)

    def cut(self, outline):
        """Take a hole out of whatever is drawn so far."""
        for sheet, empty in ((self.color, (0, 0, 0)), (self.label, 0)):
            cv2.fillPoly(sheet, [self.corners(outline)], empty, shift=SHIFT)

    def corners(self, outline):
        pixels = self.place(np.asarray(outline, float)) * (1 << SHIFT)
        return np.rint(pixels).astype(np.int32)

    def tint(self, hue, saturation, value, spread=0.03):
        """A colour (0 to 255) near the given hue, saturation and value (each 0 to 1)."""
        h = (hue + self.rng.normal(0, spread)) % 1
        s, v = np.clip([saturation + self.rng.normal(0, spread),
                        value + self.rng.normal(0, spread)], 0, 1)
        return tuple(int(255 * c) for c in colorsys.hsv_to_rgb(h, s, v))

    def any_color(self, saturation=(0.6, 1.0), value=(0.6, 1.0)):
        """A colour of any hue."""
        return self.tint(self.rng.random(), self.rng.uniform(*saturation), self.rng.uniform(*value))
