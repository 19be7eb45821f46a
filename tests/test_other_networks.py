"""Every notebook that names its network runs on a real one too, with photographs, to its end."""

import os
import re

import nbformat
import pytest
from nbclient import NotebookClient

from cs_vis.course import ROOT, assignments
from cs_vis.models import NAMES, weights

NETWORK = "squeezenet1_0"
NOTEBOOKS = [name for name in assignments()
             if "chosen_network(" in (ROOT / "solutions" / f"{name}.py").read_text()]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.environ.get("CS_VIS_WEIGHTS")
                       or weights.in_folder(NETWORK, NAMES) is None,
                       reason=f"CS_VIS_WEIGHTS names no folder with {NETWORK}*.safetensors"),
    pytest.mark.skipif(not os.environ.get("CS_VIS_PHOTOS"),
                       reason="CS_VIS_PHOTOS is unset: name a folder with photographs "
                              "NNNN_label.jpg, NNNN the ImageNet class")]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_runs_on_squeezenet_without_an_error_or_a_failed_part(name, tmp_path):
    notebook = nbformat.read(ROOT / "solutions" / name / f"{name}.ipynb", as_version=4)
    client = NotebookClient(notebook, kernel_name="python3", timeout=600, allow_errors=False,
                            resources={"metadata": {"path": str(tmp_path)}})
    client.execute(env={**os.environ, "CS_VIS_NETWORK": NETWORK, "CS_VIS_PROFILE": "test",
                        "MPLBACKEND": "module://matplotlib_inline.backend_inline"})
    said = [output.get("text", "") for cell in notebook.cells if cell.cell_type == "code"
            for output in cell.outputs]
    # `needs` turns an error into a line that begins so: none may hide there.
    assert not [text for text in said if re.match(r"[✗○]", text)]
    shown = [output.get("data", {}) for cell in notebook.cells if cell.cell_type == "code"
             for output in cell.outputs]
    assert sum("image/png" in data or "image/jpeg" in data for data in shown) >= 5
