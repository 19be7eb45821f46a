"""Building and grading, on a course of one small notebook that needs no torch."""

import json
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook

from cs_vis import __version__, datasets
from cs_vis.grading import build, prose, stock
from cs_vis.course import ROOT, find_assignment, read_course

TOY = Path(__file__).parent / "toy_course"
NAME = "01_toy"
RIGHT = {"double_solution": "def double(x):\n    return x + x",
         "half_solution": "def half(x):\n    return 0.5 * x"}
FRAGMENTS = [["Twice 3 is six, 4 % of 150"], ["half of 5 will be 2.50"]]


def copy_toy(folder):
    shutil.copytree(TOY, folder)
    shutil.copyfile(ROOT / "nbgrader_config.py", folder / "nbgrader_config.py")
    return folder


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """A built toy course."""
    root = copy_toy(tmp_path_factory.mktemp("toy") / "course")
    build.build(NAME, root=root)
    return root


def released(root):
    return nbformat.read(root / "notebooks" / NAME / f"{NAME}.ipynb", as_version=4)


def solved(root):
    return nbformat.read(root / "solutions" / NAME / f"{NAME}.ipynb", as_version=4)


def change(root, old, new):
    """Write something else in the course's source."""
    source = root / "solutions" / f"{NAME}.py"
    text = source.read_text()
    assert text.count(old) == 1
    source.write_text(text.replace(old, new))


def stands_on(root):
    source = (root / "solutions" / f"{NAME}.py").read_text()
    return prose.stands_on(build.convert(source, figures=True))


def all_bytes(root):
    return {file: file.read_bytes() for file in sorted(root.glob("*/01_toy/*"))}


def test_building_twice_changes_no_byte(toy):
    first = all_bytes(toy)
    assert len(first) == 2
    build.build(NAME, root=toy)
    assert all_bytes(toy) == first


def test_the_environment_does_not_change_what_is_built(monkeypatch, tmp_path):
    for name in build.DRAWS:
        monkeypatch.setenv(name, "test")
    names = "('CS_VIS_PROFILE', 'CS_VIS_WEIGHTS', 'MPLBACKEND')"
    notebook = build.convert(f"# %%\nimport os\nprint([os.environ.get(n) for n in {names}])")
    build.run(notebook, tmp_path)
    assert notebook.cells[0].outputs[0].text.startswith("['full', None, 'module://")
    build.run(notebook, tmp_path, profile="test")
    assert notebook.cells[0].outputs[0].text.startswith("['test', None, 'module://")


@pytest.mark.slow
@pytest.mark.parametrize("name", [entry["name"] for entry in read_course()["assignments"]])
def test_executing_twice_gives_the_same_bytes(name, tmp_path):
    text = (ROOT / "solutions" / f"{name}.py").read_text(encoding="utf-8")
    first, second = build.convert(text), build.convert(text)
    for notebook in (first, second):
        build.run(notebook, tmp_path, profile="test")
    for one, other in zip(first.cells, second.cells):
        assert one == other, one.id
    assert nbformat.writes(first) == nbformat.writes(second)


def test_no_execute_keeps_the_outputs_of_unchanged_cells(toy, tmp_path):
    root = shutil.copytree(toy, tmp_path / "course")
    first = all_bytes(root)
    build.build(NAME, execute=False, root=root)
    assert all_bytes(root) == first
    source = root / "solutions" / f"{NAME}.py"
    source.write_text(source.read_text().replace('print("double: right")', 'print("double: yes")'))
    solution, _ = build.build(NAME, execute=False, root=root)
    cells = {cell.id: cell for cell in nbformat.read(solution, as_version=4).cells}
    assert cells["double_check"].outputs == []
    assert cells["cell-006"].outputs[0].text == "a picture that takes long\n"


def test_metadata_is_complete_and_free_of_times_and_versions(toy):
    solution = json.loads((toy / "solutions" / NAME / f"{NAME}.ipynb").read_text())
    confirmed = solution["metadata"].pop("cs_vis")
    assert confirmed == {"figures": FRAGMENTS, "of": stands_on(toy)}
    assert solution["metadata"] == build.METADATA
    for cell in solution["cells"]:
        assert set(cell["metadata"]) <= {"nbgrader", "tags"}
        assert "raises-exception" not in cell["metadata"].get("tags", [])
    setup = next(cell for cell in solution["cells"] if cell["id"] == "setup")
    assert setup["metadata"]["nbgrader"] == {**build.ROLES, "grade_id": "setup", "locked": True}


def test_the_release_has_stubs_and_tagged_checks(toy):
    cells = {cell.id: cell for cell in released(toy).cells}
    assert cells["double_solution"].source.endswith("raise NotImplementedError  # your code here")
    for name in ("double_check", "double_hidden", "half_check"):
        assert "raises-exception" in cells[name].metadata.tags
    text = json.dumps(released(toy))
    assert "SOLUTION" not in text and "HIDDEN" not in text and "secret_input" not in text


def test_a_failing_check_stops_the_build(toy, tmp_path):
    root = shutil.copytree(toy, tmp_path / "course")
    source = root / "solutions" / f"{NAME}.py"
    source.write_text(source.read_text().replace("return 2 * x", "return 3 * x"))
    with pytest.raises(Exception, match="twice 3 is 6"):
        build.build(NAME, root=root)


def test_cells_of_figures_leave_no_trace(toy):
    """But for the note in the executed solution: ids and counts are as if they were not there."""
    for notebook in (solved(toy), released(toy)):
        assert not [cell for cell in notebook.cells if "prose" in cell.source]
        assert [cell.id for cell in notebook.cells if cell.id.startswith("cell-")] == [
            "cell-000", "cell-002", "cell-006", "cell-007"]
    counts = [cell.execution_count for cell in solved(toy).cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert released(toy).metadata.cs_vis == {"version": __version__}


def test_wrong_numbers_stop_the_build_all_at_once(toy, tmp_path):
    root = shutil.copytree(toy, tmp_path / "course")
    right, wrong = "4 % of 150; half of 5 will be 2.50,", "3 % of 150; half as much is 2.4,"
    change(root, right, wrong)
    with pytest.raises(ValueError) as caught:
        build.build(NAME, root=root)
    said = str(caught.value)
    assert "2 of its figures are not those of the run" in said
    assert ('line 29: the run gives "Twice 3 is six, 4 % of 150", '
            'but line 9 says "Twice 3 is six, 3 % of 150;"') in said
    assert 'the run gives "half of 5 will be 2.50", and no text says anything like it' in said
    change(root, wrong, right)
    build.build(NAME, execute=False, root=root)  # the run was kept, and now the text agrees
    assert list(all_bytes(root).values()) == list(all_bytes(toy).values())


def test_no_execute_compares_the_texts_with_the_last_run(toy, tmp_path):
    root = shutil.copytree(toy, tmp_path / "course")
    change(root, "4 % of 150", "5 % of 150")
    with pytest.raises(ValueError, match='the run gives "Twice 3 is six, 4 % of 150", but line 9'):
        build.build(NAME, execute=False, root=root)


def test_no_execute_forgets_figures_of_other_code(toy, tmp_path):
    root = shutil.copytree(toy, tmp_path / "course")
    change(root, "will be {half(5):.2f}", "will be {half(5):.1f}")
    build.build(NAME, execute=False, root=root)
    assert "cs_vis" not in solved(root).metadata


def test_no_execute_forgets_figures_of_other_networks(toy, tmp_path, monkeypatch):
    root = shutil.copytree(toy, tmp_path / "course")
    for folder in ("weights", "gallery"):
        (tmp_path / folder).mkdir()
    (tmp_path / "weights" / "specimens-robust.safetensors").write_bytes(b"trained anew")
    monkeypatch.setattr(datasets, "FOLDERS", (tmp_path,))
    build.build(NAME, execute=False, root=root)
    assert "cs_vis" not in solved(root).metadata


def test_a_fragment_must_be_text_and_stand_once():
    cell = nbformat.v4.new_code_cell("7", outputs=[nbformat.v4.new_output(
        "execute_result", {"text/plain": "7"}, execution_count=1)])
    with pytest.raises(ValueError, match="must end in a list of strings"):
        prose.fragments(cell)
    source = '# %% [markdown]\n# It is 3 %, and that is 3 %.\n\n# %% tags=["figures"]\n1\n'
    with pytest.raises(ValueError, match='line 4: "3 %" stands in the texts 2 times'):
        prose.confirm(source, [["3 %"]], NAME)


def test_words_for_numbers():
    assert [prose.spelled(n) for n in (2.3, 6.4, 0, 13, -1)] == ["two", "six", "no", "13", "-1"]
    assert [prose.fraction(p) for p in (0.33, 0.48, 0.42)] == ["a third", "half", "42 %"]
    assert prose.article("owl") + prose.article("bee") == "an *owl*a *bee*"
    assert prose.claim("all pass", False) != prose.claim("all pass", True) == "all pass"


def test_points_and_grade_ids_are_checked():
    text = (TOY / "solutions" / f"{NAME}.py").read_text()
    with pytest.raises(ValueError, match="points=7 .* sum to 5"):
        build.check_points(build.convert(text), 7)
    with pytest.raises(ValueError, match="grade_id='double_check' stands on two cells"):
        build.check_points(build.convert(text.replace("double_hidden", "double_check")), 5)


def test_a_large_notebook_is_refused(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "LIMIT", 1000)
    with pytest.raises(ValueError, match="bytes of the 1,000 allowed"):
        build.build_solution(NAME, execute=False, root=toy)


def test_names_and_places_that_do_not_exist(toy, tmp_path):
    with pytest.raises(KeyError, match="assignment='02_more' is not in course.toml"):
        find_assignment("02_more", toy)
    with pytest.raises(FileNotFoundError, match="no course.toml"):
        read_course(tmp_path)
    shutil.copyfile(TOY / "course.toml", tmp_path / "course.toml")
    with pytest.raises(FileNotFoundError, match="has no source"):
        build.build_solution(NAME, root=tmp_path)
    shutil.copyfile(ROOT / "nbgrader_config.py", tmp_path / "nbgrader_config.py")
    with pytest.raises(FileNotFoundError, match="run `cs-vis build 01_toy`"):
        stock.make_workspace(tmp_path / "work", NAME, root=tmp_path)


USING = "# %% [markdown]\n# A title\n\n# %%\nfrom cs_vis import check\n"


def first_cell():
    return build.convert(USING).cells[1]


def test_a_notebook_that_uses_cs_vis_begins_with_the_courses_cell():
    notebook = build.convert(USING)
    assert [cell.id for cell in notebook.cells] == ["cell-000", "setup_course", "cell-001"]
    roles = notebook.cells[1].metadata.nbgrader
    assert roles.locked and not roles.grade and not roles.solution
    assert f"cs_vis-{__version__}-py3-none-any.whl" in notebook.cells[1].source
    assert "VERSION" not in notebook.cells[1].source and len(first_cell().source.split("\n")) <= 12
    assert [cell.id for cell in build.convert("# %%\nimport cs_visible").cells] == ["cell-000"]


def test_the_courses_cell_is_silent_where_all_is_well(capsys):
    exec(first_cell().source, {})
    assert capsys.readouterr().out == ""


def test_the_courses_cell_names_another_version_and_goes_on(capsys, monkeypatch):
    monkeypatch.setattr("cs_vis.notebook.__version__", "0.0.7")
    exec(first_cell().source, {})
    said = capsys.readouterr().out
    assert said == (f"This notebook was made for cs_vis {__version__}, and here is 0.0.7. It may "
                    f"work all the same.\nTo have that one: %pip install "
                    f"cs_vis-{__version__}-py3-none-any.whl, then restart the kernel.\n")


def test_the_courses_cell_says_what_to_do_where_cs_vis_is_missing():
    """In a real kernel: the sentence, and no traceback."""
    hide = new_code_cell("import sys\nsys.modules['cs_vis'] = None")
    notebook = new_notebook(cells=[hide, first_cell(), new_code_cell("1 + 1")])
    with pytest.raises(CellExecutionError):
        build.NotebookClient(notebook, kernel_name="python3").execute()
    output, = notebook.cells[1].outputs
    assert len(output.traceback) == 3 and "Traceback" not in output.traceback[0]
    assert output.traceback[1] == f"%pip install cs_vis-{__version__}-py3-none-any.whl"
    assert not notebook.cells[2].outputs  # "Run all" stops there


def test_a_new_version_alone_keeps_outputs_and_figures(monkeypatch):
    """The cell that names it computes nothing, so no run is lost."""
    old = build.convert(USING)
    for count, cell in enumerate(old.cells[1:], 1):
        cell.execution_count = count
    monkeypatch.setattr(build, "__version__", "99.0")
    new = build.convert(USING)
    assert "99.0" in new.cells[1].source
    assert prose.stands_on(new) == prose.stands_on(old)
    build.keep_outputs(new, old)
    assert [cell.execution_count for cell in new.cells[1:]] == [1, 2]


def test_a_solution_that_does_not_run_is_one_error(toy, tmp_path):
    root = shutil.copytree(toy, tmp_path / "course")
    change(root, "return 2 * x", "return 3 * x")
    with pytest.raises(RuntimeError, match=r"(?s)nothing was built.*assert double.*twice 3 is 6"):
        build.build(NAME, root=root)
