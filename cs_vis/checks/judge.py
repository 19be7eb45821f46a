"""Outside: decide, from what was observed and nothing else, and write the sentence."""

from typing import NamedTuple

import torch

from .distance import comparable
from .harm import EXPLAINED, SENTENCES
from .messages import ERRORS, difference
from .observe import Odd
from .relation import Pair, relation_of
from .stored import LIKENESS, golden_of

AT_MOST = 3  # mistakes in one message: more would not be read


class Verdict(NamedTuple):
    """A tick, a tick with notes, or a cross."""
    right: bool
    message: str
    mistakes: tuple[str, ...] = ()  # names, the most important first
    solved: bool = True
    notes: tuple[str, ...] = ()


def judge(exercise, inputs, observed, goldens, device="cpu") -> Verdict:
    """The verdict on the cases that were observed. `inputs` are the cases' data, by case name.

    Mistakes of the values are told on the tiny plain cases, habits by the traps, harm by what
    was left behind: none of the three hides another.
    """
    outcomes = observed.outcomes
    told = exercise.recognise(observed, inputs)
    conventions = exercise.conventions(observed, inputs)
    excused = {name for names in conventions.values() for name in names}
    if not told and any(is_unsolved(outcome.problem) for outcome in outcomes.values()):
        return Verdict(False, f"{exercise.name} is not written yet: replace `raise "
                       "NotImplementedError` by your own lines. Run the cell above, then this "
                       "one.", solved=False)
    cases = [case for case in exercise.cases if case.name in outcomes]
    off = [said for case in cases if case.name not in excused and (said := difference(
        outcomes[case.name], golden_of(goldens, exercise, case), case, device))]
    named = told or named_by_values(exercise, cases, observed, goldens) if off else ()
    said = {name: exercise.mistakes[name] for name in named}
    if off and not said:
        said = unnamed(exercise, cases, inputs, observed, goldens, off[0])
    harms = harms_of(outcomes)
    habits = habits_of(exercise, observed, {*named, *harms})
    said |= {name: words for name, words in habits.items() if name not in exercise.notes} | harms
    explained = {other for name in said for other in EXPLAINED.get(name, ())}
    said = {name: sentence for name, sentence in said.items() if name not in explained}
    if said:
        names = tuple(name for name in said if name)
        return Verdict(False, "\n".join(list(said.values())[:AT_MOST]), names)
    notes = notes_of(exercise, observed, [*conventions, *habits])
    tried = ", ".join(case.name for case in cases)
    return Verdict(True, "\n".join((f"✓ {exercise.name} is right on {tried}.", *notes)),
                   notes=notes)


def is_unsolved(problem) -> bool:
    """A stub raises NotImplementedError alone; PyTorch raises it too, with a message."""
    return problem is not None and problem.kind == "NotImplementedError" and not problem.text


def named_by_values(exercise, cases, observed, goldens) -> tuple[str, ...]:
    """An order of parameters, or a fingerprint."""
    if reordered(exercise, observed.facts):
        return ("parameters in another order",)
    tiny = [case for case in cases if case.tiny]
    return fingerprint(exercise, tiny, observed.outcomes, goldens)


def reordered(exercise, facts) -> bool:
    """Are the parameters those of the notebook, but in another order?"""
    given = facts.get("parameters", ())
    return given != exercise.parameters and sorted(given) == sorted(exercise.parameters)


def fingerprint(exercise, tiny, outcomes, goldens) -> tuple[str, ...]:
    """The known mistakes that give the same on every tiny case: the fewest, then the nearest."""
    results = [x for case in tiny for x in outcomes[case.name].outputs.values()
               if torch.is_tensor(x)]
    if all(map(is_plain, results)):
        return ()
    near = {}
    for (names, form), prints in goldens.fingerprints.get(exercise.name, {}).items():
        gaps = [gap(exercise, case, prints, outcomes[case.name], goldens) for case in tiny]
        if None not in gaps:
            near[names, form] = (len(names), sum(gaps))
    names, _ = min(near, key=near.get, default=((), 0))
    return tuple(sorted(names, key=list(exercise.mistakes).index))


def gap(exercise, case, prints, outcome, goldens) -> float | None:
    """How far this outcome is from a fingerprint; None where it is another thing."""
    if outcome.problem:  # the mistake ends in an error here, too, if it has no print
        return None if any(place.startswith(f"{case.name}/") for place in prints) else 0.0
    gaps = []
    for output in golden_of(goldens, exercise, case):
        theirs, result = prints.get(f"{case.name}/{output}"), outcome.outputs.get(output)
        if theirs is None or not torch.is_tensor(result) or result.shape != theirs.shape:
            return None
        if (result.dtype == torch.bool) != (theirs.dtype == torch.bool):
            return None
        gaps.append(case.distance(comparable(result), comparable(theirs)))
    near = max(case.tolerance, LIKENESS)
    return sum(gaps) if all(g <= near for g in gaps) else None


def is_plain(mask) -> bool:
    """Nothing or everything: that comes of many causes, and is no likeness."""
    return mask.dtype == torch.bool and bool(mask.all() or not mask.any())


def unnamed(exercise, cases, inputs, observed, goldens, off) -> dict[str, str]:
    """A hint at the error, the relation to what is right, or what differs."""
    problem = next((p for case in cases if (p := observed.outcomes[case.name].problem)), None)
    if problem:
        for name, pattern in exercise.errors.items():
            if pattern.search(str(problem)):
                return {name: f"{off}\n{exercise.mistakes[name]}"}
        for name, pattern, sentence in ERRORS:
            if pattern.search(str(problem)):
                return {name: f"{off}\n{sentence}"}
        return {"": off}
    pairs = [pair for case in cases if case.tiny
             for pair in pairs_of(exercise, case, inputs, observed, goldens)]
    outputs = {name for name, _ in pairs}
    for output in sorted(outputs, key=lambda name: (not is_number(name, pairs), name)):
        those = [pair for name, pair in pairs if name == output]
        found = None if all(map(is_right, those)) else relation_of(those)
        if found:
            (name, sentence), first = found, those[0]
            shape = (tuple(first.result.shape) if torch.is_tensor(first.result) else "")
            sentence = sentence.format(got=shape, wanted=tuple(first.right.shape))
            named = f"The {output}: {sentence}" if len(outputs) > 1 else sentence
            return {name: named}
        if is_number(output, pairs) and not all(map(is_right, those)):
            break  # what follows of it, as its gradient does, need not be said
    return {"": off}


def is_number(output, pairs) -> bool:
    """Should this output be one number, without axes?"""
    return all(pair.right.ndim == 0 for name, pair in pairs if name == output)


def is_right(pair) -> bool:
    return torch.is_tensor(pair.result) and pair.is_(pair.right)


def pairs_of(exercise, case, inputs, observed, goldens):
    """(output, Pair) of one case, for the outputs that are there."""
    def close(a, b):
        a, b = (x if x.dtype == torch.bool else x.double() for x in (a, b))
        return a.dtype == b.dtype and bool(a.dtype == torch.bool or a.isfinite().all()) and (
            case.distance(a, b) <= case.tolerance)

    for output, right in golden_of(goldens, exercise, case).items():
        result = observed.outcomes[case.name].outputs.get(output)
        if isinstance(result, Odd) or torch.is_tensor(result):
            result = comparable(result) if torch.is_tensor(result) else result
            yield output, Pair(result, comparable(right), inputs[case.name], close)


def habits_of(exercise, observed, named) -> dict[str, str]:
    """What the traps show, each judged by the function's own result without the trap; `named` are
    the mistakes and harms that are known already."""
    shown = {}
    for trap in exercise.traps:
        with_it, without = (observed.outcomes.get(name) for name in (trap_key(trap), trap.of))
        known = {*named, *shown}
        if with_it is None or without.problem or known & set(trap.unless):
            continue
        name = habit(exercise, trap, with_it, without)
        if name == trap.drift and named:
            continue  # the named mistake may well be what drifts
        if name and name not in known:
            said = {**exercise.mistakes, **exercise.notes}[name]
            shown[name] = f"{said} (It raised {with_it.problem}.)" if with_it.problem else said
    return shown


def habit(exercise, trap, with_it, without) -> str | None:
    """The name of the habit that one trap shows, or None."""
    if any(isinstance(result, Odd) for result in without.outputs.values()):
        return None
    if with_it.problem:
        return trap.name
    case = next(case for case in exercise.cases if case.name == trap.of)
    for output, result in without.outputs.items():
        theirs = with_it.outputs.get(output)
        if not torch.is_tensor(result) or not torch.is_tensor(theirs):
            continue  # one that gives other outputs in the trap gives fewer
        if result.ndim == 0 or not result.isfinite().all():
            continue  # no axis that a trap could change, or NaN, which is like nothing
        wanted = trap.expect(result)
        if theirs.shape != wanted.shape:
            return trap.name
        if theirs.is_floating_point() and theirs.dtype != trap.dtype and result.dtype == case.dtype:
            return trap.name
        distance = case.distance(comparable(theirs), comparable(wanted))
        if not distance <= case.tolerance:
            return trap.drift or trap.name
    return None


def trap_key(trap) -> str:
    """Under which name a trap's outcome is kept."""
    return f"{trap.of}, {trap.name}"


def harms_of(outcomes) -> dict[str, str]:
    found = dict(harm for outcome in outcomes.values() for harm in outcome.harms)
    return {name: SENTENCES[name].format(which=which) for name, which in found.items()}


def notes_of(exercise, observed, conventions) -> tuple[str, ...]:
    """Arguable conventions, and habits that cost nothing: full points, and a word."""
    notes = tuple(f"  A note: {exercise.notes[name]}" for name in conventions)
    given = tuple(observed.facts.get("parameters", ()))[:len(exercise.parameters)]
    if len(given) == len(exercise.parameters) and given != exercise.parameters:
        notes += (f"  A note: the notebook calls the parameters {', '.join(exercise.parameters)}; "
                  f"yours are {', '.join(given)}. Calls by position work all the same.",)
    return notes
