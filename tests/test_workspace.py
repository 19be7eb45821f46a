"""`cs-vis new-workspace DIR`: notebooks laid out, and nobody's work touched."""

import json
import os
import shutil
from pathlib import Path

import pytest

from cs_vis import __version__, course, workspace
from cs_vis.course import assignments, notebook_file

NAME = assignments()[0]
FILE = Path(NAME, f"{NAME}.ipynb")


def everything(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*")
            if path.is_file()}


@pytest.fixture
def stamped(tmp_path, monkeypatch):
    """A package whose notebooks say that they are of this version."""
    for name in assignments():
        target = tmp_path / "package" / name / f"{name}.ipynb"
        target.parent.mkdir(parents=True)
        target.write_bytes(of_version(name, __version__))
    monkeypatch.setattr(course, "NOTEBOOKS", (tmp_path / "package",))


def of_version(name, version):
    notebook = json.loads(Path(course.ROOT, "notebooks", name, f"{name}.ipynb").read_text("utf-8"))
    notebook["metadata"]["cs_vis"] = {"version": version}
    return json.dumps(notebook).encode()


def test_a_new_folder_gets_every_notebook(tmp_path):
    folder = tmp_path / "deep" / "my course"
    done = workspace.lay_out(folder)
    assert done == [("new", folder / name / f"{name}.ipynb") for name in assignments()]
    assert everything(folder) == {Path(name, f"{name}.ipynb"): notebook_file(name).read_bytes()
                                  for name in assignments()}
    said = workspace.report(folder, done)
    assert f'cd "{folder}"' in said and f"cs-vis check {FILE}" in said


def test_twice_is_harmless(tmp_path):
    workspace.lay_out(tmp_path)
    before = everything(tmp_path)
    assert {what for what, _ in workspace.lay_out(tmp_path)} == {"there"}
    assert everything(tmp_path) == before


def test_work_on_this_version_is_kept(tmp_path, stamped):
    folder = tmp_path / "mine"
    workspace.lay_out(folder)
    notebook = json.loads((folder / FILE).read_text("utf-8"))
    notebook["cells"][0]["source"] = "mine"
    (folder / FILE).write_text(json.dumps(notebook))
    before = everything(folder)
    done = workspace.lay_out(folder)
    assert done[0] == ("kept", folder / FILE) and everything(folder) == before
    assert "with your work; to start afresh, rename it" in workspace.report(folder, done)


@pytest.mark.parametrize("old", [of_version(NAME, "0.1.0"), b"{damaged", b'{"metadata": []}'])
def test_work_on_another_version_is_kept_and_the_new_one_put_beside_it(tmp_path, stamped, old):
    folder = tmp_path / "mine"
    (folder / NAME).mkdir(parents=True)
    (folder / FILE).write_bytes(old)
    beside = folder / NAME / f"{NAME}-{__version__}.ipynb"
    assert workspace.lay_out(folder)[0] == ("beside", beside)
    assert (folder / FILE).read_bytes() == old
    assert beside.read_bytes() == notebook_file(NAME).read_bytes()
    assert workspace.lay_out(folder)[0] == ("there", beside)
    beside.write_bytes(of_version(NAME, __version__) + b" ")
    assert workspace.lay_out(folder)[0] == ("kept", beside)


def test_an_interrupted_run_leaves_no_broken_file(tmp_path, monkeypatch):
    def stop(*arguments):
        raise KeyboardInterrupt
    monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        workspace.lay_out(tmp_path)
    assert everything(tmp_path) == {}
    monkeypatch.undo()
    (tmp_path / NAME / f".{NAME}.ipynb.part").write_bytes(b"of a machine that was switched off")
    workspace.lay_out(tmp_path)
    assert set(everything(tmp_path)) == {Path(name, f"{name}.ipynb") for name in assignments()}


def test_a_file_or_a_folder_in_the_way(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ValueError, match="file' is a file: name a folder"):
        workspace.lay_out(tmp_path / "file")
    with pytest.raises(ValueError, match="cannot be written to .* choose another folder"):
        workspace.lay_out(tmp_path / "file" / "below")
    (tmp_path / FILE).mkdir(parents=True)
    with pytest.raises(ValueError, match="is a folder, and a notebook belongs there: rename it"):
        workspace.lay_out(tmp_path)


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied")
    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(ValueError, match=r"cannot be written to \(Permission denied\): choose"):
        workspace.lay_out(tmp_path)


@pytest.mark.parametrize("step", ["submitted/ada", "solutions", "notebooks/03_saliency"])
def test_folders_of_nbgrader_are_refused(tmp_path, step):
    (tmp_path / "nbgrader_config.py").touch()
    with pytest.raises(ValueError, match="where nbgrader keeps what it hands out and grades"):
        workspace.lay_out(tmp_path / step)
    assert not (tmp_path / step).exists()
    workspace.lay_out(tmp_path / "mine" / step)  # a name alone is no reason


def test_a_package_without_notebooks_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(course, "NOTEBOOKS", (tmp_path / "nowhere",))
    with pytest.raises(FileNotFoundError, match=f"'{NAME}' has no notebook here: reinstall"):
        workspace.lay_out(tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def test_the_package_is_only_read(tmp_path):
    shutil.rmtree(tmp_path)
    before = notebook_file(NAME).read_bytes()
    workspace.lay_out(tmp_path)
    assert notebook_file(NAME).read_bytes() == before
