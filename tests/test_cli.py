"""The command cs-vis: its help, and its errors as sentences."""

import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from cs_vis import cli

COMMANDS = ("doctor", "new-workspace", "check", "demo", "build", "train", "goldens")


def run_main(monkeypatch, *arguments):
    """The exit code of `cs-vis ARGUMENTS`."""
    monkeypatch.setattr(sys, "argv", ["cs-vis", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return end.value.code


def test_help_names_every_command():
    page = CliRunner().invoke(cli.app, ["--help"])
    assert page.exit_code == 0
    assert all(command in page.output for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(command):
    page = CliRunner().invoke(cli.app, [command, "--help"])
    assert page.exit_code == 0 and "Usage" in page.output


def test_a_wrong_name_is_a_sentence(monkeypatch, capsys):
    assert run_main(monkeypatch, "build", "99_nothing") == 1
    error = capsys.readouterr().err
    assert error.startswith("cs-vis: assignment='99_nothing' is not in course.toml")
    assert "03_saliency" in error and "Traceback" not in error


def test_a_network_that_cannot_be_trained_is_a_sentence(monkeypatch, capsys, tmp_path):
    assert run_main(monkeypatch, "train", "vgg16", "--folder", str(tmp_path)) == 1
    assert "vgg16" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["sing"], ["build", "--loudly"], ["demo", "--workers", "0"]])
def test_a_wrong_call_ends_with_code_2(monkeypatch, capsys, arguments):
    assert run_main(monkeypatch, *arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("command", ["demo", "build", "goldens"])
def test_the_students_package_says_that_a_clone_is_needed(monkeypatch, capsys, command):
    monkeypatch.setattr(cli, "find_spec", lambda name: None)
    assert run_main(monkeypatch, command) == 1
    assert "needs a clone of the course" in capsys.readouterr().err


def test_a_workspace_and_a_look_at_what_lies_in_it(monkeypatch, capsys, tmp_path):
    assert run_main(monkeypatch, "new-workspace", str(tmp_path)) == 0
    assert "jupyter lab" in capsys.readouterr().out
    file = tmp_path / "03_saliency" / "03_saliency.ipynb"
    assert run_main(monkeypatch, "check", str(file)) == 1  # nothing is written in it yet
    assert "✗ No exercise is solved yet" in capsys.readouterr().out
    file.write_text(file.read_text("utf-8").replace("raise NotImplementedError", "pass"), "utf-8")
    assert run_main(monkeypatch, "check", str(file)) == 0
    assert "Fit to hand in." in capsys.readouterr().out


def test_bad_places_are_sentences(monkeypatch, capsys, tmp_path):
    (tmp_path / "file").touch()
    assert run_main(monkeypatch, "new-workspace", str(tmp_path / "file")) == 1
    assert capsys.readouterr().err.startswith("cs-vis: DIR=")
    assert run_main(monkeypatch, "check", str(tmp_path / "nothing.ipynb")) == 1
    assert "is not there" in " ".join(capsys.readouterr().out.split())


def test_an_error_that_nobody_foresaw_is_one_line(monkeypatch, capsys):
    def fail():
        try:
            raise KeyError("a chain")
        except KeyError as error:
            raise TypeError("of errors") from error
    monkeypatch.setattr("cs_vis.doctor.report", fail)
    assert run_main(monkeypatch, "doctor") == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "(TypeError: of errors)" in error
    assert "CS_VIS_TRACEBACK=1" in error and "Traceback (most" not in error
    monkeypatch.setenv("CS_VIS_TRACEBACK", "1")
    monkeypatch.setattr(sys, "argv", ["cs-vis", "doctor"])
    with pytest.raises(TypeError, match="of errors"):
        cli.main()


@pytest.mark.parametrize("error, said", [
    (OSError(28, "No space left"), "No space left"), (KeyError("a name"), "cs-vis: a name\n"),
    (KeyError(), "(KeyError: )"), (ValueError(), "(ValueError: )")])
def test_errors_without_a_sentence_of_their_own(monkeypatch, capsys, error, said):
    def fail():
        raise error
    monkeypatch.setattr("cs_vis.doctor.report", fail)
    assert run_main(monkeypatch, "doctor") == 1
    assert said in capsys.readouterr().err


def test_a_terminal_without_ticks_gets_an_answer(tmp_path):
    """✗ cannot be written in ASCII."""
    ended = subprocess.run([sys.executable, "-m", "cs_vis", "check", tmp_path / "nothing"],
                           env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True)
    assert ended.returncode == 1 and b"is not there" in ended.stdout and not ended.stderr
