"""Which kinds of specimen there are, and how far each may be turned."""

import numpy as np

from . import animals, plants, things

# From above, everything may lie any way round; things that stand or hang keep roughly upright.
ANY, UPRIGHT = np.pi, 0.6
KINDS = {
    "ladybug": (animals.ladybug, ANY), "bee": (animals.bee, ANY), "fish": (animals.fish, UPRIGHT),
    "snail": (animals.snail, UPRIGHT), "butterfly": (animals.butterfly, ANY),
    "starfish": (animals.starfish, ANY), "owl": (animals.owl,
                                                 UPRIGHT), "turtle": (animals.turtle, ANY),
    "sunflower": (plants.sunflower, ANY), "mushroom": (plants.mushroom, UPRIGHT),
    "strawberry": (plants.strawberry, UPRIGHT), "watermelon": (plants.watermelon, UPRIGHT),
    "cactus": (plants.cactus, UPRIGHT), "pineapple": (plants.pineapple, UPRIGHT),
    "traffic cone": (things.traffic_cone, UPRIGHT), "sailboat": (things.sailboat, UPRIGHT),
    "hot-air balloon": (things.balloon, UPRIGHT), "donut": (things.donut, ANY),
    "clock": (things.clock, ANY), "eye": (things.eye,
                                          UPRIGHT), "zebra ball": (things.zebra_ball, ANY),
    "checkered flag": (things.checkered_flag, UPRIGHT), "umbrella": (things.umbrella, UPRIGHT),
    "die": (things.die, UPRIGHT),
}
