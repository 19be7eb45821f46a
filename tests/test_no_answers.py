"""The student's wheel ships no answer: no exercise is solved by one call of what is in it."""

import importlib
import inspect
import io
import pkgutil
from contextlib import redirect_stdout
from itertools import permutations

import pytest
import torch

import cs_vis
from cs_vis import checks
from cs_vis.checks.fixtures import numbers
from cs_vis.checks.observe import observe
from cs_vis.checks.stored import golden_of, load_goldens
from written import EXERCISES, reference

CLONE_ONLY = ("cs_vis.reference", "cs_vis.grading", "cs_vis.training", "cs_vis.__main__",
              "cs_vis.cli")
LISTED = {}  # (exercise, function) -> the reason why it may ship all the same; none does


def shipped():
    """Every function and class that a module of the wheel defines, by its full name."""
    for module in pkgutil.walk_packages(cs_vis.__path__, "cs_vis."):
        if module.name.startswith(CLONE_ONLY):
            continue
        home = importlib.import_module(module.name)
        for name, thing in list(vars(home).items()):
            if getattr(thing, "__module__", None) == home.__name__ and callable(thing):
                yield f"{home.__name__}.{name}", thing


def takes(thing, count) -> bool:
    """Can it be called with `count` arguments? Of what does not say so, nobody knows."""
    try:
        inspect.signature(thing).bind(*range(count))
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def counts(exercise) -> range:
    """With how many arguments a check calls the right answer: some may have defaults."""
    answer = reference(exercise)
    if inspect.isclass(answer):
        return range(5)  # a Function is called by its apply, with any
    given = inspect.signature(answer).parameters.values()
    return range(sum(one.default is one.empty for one in given), len(given) + 1)


def ways(thing, count):
    """The thing as it is, and with the first `count` arguments in every order, and with what is
    often done to a result, and with each colour for itself."""
    yield thing
    for order in permutations(range(count)):
        def call(*given, order=order):
            return thing(*(given[i] for i in order), *given[count:])
        yield call
        yield lambda *given, call=call: call(*given).abs().amax(dim=1)
    yield lambda img, *given: thing(img.flatten(0, 1), *given).view_as(img)


def solves(exercise, function, goldens) -> bool:
    """Is the first case right? That is rare enough for the whole check to be asked then."""
    case = exercise.cases[0]
    outcome = observe(case.call, case.inputs(numbers), function, dtype=case.dtype)
    golden = golden_of(goldens, exercise, case)
    results = {name: outcome.outputs.get(name) for name in golden}
    if outcome.problem or not all(torch.is_tensor(x) and x.shape == golden[name].shape
                                  for name, x in results.items()):
        return False
    try:
        exercise(function)
    except checks.CheckFailed:
        return False
    return True


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", EXERCISES)
def test_no_single_call_is_the_answer(name):
    exercise, wanted = EXERCISES[name], counts(name)
    goldens = load_goldens(exercise.notebook)
    orders = wanted[0] if wanted[0] <= 3 else 0  # of the first arguments, all of them tensors
    found = []
    with redirect_stdout(io.StringIO()):
        for words, thing in shipped():
            if inspect.isclass(thing) and issubclass(thing, BaseException):
                continue
            if not any(takes(thing, count) for count in wanted):
                continue
            if any(solves(exercise, way, goldens) for way in ways(thing, orders)):
                found.append((name, words))
    assert found == [entry for entry in LISTED if entry[0] == name]


def test_an_answer_that_ships_would_be_found(monkeypatch):
    for name in ("feature_distance", "occlusion_map", "GuidedReLU"):
        answer = reference(name)
        monkeypatch.setattr("test_no_answers.shipped", lambda: [("here", answer)])
        with pytest.raises(AssertionError):
            test_no_single_call_is_the_answer(name)


def test_what_is_shipped_is_looked_through():
    names = {name for name, _ in shipped()}
    assert {"cs_vis.methods.saliency.backprop", "cs_vis.methods.occlusion.spread",
            "cs_vis.checks.saliency.guided.through_network"} <= names and len(names) > 150
