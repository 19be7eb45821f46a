"""`cs-vis check FILE`: what is said of whole, unfinished, damaged and foreign files."""

import copy
import io
import json
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cs_vis import __version__, handin
from cs_vis.cells import is_answer, place, text
from cs_vis.course import notebook_file
from cs_vis.grading.rebuild import rebuild
from cs_vis.handin import FINE, MEND, NOTE, STUB, called, look_at, report

NAME = "03_saliency"
RELEASE = json.loads(notebook_file(NAME).read_text(encoding="utf-8"))
RELEASE["metadata"]["cs_vis"] = {"version": __version__}
CELLS = {place(cell): cell for cell in RELEASE["cells"]}
ANSWERS = [name for name, cell in CELLS.items() if is_answer(cell)]
CALLED = [called(CELLS[name]) for name in ANSWERS]  # as students know them


@pytest.fixture
def solved():
    """The notebook with something written into each cell for an answer."""
    notebook = copy.deepcopy(RELEASE)
    for cell in notebook["cells"]:
        if is_answer(cell):
            cell["source"] = text(cell).replace(STUB, "return 7")
    return notebook


def cell_of(notebook, name):
    return next(cell for cell in notebook["cells"] if place(cell) == name)


def said_of(tmp_path, content, name=f"{NAME}.ipynb"):
    """The remarks on a file with this content: mark -> sentences."""
    if not isinstance(content, bytes):
        content = json.dumps(content).encode()
    file = tmp_path / name
    file.write_bytes(content)
    remarks = look_at(file)
    assert file.read_bytes() == content
    return {mark: " ".join(r.sentence for r in remarks if r.mark == mark)
            for mark in (FINE, NOTE, MEND)}


def test_a_solved_notebook_is_fit(tmp_path, solved):
    said = said_of(tmp_path, solved)
    assert not said[MEND] and not said[NOTE]
    for part in (f"whole notebook, {NAME}.ipynb", f"version {__version__}",
                 f"All {len(ANSWERS)} cells for answers", "as they were handed out"):
        assert part in said[FINE]
    assert "Fit to hand in." in report(look_at(tmp_path / f"{NAME}.ipynb"))


def test_a_fresh_notebook_is_not(tmp_path):
    said = said_of(tmp_path, RELEASE)
    assert "No exercise is solved yet" in said[MEND]
    assert "Not fit to hand in yet" in report(look_at(tmp_path / f"{NAME}.ipynb"))


def test_unsolved_exercises_are_named_and_do_not_stand_in_the_way(tmp_path, solved):
    stub = text(cell_of(RELEASE, ANSWERS[1]))
    cell_of(solved, ANSWERS[1])["source"] = "# half done\n" + stub
    said = said_of(tmp_path, solved)
    assert not said[MEND] and f"cleared of `{STUB}`: {CALLED[1]}." in said[NOTE]


def test_another_name_says_which_one_it_should_be(tmp_path, solved):
    said = said_of(tmp_path, solved, "my solution (1).ipynb")
    assert said[MEND] == f"The file is called my solution (1).ipynb: rename it to {NAME}.ipynb."


def test_versions(tmp_path, solved):
    solved["metadata"]["cs_vis"] = {"version": "0.0.7"}
    said = said_of(tmp_path, solved)
    assert f"It is of cs_vis 0.0.7, and here is {__version__}" in said[MEND]
    assert "new-workspace" in said[MEND] and not said[NOTE]
    for unknown in ({}, {"cs_vis": 7}, {"cs_vis": {}}):
        solved["metadata"] = unknown
        said = said_of(tmp_path, solved)
        assert not said[MEND] and "does not say which version" in said[NOTE]


def test_another_version_that_notes_none_is_told_by_its_checksums(tmp_path, solved):
    """As the grader tells it."""
    del solved["metadata"]["cs_vis"]
    cell_of(solved, ANSWERS[0])["metadata"]["nbgrader"]["checksum"] = "0" * 32
    assert "It is of another release of cs_vis" in said_of(tmp_path, solved)[MEND]


def test_cells_are_called_by_what_students_see():
    assert CALLED[0] == "compute_saliency_maps"
    assert called(CELLS["saliency_check"]) == "`check.compute_saliency_maps(compute_saliency_maps)`"
    assert called(CELLS["saliency_hidden_batch"]).startswith("`# Two points: three images")


def test_an_answer_in_words_that_was_not_touched(tmp_path, solved, monkeypatch):
    """A cell for a text has no line that raises: it is unsolved where it is as it was."""
    words = {"cell_type": "markdown", "id": "words", "source": "YOUR ANSWER HERE",
             "metadata": {"nbgrader": {"grade_id": "words", "solution": True, "grade": True}}}
    release = {**RELEASE, "cells": [*RELEASE["cells"], words]}
    monkeypatch.setattr(handin, "released", lambda notebook: (NAME, release))
    solved["cells"].append(words)
    assert "`YOUR ANSWER HERE`." in said_of(tmp_path, solved)[NOTE]
    solved["cells"][-1] = {**words, "source": "Because."}
    assert not said_of(tmp_path, solved)[NOTE]


@pytest.mark.parametrize("spoil", [lambda cells, i: cells.pop(i),
                                   lambda cells, i: cells[i].update(source=[" \n"])])
def test_a_missing_or_empty_answer_is_named(tmp_path, solved, spoil):
    where = [place(cell) for cell in solved["cells"]].index(ANSWERS[0])
    spoil(solved["cells"], where)
    said = said_of(tmp_path, solved)
    assert f"Missing or empty: {CALLED[0]}." in said[MEND]


def test_an_answer_twice(tmp_path, solved):
    solved["cells"].append({**cell_of(solved, ANSWERS[0]), "id": "copied"})
    said = said_of(tmp_path, solved)
    assert not said[MEND] and f"More than once: {CALLED[0]}." in said[NOTE]


def test_the_last_copy_that_is_not_empty_counts(tmp_path, solved):
    """As the grader has it: a stub pasted after the answer is what counts."""
    solved["cells"].append(copy.deepcopy(cell_of(RELEASE, ANSWERS[0])))
    said = said_of(tmp_path, solved)
    assert f"cleared of `{STUB}`: {CALLED[0]}." in said[NOTE]


def test_changed_and_deleted_checks_are_named(tmp_path, solved):
    first, second = [place(cell) for cell in solved["cells"]
                     if cell["metadata"].get("nbgrader", {}).get("grade")][:2]
    cell_of(solved, first)["source"] = "pass"
    solved["cells"].remove(cell_of(solved, second))
    said = said_of(tmp_path, solved)
    assert not said[MEND] and "as they were handed out." in said[NOTE]
    assert f"Changed, though they are the course's: {called(CELLS[first])}." in said[NOTE]
    assert f"Deleted, though they are the course's: {called(CELLS[second])}." in said[NOTE]


@pytest.mark.parametrize("line", ["!ls", "%pip install captum", "%%bash\nls"])
def test_lines_for_the_shell(tmp_path, solved, line):
    solved["cells"].append({"cell_type": "code", "metadata": {}, "source": line})
    assert "call the shell" in said_of(tmp_path, solved)[NOTE]


def test_cells_whose_ids_an_editor_dropped(tmp_path, solved):
    """The course's cells are told by their texts, an answer by either of its two names."""
    for cell in solved["cells"]:
        if is_answer(cell):
            del cell["metadata"]["nbgrader"]
        else:
            del cell["id"]
    said = said_of(tmp_path, solved)
    assert not said[MEND] and "Deleted" not in said[NOTE]


def zipped():
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as inside:
        inside.writestr("notebook.ipynb", json.dumps(RELEASE))
    return archive.getvalue()


FOREIGN = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
    {"cell_type": "code", "id": "a", "metadata": {}, "source": "1 + 1", "outputs": []}]}


@pytest.mark.parametrize("content, part", [
    (b"", "is empty"),
    (b" \n", "is empty"),
    (json.dumps(RELEASE, indent=1).encode()[:9000], "breaks off, or is damaged, in line"),
    (zipped(), "is a packed archive: unpack it"),
    (b"\n<!DOCTYPE html><html></html>", "is a web page"),
    (b"\x89PNG\r\n\x1a\n\xff\xfe", "is not text"),
    (json.dumps(RELEASE).encode("utf-16"), "is not text"),
    (b"[" * 100_000, "is no notebook"),
    (b"[1, 2]", "no notebook of the format 4"),
    (b"{}", "no notebook of the format 4"),
    ({**RELEASE, "nbformat": 3}, "no notebook of the format 4"),
    ({**RELEASE, "cells": [7]}, "no notebook of the format 4"),
    ({**RELEASE, "cells": [{"source": 7}]}, "no notebook of the format 4"),
    ({**RELEASE, "metadata": None}, "no notebook of the format 4"),
    (FOREIGN, "none of the course's notebooks"),
    ({**FOREIGN, "cells": [{"metadata": {"nbgrader": {"grade_id": []}}}]}, "none of the course's"),
])
def test_what_is_no_notebook_of_the_course(tmp_path, content, part):
    said = said_of(tmp_path, content)
    assert part in said[MEND] and not said[FINE]


def test_places_without_a_notebook(tmp_path, solved, monkeypatch):
    assert "is not there" in look_at(tmp_path / "nothing.ipynb")[0].sentence
    assert "is a folder: name the notebook in it" in look_at(tmp_path)[0].sentence
    monkeypatch.setattr(handin, "LARGEST", 1000)
    assert "clear the outputs of all cells" in said_of(tmp_path, solved)[MEND]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_damage_makes_it_raise(tmp_path_factory, data):
    """Any JSON in any place of the notebook, and any cut of its bytes, ends in sentences."""
    values = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                          lambda inner: st.lists(inner, max_size=3)
                          | st.dictionaries(st.sampled_from(
                              ["nbgrader", "grade_id", "solution", "tags", "source"]), inner))
    notebook = copy.deepcopy(RELEASE)
    cell = data.draw(st.sampled_from(notebook["cells"]))
    cell[data.draw(st.sampled_from(["source", "metadata", "cell_type", "id"]))] = data.draw(values)
    content = json.dumps(notebook).encode()
    file = tmp_path_factory.mktemp("damaged") / f"{NAME}.ipynb"
    file.write_bytes(content[:data.draw(st.sampled_from([len(content), len(content) // 2]))])
    assert all(remark.sentence for remark in look_at(file))


def test_the_grader_sees_the_same(solved):
    """Where nothing is said here, the grader has nothing to undo."""
    from nbformat import from_dict
    _, remarks = rebuild(from_dict(RELEASE), from_dict(solved))
    assert remarks == []
