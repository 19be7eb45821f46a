"""The command cs-vis: its help, and its errors as sentences."""

import sys

import pytest
from typer.testing import CliRunner

from cs_vis import cli

COMMANDS = ("doctor", "demo", "build", "train", "goldens")


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
