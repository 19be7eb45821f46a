"""How solutions/NN_topic_mistakes.py collects known mistakes, and right answers that look unlike."""

from itertools import product


def collection(*exercises: str):
    """MISTAKES and ALTERNATIVES of these exercises, and the decorators that fill them.

    MISTAKES: exercise -> [(names of the slips, function)]; ALTERNATIVES: exercise -> {name:
    function}. @mistake(exercise, *names) adds one slip, or several at once.
    """
    mistakes = {exercise: [] for exercise in exercises}
    alternatives = {exercise: {} for exercise in exercises}

    def mistake(exercise, *names):
        def add(function):
            mistakes[exercise].append((names, function))
            return function
        return add

    def alternative(exercise, name):
        return lambda function: alternatives[exercise].setdefault(name, function)

    return mistakes, alternatives, mistake, alternative


def products(*factors, at_most=None):
    """Every choice of one entry per factor, as (names of the slips among them, the entries).

    A factor is {name: entry}; the name of what is right is "", and blanks behind a name make
    room for another form of the same slip. `at_most` so many slips at once.
    """
    for choice in product(*(factor.items() for factor in factors)):
        names = tuple(name.strip() for name, _ in choice if name)
        if names and (at_most is None or len(names) <= at_most):
            yield names, [entry for _, entry in choice]
