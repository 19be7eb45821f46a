"""How many of the 24 class pictures did readers name?

    python docs/blind/score.py KEY.json ANSWERS.json ...

The key is from make_sheet.py; answers are {"reader": "...", "answers": ["ladybug", ...]}, one name
for each tile. Prints a Markdown table: each reader, and the mean.
"""

import argparse
import json
from pathlib import Path


def read_answers(file, order):
    """Who answered, and what for each tile."""
    given = json.loads(Path(file).read_text())
    answers, unknown = given["answers"], sorted(set(given["answers"]) - set(order))
    if len(answers) != len(order) or unknown:
        raise SystemExit(f"{file} has {len(answers)} answers for {len(order)} tiles, among them "
                         f"{unknown or 'none'} that are no kinds: give each tile one of "
                         f"{', '.join(sorted(order))}")
    return given["reader"], answers


def misses(order, answers):
    """What was missed: tile, kind, answer."""
    return [(tile, kind, said) for tile, (kind, said) in enumerate(zip(order, answers), 1)
            if said != kind]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("key", metavar="KEY.json")
    parser.add_argument("answers", nargs="+", metavar="ANSWERS.json")
    options = parser.parse_args()
    key = json.loads(Path(options.key).read_text())
    order, rights = key["order"], []

    print(f"| reader of {key['network']} | right of {len(order)} | missed |")
    print("| --- | --- | --- |")
    for file in options.answers:
        reader, answers = read_answers(file, order)
        wrong = misses(order, answers)
        rights.append(len(order) - len(wrong))
        told = "; ".join(f"{tile}: {kind} as {said}" for tile, kind, said in wrong)
        print(f"| {reader} | {rights[-1]} | {told} |")
    print(f"| mean | {sum(rights) / len(rights):.1f} | |")


if __name__ == "__main__":
    main()
