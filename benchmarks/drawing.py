"""How fast is the drawn world? Specimens a second on one core.

    python benchmarks/drawing.py [--images 600]

Prints a Markdown table, then one JSON object. Counted in processor time, so that a busy machine
matters less; the goal is 60 a second.
"""

import argparse
import json
import time

import cv2

from cs_vis import specimens

GOAL = 60


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=600)
    count = parser.parse_args().images
    cv2.setNumThreads(1)
    specimens.batch(20, seed=1)  # the sheets of noise and the photographs are read once
    start = time.process_time()
    specimens.batch(count, seed=2)
    rate = count / (time.process_time() - start)
    print(f"| specimens | a second, one core |\n| --- | --- |\n| {count} | {rate:.0f} |")
    print(json.dumps({"figure": "specimens drawn a second on one core", "value": round(rate, 1),
                      "goal": f">= {GOAL}", "holds": rate >= GOAL}))


if __name__ == "__main__":
    main()
