"""Poses: drawing one, placing points by it, checking one that is given."""

import numpy as np

from ..require import require_number

LIMITS = {"angle": (-100, 100), "size": (0.1, 2), "centre": (0, 1), "aspect": (0.5, 2),
          "shear": (-1, 1), "bend": (-0.2, 0.2), "bend_phase": (-100, 100)}
PAIRS = ("centre", "bend", "bend_phase")


def random_pose(rng, size, spin):
    """A random Pose; `size` is the diameter over the frame's side, `spin` the largest turn."""
    angle, shear = rng.uniform(-spin, spin), rng.normal(0, 0.08)
    aspect, flip = np.exp(rng.uniform(-0.1, 0.1)), rng.choice([-1.0, 1.0]) < 0
    room = 0.4 * size  # Up to a fifth of the radius may leave the frame.
    centre = rng.uniform(room, 1 - room, 2)
    bend, phase = rng.normal(0, 0.025, 2), rng.uniform(0, 2 * np.pi, 2)
    return {"angle": angle, "size": size, "centre": tuple(centre.tolist()), "flip": bool(flip),
            "aspect": float(aspect), "shear": shear, "bend": tuple(bend.tolist()),
            "bend_phase": tuple(phase.tolist())}


def placed(pose, side):
    """The pose as a function from object units (n, 2) to pixels (n, 2) of a frame `side` wide."""
    c, s = np.cos(pose["angle"]), np.sin(pose["angle"])
    aspect, flip = pose["aspect"], -1.0 if pose["flip"] else 1.0
    matrix = (np.array([[c, -s], [s, c]]) @ [[1, pose["shear"]], [0, 1]]
              @ np.diag([flip * aspect, 1 / aspect]))
    radius, centre = pose["size"] * side / 2, np.array(pose["centre"]) * side
    bend, phase = np.array(pose["bend"]), np.array(pose["bend_phase"])

    def place(points):
        bent = points + bend * np.sin(2.5 * points[:, ::-1] + phase)
        return bent @ matrix.T * radius + centre

    return place


def require_pose(pose):
    """What `draw` is given as pose, in the very types that a Pose has."""
    if pose is None:
        return {}
    if not isinstance(pose, dict):
        raise TypeError(f"pose={pose!r} is a {type(pose).__name__}; it must be a dict of what is "
                        f"to change, for example pose={{'angle': 0.5}}")
    return {key: require_value(key, value) for key, value in pose.items()}


def require_value(key, value):
    name = f"pose[{key!r}]"
    if key == "flip":
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError(f"{name}={value!r} is a {type(value).__name__}; it must be True "
                            f"(mirrored) or False")
        return bool(value)
    if key not in LIMITS:
        raise ValueError(f"{name} is nothing that a pose has; choose among flip, "
                         f"{', '.join(LIMITS)}")
    if key not in PAIRS:
        return require_number(name, value, *LIMITS[key])
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise TypeError(f"{name}={value!r} is no pair; it must be a tuple (x, y) of numbers from "
                        f"{LIMITS[key][0]} to {LIMITS[key][1]}")
    return tuple(require_number(f"{name}[{i}]", v, *LIMITS[key]) for i, v in enumerate(value))
