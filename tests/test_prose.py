"""The numbers in the notebooks' texts are those of the run, and the run is that of these files."""

import ast
import re
import shutil

import nbformat
import pytest

from cs_vis.grading import build, prose
from cs_vis.course import ROOT, read_course

NAMES = [entry["name"] for entry in read_course()["assignments"]]
NUMBER = re.compile(r"\d+\.\d+|\d+ ?%")
# Code, formulas and HTML say how things are set, not what came out.
NO_PROSE = re.compile(r"`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|</?[a-z][^>]*>")
# Numbers that no run gives, with words around them, and what they are.
EXCUSED = {"03_saliency": {
    "at 0.15 the noise": "a value of sigma to try",
    "2014, section 3.2.": "a section of a paper",
}}


def read_source(name):
    return (ROOT / "solutions" / f"{name}.py").read_text(encoding="utf-8")


def noted(name):
    """What the last build of the executed solution wrote down: figures, and what they are of."""
    solution = nbformat.read(ROOT / "solutions" / name / f"{name}.ipynb", as_version=4)
    return solution.metadata.get("cs_vis", {"figures": [], "of": {}})


def cells_of_figures(name):
    return [cell for cell, _ in prose.numbered(read_source(name)) if prose.is_figures(cell)]


@pytest.mark.parametrize("name", NAMES)
def test_the_figures_are_of_these_files(name):
    if not cells_of_figures(name):
        assert not noted(name)["figures"], "run `cs-vis build`"
        return
    now = prose.stands_on(build.convert(read_source(name), figures=True))
    changed = [part for part in now if noted(name)["of"].get(part) != now[part]]
    assert not changed, f"run `cs-vis build`: {', '.join(changed)} changed since {name} was run"


@pytest.mark.parametrize("name", NAMES)
def test_the_texts_say_what_the_run_gave(name):
    figures = noted(name)["figures"]
    assert len(figures) == len(cells_of_figures(name)), "run `cs-vis build`"
    prose.confirm(read_source(name), figures, name)


@pytest.mark.parametrize("name", NAMES)
def test_no_number_stands_for_itself(name):
    """Each is confirmed by a cell of figures, or has its reason in EXCUSED."""
    known = [*(fragment for cell in noted(name)["figures"] for fragment in cell),
             *EXCUSED.get(name, {})]
    loose = [f"line {line}: {number} in {around!r}"
             for words, lines in prose.texts(read_source(name))
             for number, line, around in unconfirmed(words, lines, known)]
    assert not loose, "\n".join([f"solutions/{name}.py: add a cell of figures (or, where no run "
                                 f"gives the number, a line to EXCUSED) for", *loose])


def unconfirmed(words, lines, known):
    """The numbers of a text outside all known fragments: number, line, the words around it."""
    text = " ".join(words)
    covered = [match.span() for fragment in known
               for match in re.finditer(re.escape(fragment), text)]
    visible = NO_PROSE.sub(lambda match: "_" * len(match[0]), text)
    for match in NUMBER.finditer(visible):
        if not any(start <= match.start() and match.end() <= end for start, end in covered):
            line = lines[text.count(" ", 0, match.start())]
            yield match[0], line, text[max(match.start() - 25, 0):match.end() + 25]


def test_unconfirmed_numbers_are_found():
    text = "Of `0.1` and $0.2 < 1$ <b>0.3</b> only 74 % and 0.62 are numbers, 39 is none"
    found = list(unconfirmed(text.split(), [7] * 20, ["only 74 % and"]))
    assert [(number, line) for number, line, _ in found] == [("0.3", 7), ("0.62", 7)]


@pytest.mark.parametrize("name", NAMES)
def test_excuses_are_needed(name):
    for fragment in EXCUSED.get(name, {}):
        assert not prose.find_fault(fragment, list(prose.texts(read_source(name)))), fragment


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_computed_not_typed(name):
    for cell in cells_of_figures(name):
        typed = [node.value for node in ast.walk(ast.parse(cell.source))
                 if isinstance(node, ast.Constant) and isinstance(node.value, str)
                 and NUMBER.search(node.value)]
        assert not typed, f"let the run fill in the number: {typed}"


@pytest.mark.parametrize("name", NAMES)
def test_cells_of_figures_keep_their_names_to_themselves(name):
    """Else a picture could depend on a cell that no reader has."""
    cells = build.convert(read_source(name)).cells
    used = {node.id for cell in cells if cell.cell_type == "code"
            for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Name)}
    for cell in cells_of_figures(name):
        given = {node.id for statement in ast.parse(cell.source).body
                 if isinstance(statement, ast.Assign) for target in statement.targets
                 for node in ast.walk(target) if isinstance(node, ast.Name)}
        assert not given & used, f"call them something else: {sorted(given & used)}"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_new_run_gives_the_same_figures(name, tmp_path):
    """Minutes: the whole notebook in the full profile."""
    (tmp_path / "solutions").mkdir()
    for file in ("course.toml", f"solutions/{name}.py"):
        shutil.copyfile(ROOT / file, tmp_path / file)
    solution = build.build_solution(name, root=tmp_path)  # raises where a text says otherwise
    assert nbformat.read(solution, as_version=4).metadata.get("cs_vis") == noted(name)
