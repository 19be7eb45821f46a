"""The wheel is the student's: it holds the data, no answer, no grader, and it works alone."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from cs_vis import __version__
from cs_vis.cells import is_answer
from cs_vis.course import assignments

NAME = assignments()[0]
ROOT = Path(__file__).resolve().parent.parent
FORBIDDEN = ("reference", "grading", "training", "mistakes", "solutions", "submitted", "autograded",
             "tests", "gradebook", "__pycache__", "checkpoint", ".pyc")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
                   cwd=ROOT, check=True, capture_output=True)
    path, = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_no_answer_and_no_grader_is_inside(names):
    assert not [name for name in names if any(word in name for word in FORBIDDEN)]


def test_nothing_but_the_package_is_inside(names):
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"cs_vis"}
    endings = {Path(name).suffix for name in names if name.startswith("cs_vis/")}
    assert endings <= {".py", ".safetensors", ".png", ".webp", ".jpg", ".mp4", ".json", ".toml",
                       ".ipynb"}


def test_the_notebooks_inside_are_the_released_ones_and_unsolved(wheel, names):
    """Those of course.toml, to the byte; a stub in each cell for an answer, and no hidden test."""
    assert {name for name in names if name.endswith(".ipynb")} == {
        f"cs_vis/_datasets/notebooks/{name}/{name}.ipynb" for name in assignments()}
    with zipfile.ZipFile(wheel) as archive:
        for name in assignments():
            file = f"notebooks/{name}/{name}.ipynb"
            content = archive.read(f"cs_vis/_datasets/{file}")
            assert content == (ROOT / file).read_bytes()
            text = content.decode()
            assert all(mark not in text for mark in ("### BEGIN", "### END", "cs_vis.grading",
                                                     "cs_vis.reference"))
            answers = [cell for cell in json.loads(text)["cells"]
                       if is_answer(cell) and cell["cell_type"] == "code"]
            assert answers
            assert all("raise NotImplementedError" in "".join(cell["source"]) for cell in answers)


def test_a_notebook_that_was_solved_in_its_place_stops_the_build(tmp_path):
    """And what else lies beside it is left out."""
    for name in ("pyproject.toml", "README.md", "LICENSE", "course.toml", "hatch_build.py",
                 "cs_vis/__init__.py",
                 *(f"notebooks/{name}/{name}.ipynb" for name in assignments())):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    notebook = tmp_path / "notebooks" / NAME / f"{NAME}.ipynb"
    shutil.copyfile(notebook, notebook.with_name(f"{NAME}-Copy1.ipynb"))
    assert build(tmp_path).returncode == 0
    with zipfile.ZipFile(*(tmp_path / "dist").glob("*.whl")) as archive:
        assert not [name for name in archive.namelist() if "Copy1" in name]
    notebook.write_text(notebook.read_text("utf-8").replace("raise NotImplementedError", "pass"),
                        "utf-8")
    refused = build(tmp_path)
    assert refused.returncode and "is solved, and students would get it" in refused.stderr


def build(folder):
    return subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel"], cwd=folder,
                          capture_output=True, text=True)


def test_no_module_of_the_wheel_imports_what_it_lacks(wheel):
    """Except where it says so: commands for instructors are imported when they are called."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            lines = archive.read(name).decode().splitlines() if name.endswith(".py") else []
            bad = [line for line in lines if line.startswith(("import ", "from "))
                   and any(word in line for word in ("reference", "grading", "training"))]
            assert not bad, f"{name}: {bad}"


def test_the_data_are_inside(names):
    for network in ("specimens", "specimens-robust"):
        assert f"cs_vis/_datasets/weights/{network}.safetensors" in names
    assert "cs_vis/_datasets/goldens/03_saliency.safetensors" in names
    pictures = [name for name in names if name.startswith("cs_vis/_datasets/gallery/")]
    assert len([name for name in pictures if name.endswith(".webp")]) >= 20


def test_the_readme_names_the_wheel_as_it_is_called(wheel):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"cs_vis-[^\s\"`]+?\.whl", text)) == {wheel.name}


def test_it_is_small(wheel):
    assert wheel.stat().st_size <= 25e6


@pytest.fixture(scope="module")
def student(wheel, tmp_path_factory):
    """The Python of a new environment: it sees our packages, but not our clone."""
    folder = tmp_path_factory.mktemp("student")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    python = folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    # pip unpacks the wheel with no index, and a .pth line lends the packages we have. It lends
    # no .pth file among them, so that the editable install of the clone stays out of sight.
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps",
        "-q", wheel)
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    Path(site, "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def run(*command, cwd=None):
    result = subprocess.run(command, cwd=cwd, env=elsewhere(), text=True, capture_output=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def elsewhere():
    """The environment without what would lead to the clone."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}


SALIENCY = """
from cs_vis import images, load_model
from cs_vis.methods.saliency import DeconvReLU, backprop
import cs_vis, importlib.util
print(cs_vis.__file__)
for name in ("reference", "grading", "training"):
    assert importlib.util.find_spec("cs_vis." + name) is None
network = load_model("specimens")
image = images.photo("chelsea", size=128)
k = int(network(image).argmax())
saliency = backprop(network, image, k, relu=DeconvReLU).abs().amax(1)
images.save((saliency / saliency.max()).expand(3, -1, -1), "saliency.png")
"""


@pytest.mark.slow
def test_it_works_in_an_environment_without_the_clone(student, tmp_path):
    report = run(student, "-m", "cs_vis", "doctor", cwd=tmp_path)
    assert "All is well." in report
    where = run(student, "-c", SALIENCY, cwd=tmp_path)
    assert str(ROOT) not in where
    assert (tmp_path / "saliency.png").stat().st_size > 1000


@pytest.mark.slow
def test_graded_cells_are_called_where_only_the_wheel_is(student, tmp_path):
    """Drawn and judged here, in the clone; called there."""
    from test_hidden import judged_apart, solution_cells
    said = judged_apart(tmp_path, "03_saliency", solution_cells(), python=student)
    assert len(said) == 14 and not any(said.values()), said


@pytest.mark.slow
def test_a_student_lays_out_solves_and_looks_before_handing_in(student, tmp_path):
    """With the wheel alone: the notebook comes out of it, runs, and is told whole or not."""
    run(student, "-m", "cs_vis", "new-workspace", "my-course", cwd=tmp_path)
    folder = tmp_path / "my-course" / NAME
    notebook = nbformat.read(folder / f"{NAME}.ipynb", as_version=4)
    notebook.cells = [cell for cell in notebook.cells if "setup" in cell.metadata.get("tags", [])]
    notebook.cells += [nbformat.v4.new_code_cell(
        "import cs_vis\nprint(cs_vis.__file__)\ncheck.progress()")]
    NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(folder)}},
                   kernel_manager_class=kernels_of(student)).execute(env=elsewhere())
    said = notebook.cells[-1].outputs[0].text
    assert str(ROOT) not in said and "No check has run in this session." in said
    answer = subprocess.run([student, "-m", "cs_vis", "check", folder / f"{NAME}.ipynb"],
                            cwd=tmp_path, env=elsewhere(), capture_output=True, text=True)
    assert answer.returncode == 1 and "No exercise is solved yet" in answer.stdout


def kernels_of(python):
    """Kernels that run in another environment than ours."""
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpec

    class Kernels(AsyncKernelManager):
        kernel_spec = KernelSpec(language="python", display_name="student", argv=[
            str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"])
    return Kernels
