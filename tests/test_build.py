"""Building and grading, on a course of one small notebook that needs no torch."""

import json
import shutil
from pathlib import Path

import nbformat
import pytest

from cs_vis.grading import build, stock
from cs_vis.grading.course import ROOT, find_assignment, read_course

TOY = Path(__file__).parent / "toy_course"
NAME = "01_toy"
RIGHT = {"double_solution": "def double(x):\n    return x + x",
         "half_solution": "def half(x):\n    return 0.5 * x"}


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
