"""The command cs-vis. Heavy parts are imported by the command that needs them."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

MENDABLE = (ValueError, OSError, RuntimeError, ImportError)  # they say what to do

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
                  help="Looking inside convolutional networks: the course's own command.")


def main() -> None:
    """Run the command; an error is one sentence on stderr, and exit code 1.

    With CS_VIS_TRACEBACK set in the environment, Python's own traceback shows where it came from.
    """
    sys.stdout.reconfigure(errors="replace")  # a terminal without ✓ is no reason to stop
    try:
        app(prog_name="cs-vis")
    except KeyboardInterrupt:
        typer.echo("cs-vis: stopped", err=True)
        sys.exit(130)
    except Exception as error:
        if os.environ.get("CS_VIS_TRACEBACK"):
            raise
        typer.echo(f"cs-vis: {sentence(error)}", err=True)
        sys.exit(1)


def sentence(error: Exception) -> str:
    """What the error says; of one that nobody foresaw, also its kind and how to see more."""
    if isinstance(error, KeyError) and error.args:
        return str(error.args[0])  # a KeyError by itself shows its text in quotes
    if isinstance(error, MENDABLE) and str(error):
        return str(error)
    return (f"something went wrong that should not have ({type(error).__name__}: {error}). "
            f"CS_VIS_TRACEBACK=1 before the same command shows where: please report that.")


def need_clone() -> None:
    """Refuse a command whose parts are only in a clone of the course."""
    if find_spec("cs_vis.grading") is None:
        raise RuntimeError("this command needs a clone of the course: the student's package has "
                           "neither the solutions nor the grader. What works here: "
                           "`cs-vis new-workspace`, `cs-vis check`, `cs-vis doctor`.")


@app.command()
def doctor(
    clear: Annotated[bool, typer.Option("--clear", help="Delete what the course has drawn and "
                                                        "kept; it is drawn again when needed.")]
    = False,
) -> None:
    """Say what is installed and found: packages, device, threads, data files, what is kept."""
    from cs_vis import doctor as found
    typer.echo(found.clear() if clear else found.report())


@app.command()
def new_workspace(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; it may be there.")],
) -> None:
    """Lay the course's notebooks out in a folder; what you have written there stays as it is."""
    from cs_vis import workspace
    typer.echo(workspace.report(folder, workspace.lay_out(folder)))


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The notebook, NAME.ipynb.")],
) -> None:
    """Before you hand in: is the notebook whole, and of this version? Exit code 1 where not."""
    from cs_vis import handin
    remarks = handin.look_at(file)
    typer.echo(handin.report(remarks))
    raise typer.Exit(any(remark.mark == handin.MEND for remark in remarks))


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where to put pictures and grades.")] = Path("demo"),
    workers: Annotated[int, typer.Option(min=1, help="Submissions graded at a time.")] = 2,
) -> None:
    """Draw the gallery page, build the notebook and grade a sample class."""
    need_clone()
    from cs_vis.grading.demo import demo as run
    run(folder.resolve(), workers=workers)


@app.command()
def build(
    names: Annotated[list[str] | None, typer.Argument(
        help="Assignments, for example 03_saliency. Without any: all in course.toml.")] = None,
    execute: Annotated[bool, typer.Option(
        help="Run the solution; --no-execute keeps the outputs it has.")] = True,
) -> None:
    """Build solutions/NAME/NAME.ipynb and the students' notebooks/NAME/NAME.ipynb."""
    need_clone()
    from cs_vis.grading.build import build as build_one
    from cs_vis.course import find_assignment, read_course
    names = names or [entry["name"] for entry in read_course()["assignments"]]
    for name in names:
        find_assignment(name)  # a wrong name is refused before the first minute is spent
    for name in names:
        for file in build_one(name, execute=execute):
            typer.echo(f"{os.path.relpath(file)}  {file.stat().st_size / 1000:,.0f} kB")


@app.command()
def train(
    name: Annotated[str, typer.Argument(help="specimens, specimens-robust, or generator")],
    folder: Annotated[Path, typer.Option(help="Of the checkpoints: a second call resumes.")]
    = Path("runs"),
    weights: Annotated[Path, typer.Option(help="Where the weights go.")] = Path("datasets/weights"),
    seed: Annotated[int, typer.Option(
        help="Of the weights' start and of the order of the data.")] = 0,
) -> None:
    """Train again what ships: a network or the generator; resumable, an hour at most on 2 cores."""
    need_clone()
    from cs_vis.training import train as run
    typer.echo(run(name, folder=folder, weights=weights, seed=seed))


@app.command()
def goldens() -> None:
    """Compute again the tensors that the checks compare with, and docs/exercises.md."""
    need_clone()
    from cs_vis.grading.goldens import main as run
    run()


if __name__ == "__main__":
    main()
