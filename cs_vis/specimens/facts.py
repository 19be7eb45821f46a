"""What is known of a specimen beside label, mask and parts: the keys, their units and ranges."""

from typing import TypedDict


class Pose(TypedDict):
    """How the object lies in the picture: x to the right, y down, angles in radians, clockwise.

    angle       its turn; drawn within 0.6 of upright for what stands or hangs, else within pi
    size        its diameter over the frame's side; drawn from 0.3 to 0.95
    centre      (x, y) over the frame's side, so pixel [128 * y, 128 * x], to a quarter of a pixel
    flip        True where it is mirrored, left to right, before it is turned
    aspect      how much wider, and lower, than usual; drawn from 0.905 to 1.105
    shear       how far x moves with y; drawn with deviation 0.08
    bend        how far a wave moves its outline in (x, y), over its radius; deviation 0.025
    bend_phase  where the two waves begin; drawn from 0 to 2 pi

    What `draw` is given may go further, as far as `pose.LIMITS`.
    """

    angle: float
    size: float
    centre: tuple[float, float]
    flip: bool
    aspect: float
    shear: float
    bend: tuple[float, float]
    bend_phase: tuple[float, float]


class Facts(TypedDict):
    """What was drawn, in plain values that JSON takes.

    color        (r, g, b) in [0, 1]: the mean over the mask of the paint, before light and camera
    hue          of that colour, in [0, 1) round the wheel: 0 red (and grey), 1/3 green, 2/3 blue
    pose         a Pose
    size         the same as pose["size"]
    background   the kind of ground: "photo", "bricks", "hexagonal tiles" ...
    photograph   which of scikit-image's photographs it is ("coins"), None if it is none
    distractors  how many things lie behind the object, 0 to 4; it may cover some
    occluders    how many lie in front, 0 to 2; they may miss it
    hidden       the share of the object (in the frame) that they hide; below 0.25 unless moved
    """

    color: tuple[float, float, float] | None  # None, and so the hue, where the mask is empty
    hue: float | None
    pose: Pose
    size: float
    background: str
    photograph: str | None
    distractors: int
    occluders: int
    hidden: float
