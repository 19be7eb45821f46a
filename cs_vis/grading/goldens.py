"""What is right, and what each known mistake gives, as stored tensors: `make goldens`."""

import importlib.util
from importlib import import_module

import torch

from .. import checks
from ..checks.distance import comparable, exact_arithmetic, largest_error, relative_l2, \
    share_that_differs
from ..checks.engine import facts_of
from ..checks.fixtures import numbers
from ..checks.inputs import live
from ..checks.judge import reordered
from ..checks.observe import observe
from ..checks.stored import LIKENESS, Goldens, golden_of, save_goldens
from ..course import ROOT, topic

MISTAKES = "_mistakes.py"  # how the files end that hold them
MEASURES = {largest_error: "max", relative_l2: "L2", share_that_differs: "share"}


def main() -> None:
    """Write datasets/goldens/*.safetensors and docs/exercises.md."""
    for notebook in notebooks():
        goldens = make(notebook)
        path = ROOT / f"datasets/goldens/{notebook}.safetensors"
        save_goldens(goldens, path)
        prints = sum(map(len, goldens.fingerprints.values()))
        print(f"{path.relative_to(ROOT)}: {len(goldens.tensors)} tensors, {prints} fingerprints, "
              f"{path.stat().st_size / 1024:.0f} kB")
    (ROOT / "docs/exercises.md").write_text(exercises_page(), encoding="utf-8")
    print("docs/exercises.md")


def make(notebook: str) -> Goldens:
    """What the references give, and on the tiny cases the fingerprints of the mistakes."""
    goldens = Goldens({}, {})
    for exercise in exercises_of(notebook):
        inputs = {case.name: case.inputs(numbers) for case in exercise.cases}
        goldens_for(exercise, inputs, goldens)
    return goldens


def notebooks() -> list[str]:
    """The notebooks whose exercises are written, also those that course.toml does not list yet."""
    return sorted(path.name.removesuffix(MISTAKES)
                  for path in (ROOT / "solutions").glob(f"*{MISTAKES}"))


def exercises_of(notebook: str) -> tuple:
    """The exercises of a notebook, in its order."""
    return import_module(f"cs_vis.checks.{topic(notebook)}").EXERCISES


def goldens_for(exercise, inputs, goldens=None, prints: bool = True) -> Goldens:
    """The goldens of an exercise on these inputs, which need not be the visible ones.

    What is right is computed in float64, and kept in float32 where a trained network took part; a
    fingerprint is in the precision that the check runs in.
    """
    goldens = Goldens({}, {}) if goldens is None else goldens
    for case in exercise.cases:
        if case.name in inputs:
            add_reference(goldens, exercise, case, inputs[case.name])
    if prints:
        for names, function in mistakes_of(exercise.notebook).MISTAKES[exercise.name]:
            add_fingerprint(goldens, exercise, inputs, names, function)
        keep_the_simplest(goldens.fingerprints.get(exercise.name, {}))
    return goldens


def add_reference(goldens, exercise, case, inputs):
    reference = getattr(reference_of(exercise.notebook), exercise.name)
    with exact_arithmetic():
        outputs = case.call(reference, **live(inputs, "cpu", torch.float64))
    for name, tensor in outputs.items():
        if torch.is_tensor(tensor):
            # What a float32 result is compared with on a trained network need not be finer.
            exact = case.tiny or tensor.dtype == torch.bool
            tensor = tensor.detach().contiguous().clone()
            goldens.tensors[f"{exercise.name}/{case.name}/{name}"] = (
                tensor if exact else tensor.float())


def add_fingerprint(goldens, exercise, inputs, names, function):
    """What a mistake returns on every tiny case, if that differs from what is right in two.

    Where it ends in an error it has none. One that is right in value is recognised otherwise.
    """
    tiny = [case for case in exercise.cases if case.tiny and case.name in inputs]
    prints, differ = {}, 0
    # A slip in how it is called shows in no value.
    if not set(names) <= set(exercise.mistakes) or reordered(
            exercise, facts_of(exercise, function)):
        return
    for case in tiny:
        outcome = observe(case.call, inputs[case.name], function, dtype=case.dtype)
        golden = golden_of(goldens, exercise, case)
        found = {name: outcome.outputs.get(name) for name in golden}
        if outcome.problem:
            continue
        if not all(map(torch.is_tensor, found.values())):
            return
        if not all(tensor.isfinite().all() for tensor in found.values()):
            return
        differ += any(apart(tensor, golden[name], case) for name, tensor in found.items())
        prints |= {f"{case.name}/{name}": tensor for name, tensor in found.items()}
    if differ >= 2:
        known = goldens.fingerprints.setdefault(exercise.name, {})
        known[names, sum(names == other for other, _ in known)] = prints


def apart(tensor, golden, case) -> bool:
    """Is this well away from what is right?"""
    if tensor.shape != golden.shape or (tensor.dtype == torch.bool) != (golden.dtype == torch.bool):
        return True
    distance = case.distance(comparable(tensor), comparable(golden))
    return not distance <= 3 * max(case.tolerance, LIKENESS)


def keep_the_simplest(known):
    """Of slips that end in the same values only those with the fewest names are kept."""
    kept = []
    for key in sorted(known, key=lambda key: len(key[0])):
        prints = known[key]
        if any(same(prints, known[other]) for other in kept):
            del known[key]
        else:
            kept.append(key)


def same(prints, others) -> bool:
    return prints.keys() == others.keys() and all(
        a.shape == b.shape and a.dtype == b.dtype and (
            torch.equal(a, b) if a.dtype == torch.bool
            else largest_error(a.double(), b.double()) < 1e-5)
        for a, b in zip(prints.values(), others.values()))


def reference_of(notebook: str):
    """The module with the answers to a notebook's exercises."""
    return import_module(f"cs_vis.reference.{topic(notebook)}")


def mistakes_of(notebook: str):
    """The module solutions/NN_topic_mistakes.py, whose name is no Python name."""
    path = ROOT / f"solutions/{notebook}{MISTAKES}"
    spec = importlib.util.spec_from_file_location(f"mistakes_{notebook}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def exercises_page() -> str:
    """docs/exercises.md: one row per exercise, from the checks."""
    columns = ["signature", "shapes", "gives", "formula", "defaults", "units"]
    lines = ["# The exercises", "",
             "Generated by `make goldens` from `cs_vis/checks`; edit the rows there.", "",
             "Each case of a check has its tolerance and its measure: *max* is the largest "
             "difference, in units of the largest right value; *L2* the length of the difference "
             "over that of the right values, for gradients through a trained network, where a "
             "rounding can tip a ReLU over; *share* the share of a mask's pixels that differ. What "
             "is right was computed in float64, and stored in float32 where a trained network "
             "took part.", "",
             "| notebook | " + " | ".join(columns) + " | tolerance |",
             "| --- |" + " --- |" * (len(columns) + 1)]
    for exercise in checks.EXERCISES.values():
        bounds = "; ".join(f"{case.name}: {case.tolerance:g} ({MEASURES[case.distance]})"
                           for case in exercise.cases)
        row = [f"`{exercise.row[name]}`" if name == "signature" else exercise.row[name]
               for name in columns]
        lines.append(f"| {exercise.notebook} | " + " | ".join(row) + f" | {bounds} |")
    return "\n".join(lines) + "\n"
