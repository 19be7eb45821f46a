"""`make setup` takes uv where it can and pip where it must; stand-ins note what they are asked."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PYTHON = f"""#!/bin/sh
case "$*" in
  *"pip config list") exec {sys.executable} -m pip config list;;
  *"uv uv") test -f uv-can-be-had && cp uv .venv/bin/uv; exit;;
esac
all="$*"; echo "pip ${{all#*--no-input }}" >> asked
"""
UV = """#!/bin/sh
test "$1" = --version && exit
all="$*"; echo "uv ${all#*unsafe-best-match }" >> asked
env | grep -E '^(UV_|SSL_CERT_FILE)' > told
test ! -f uv-fails
"""
TWICE = ["-r requirements.txt", "-e . --no-deps"]

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="there is no make here")


@pytest.fixture
def clone(tmp_path):
    """The Makefile beside an environment of stand-ins."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name, text in ((".venv/bin/python", PYTHON), (".venv/bin/pip", PYTHON), ("uv", UV),
                       ("requirements.txt", ""), ("pyproject.toml", "")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return tmp_path


def setup(clone, *variables, **environment):
    """What `make setup` prints, and what uv and pip were asked to install meanwhile."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("MAKE", "MFLAGS", "PIP_", "UV", "SSL_"))}
    asked = clone / "asked"
    asked.write_text("")
    run = subprocess.run(["make", "setup", f"PYTHON={sys.executable}", *variables], cwd=clone,
                         env={**kept, "PIP_CONFIG_FILE": os.devnull, **environment},
                         text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert (run.returncode == 0) == (clone / ".venv" / ".ready").exists(), run.stdout
    return run.stdout, asked.read_text().splitlines()


def by(name):
    return [f"{name} {what}" for what in TWICE]


@pytest.mark.parametrize("there, variable, expected", [
    ([], "UV=./uv", by("uv")),
    (["uv-can-be-had"], "UV=no-such-uv", by("uv")),
    ([], "UV=no-such-uv", by("pip")),
    (["uv-fails"], "UV=./uv", by("uv")[:1] + by("pip")),
    (["uv-can-be-had"], "UV=", by("pip"))],
    ids=["uv is here", "pip fetches it", "not to be had", "it fails", "not wanted"])
def test_uv_installs_or_else_pip(clone, there, variable, expected):
    for file in there:
        (clone / file).touch()
    printed, asked = setup(clone, variable)
    assert asked == expected
    assert ("Installing with pip" in printed) == (asked[-2:] == by("pip"))
    assert ("uv could not do it" in printed) == ("uv-fails" in there)


def test_uv_is_told_where_pip_looks(clone):
    (clone / "pip.conf").write_text("""
[global]
index-url = https://overruled.test/simple
extra-index-url =
    https://one.test/simple
    https://two.test/simple
find-links = /wheels /more
[install]
trusted-host = one.test
[download]
cert = /unused.pem
""")
    setup(clone, "UV=./uv", PIP_CONFIG_FILE="pip.conf", PIP_INDEX_URL="https://us:a%20b@zero.test/")
    told = (clone / "told").read_text().splitlines()
    assert "SSL_CERT_FILE=/unused.pem" not in told
    assert set(told) >= {
        "UV_DEFAULT_INDEX=https://us:a%20b@zero.test/",
        "UV_INDEX=https://one.test/simple https://two.test/simple",
        "UV_FIND_LINKS=/wheels,/more", "UV_INSECURE_HOST=one.test", "UV_HTTP_TIMEOUT=180"}


def test_nothing_is_done_twice_before_a_list_has_changed(clone):
    setup(clone, "UV=./uv")
    assert setup(clone, "UV=./uv")[1] == []
    ready = (clone / ".venv" / ".ready").stat().st_mtime
    os.utime(clone / "requirements.txt", (ready + 1, ready + 1))
    assert setup(clone, "UV=./uv")[1] == by("uv")


def test_a_machine_that_cannot_is_told_what_to_do(clone):
    (clone / "old").write_text("#!/bin/sh\nexit 1\n")
    (clone / "old").chmod(0o755)
    for variable, advice in (("PYTHON=no-such-python", "install Python 3.11 or newer"),
                             ("PYTHON=./old", "Try: make setup PYTHON=python3.12")):
        printed, asked = setup(clone, variable)
        assert advice in printed and not asked
