"""What all tests share: the devices, the `slow` marker, one thread, figures without a screen."""

import os
import sys
import tempfile

# Before torch and matplotlib are imported, for both read these only once. One thread, and none
# that waits by spinning: tests run side by side, and a spinning thread takes a core from the next.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ["MPLBACKEND"] = "Agg"
# What is drawn once and kept is not to land among the user's own files.
os.environ.setdefault("CS_VIS_CACHE", os.path.join(tempfile.gettempdir(), "cs_vis-tests"))

import pytest
import torch

from mistake_table import pytest_terminal_summary  # noqa: F401, a hook

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(
    not torch.cuda.is_available(), reason="this machine has no CUDA device"))]


def pytest_addoption(parser):
    parser.addoption("--run-slow", action="store_true", help="run the tests marked slow, too")


def pytest_configure(config):
    torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32 = False  # float32 is to mean float32 on every device


def pytest_collection_modifyitems(config, items):
    if config.getoption("--run-slow"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="slow; --run-slow runs it"))


@pytest.fixture(params=DEVICES)
def device(request):
    """The CPU, and CUDA where there is one."""
    return torch.device(request.param)


@pytest.fixture
def no_ipywidgets(monkeypatch):
    """ipywidgets cannot be imported, and no module has done so yet."""
    from cs_vis import widgets
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    monkeypatch.delattr(widgets, "panels", raising=False)
    for name in ("panels", "controls", "screen"):
        monkeypatch.delitem(sys.modules, f"cs_vis.widgets.{name}", raising=False)


@pytest.fixture
def generator():
    """Random numbers that are the same in every run."""
    return torch.Generator().manual_seed(0)
