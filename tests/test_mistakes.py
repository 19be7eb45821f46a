"""Every known mistake is rejected under its own name, every right solution is accepted."""

import warnings
from collections import Counter

import pytest
import torch

from cs_vis import checks
from cs_vis.checks.harm import HARMS
from cs_vis.checks.stored import load_goldens
from cs_vis.grading.goldens import mistakes_of

KNOWN = mistakes_of("03_saliency")
SINGLE = [(exercise, names[0], form) for exercise, known in KNOWN.MISTAKES.items()
          for form, (names, _) in enumerate(known) if len(names) == 1]
ALTERNATIVES = [(exercise, name) for exercise, known in KNOWN.ALTERNATIVES.items()
                for name in known]


def verdict(exercise, function):
    """The names that the check gives, None where it accepts."""
    try:
        checks.EXERCISES[exercise](function)
    except checks.CheckFailed as failed:
        return failed.mistakes
    return None


@pytest.mark.parametrize("exercise, name, form", SINGLE)
def test_mistake_is_rejected_under_its_own_name(exercise, name, form, record_property):
    found = verdict(exercise, KNOWN.MISTAKES[exercise][form][1])
    assert found == [name]
    record_property("verdict", (exercise, name, "rejected as: " + ", ".join(found)))


@pytest.mark.filterwarnings("ignore:a right answer may warn")
@pytest.mark.parametrize("exercise, name", ALTERNATIVES)
def test_other_right_solution_is_accepted(exercise, name, record_property, capsys):
    checks.EXERCISES[exercise](KNOWN.ALTERNATIVES[exercise][name])
    record_property("verdict", (exercise, name, "accepted"))
    printed = capsys.readouterr()
    assert f"✓ {exercise} is right on " in printed.out
    assert ("A note: " in printed.out) == ("note" in name)
    assert printed.err == ""  # nbgrader would score a warning 0


@pytest.mark.parametrize("exercise", checks.EXERCISES)
def test_every_sentence_has_a_mistake_and_every_mistake_a_sentence(exercise):
    known = {name for names, _ in KNOWN.MISTAKES[exercise] for name in names}
    told = set(checks.EXERCISES[exercise].mistakes)
    assert told <= known and known - told <= {harm.name for harm in HARMS}
    assert len(known) >= 8 and len(KNOWN.ALTERNATIVES[exercise]) >= 3


def test_products_of_slips_are_named_in_full():
    """Score, absolute value, join and axis: nine in ten in full, and none by a wrong name."""
    chosen = [(names, function) for names, function in KNOWN.MISTAKES["compute_saliency_maps"]
              if 2 <= len(names) <= 4][::4]  # every fourth of some six hundred
    found = Counter()
    for names, function in chosen:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            given = verdict("compute_saliency_maps", function)
        full = given is not None and set(given) == set(names)
        # What ends in the same values as fewer slips is told as those, which is true as well.
        same = given is not None and not full and same_values(tuple(given), function)
        found["in full" if full else "same values" if same else
              "unnamed" if not given else "wrong"] += 1
    assert found["wrong"] == 0, found
    assert found["in full"] + found["same values"] >= 0.9 * len(chosen), found
    assert found["in full"] >= 0.6 * len(chosen), found


def same_values(names, function) -> bool:
    """Does a known solution with just these slips give the same on the first case?"""
    exercise = checks.compute_saliency_maps
    from cs_vis.checks.fixtures import numbers
    from cs_vis.checks.inputs import live
    result = [case.call(function, **live(case.inputs(numbers), "cpu", torch.float64))["result"]
              for case in exercise.cases[:2]]
    prints = [prints for (known, _), prints in
              load_goldens("03_saliency").fingerprints[exercise.name].items()
              if set(known) == set(names)]
    return any(all(a.shape == b.shape and (a - b).abs().max() < 5e-3 * a.abs().max()
                   for a, b in zip(result, one.values())) for one in prints)


@pytest.mark.parametrize("exercise", checks.EXERCISES)
def test_fingerprints_lie_apart(exercise):
    """No two sets of names share their values: or one would be told for the other."""
    known = load_goldens("03_saliency").fingerprints[exercise]
    seen = {}
    for (names, _), prints in known.items():
        key = tuple((place, tuple(x.shape), x.double().mul(50).round().sum().item())
                    for place, x in sorted(prints.items()))
        for other, theirs in seen.get(key, []):
            equal = all(torch.equal(prints[place], theirs[place]) for place in prints)
            assert not equal or other == names, (names, other)
        seen.setdefault(key, []).append((names, prints))
