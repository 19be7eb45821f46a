"""The panels that `ask` and `play` make, of ipywidgets. The work is done by a task in the kernel's
own loop, which takes breath between two steps: so controls act while it runs."""

import asyncio
import time
from collections import deque
from html import escape
from pathlib import Path

import ipywidgets
from IPython import get_ipython
from IPython.display import display

from .. import images as pictures
from ..methods.drive import drive
from .controls import Menu, control_of, opaque, uploaded, value_of
from .curve import curve
from .live import current, explained
from .screen import Screen

BREATH = 0.001  # seconds between two steps: what the page has sent is dealt with then


class Panel:
    """Controls, a picture and a line of text. `problem` says in a line why there is no picture."""

    def __init__(self, images, controls, adapt, exercises, name):
        self.exercises, self.name = exercises, name
        self.adapt, self.adapting = adapt, False
        self.controls = {key: control_of(key, spec) for key, spec in controls.items()}
        self.images = Menu("picture", images)
        self.upload = ipywidgets.FileUpload(accept="image/*", description="your own picture",
                                            layout={"width": "200px"})
        self.save = ipywidgets.Button(description="save", layout={"width": "70px"})
        self.message, self.screen = ipywidgets.HTML(), Screen()
        self.message.add_class("cs-vis-message")
        self.problem, self.task, self.used = "", None, ()
        self.save.on_click(lambda _: self._save())
        self.upload.observe(self._opened, names="value")
        for control in (self.images, *self.controls.values()):
            control.observe(self._moved, names="value")
        self.box = ipywidgets.VBox(self.layout())
        self.box.add_class("cs-vis-panel")
        self.box._view_count = 0  # from now on the page says how often it shows the box
        self.box.observe(self._watched, names="_view_count")
        self._adapt(None)

    def buttons(self) -> list:
        return [self.upload, self.save]

    def layout(self) -> list:
        """The rows of the panel, which wrap where the page is narrow."""
        rows = ipywidgets.Layout(display="flex", flex_flow="row wrap")
        return [ipywidgets.Box([self.images, *self.controls.values()], layout=rows),
                ipywidgets.Box(self.buttons(), layout=rows), self.message, self.screen.image,
                self.screen.page]

    def values(self) -> dict:
        """What the controls say now, by name."""
        return {name: value_of(control) for name, control in self.controls.items()}

    def say(self, words: str, problem: bool = False) -> None:
        self.problem = words if problem else ""
        self.message.value = escape(words)

    def definitions(self) -> tuple:
        """The functions as they are defined now."""
        return tuple(map(current, self.exercises.values()))

    def begin(self) -> None:
        """Have the work done in the kernel's own loop; where none runs, do it at once."""
        if self.task is not None and not self.task.done():
            return
        try:
            self.task = asyncio.get_running_loop().create_task(self.work())
        except RuntimeError:
            asyncio.run(self.work())

    def stop(self) -> None:
        """End what is going on; a step that has begun is finished."""

    def fail(self, error: Exception) -> None:
        """One line instead of a picture that no longer fits."""
        self.say(explained(error, self.exercises), problem=True)
        self.screen.clear()

    def _moved(self, change) -> None:
        if self.adapting:
            return
        own = [name for name, control in self.controls.items() if control is change["owner"]]
        self._adapt(own[0] if own else None)
        self.moved(pictured=change["owner"] is self.images)

    def _adapt(self, name: str | None) -> None:
        self.adapting = True
        try:
            if self.adapt is not None:
                self.adapt(self, name)
        finally:
            self.adapting = False

    def _opened(self, change) -> None:
        """Add a picture of the user's own to the menu, as large as the others, and choose it."""
        file = uploaded(change["new"])
        if file is None:
            return
        name, content = file
        first = next(iter(self.images.things.values()))
        try:
            image = pictures.load(opaque(content), size=tuple(first.shape[2:])).to(first)
        except (ValueError, TypeError) as error:
            return self.say("✗ " + str(error).replace("source=<bytes>", name), problem=True)
        self.images.offer(self.images.things | {name: image}, name)

    def _save(self) -> None:
        """Write the picture beside the notebook, under a name that is not taken."""
        if self.screen.frame is None:
            return self.say("✗ There is no picture to save.", problem=True)
        data, kind, _ = self.screen.frame
        number = 1
        while (path := Path(f"{self.name}-{number}.{kind}")).exists():
            number += 1
        try:
            path.write_bytes(data)
        except OSError as error:
            return self.say(f"✗ {path} cannot be written: {error.strerror}", problem=True)
        self.say(f"Saved as {path}, beside the notebook.")

    def _watched(self, change) -> None:
        """The page shows the panel, or does so no more: a cleared output needs no work."""
        shell = get_ipython()
        if change["new"] and not change["old"] and shell:
            shell.events.register("post_run_cell", self._cell_ran)
        elif change["old"] and not change["new"]:
            self.stop()
            if shell:
                shell.events.unregister("post_run_cell", self._cell_ran)

    def _cell_ran(self, _) -> None:
        """A cell was run: if it was one of the exercises, the panel follows."""
        if self.definitions() != self.used:
            self.redefined()

    def _ipython_display_(self):
        display(self.box)
        self.screen.display(self.caption())

    def caption(self) -> str:
        """What stands for the picture where none can be shown."""
        return self.problem or "the panel's picture"


class AskPanel(Panel):
    """A panel that answers whenever a control moves; the last value wins."""

    def __init__(self, answer, *given):
        self.answer, self.asked = answer, False
        super().__init__(*given)
        for drawn in self._answers():  # at once, so that the cell ends in a picture
            self.screen.show(drawn)

    def moved(self, pictured: bool) -> None:
        self.asked = True
        self.begin()

    def redefined(self) -> None:
        self.moved(False)

    def stop(self) -> None:
        self.asked = False
        if self.task:
            self.task.cancel()

    async def work(self) -> None:
        """Answer until nothing has moved meanwhile."""
        self.save.disabled = True  # what is shown is still the answer to another question
        try:
            while self.asked:
                self.asked = False
                self.say("computing …")
                await asyncio.sleep(BREATH)
                for drawn in self._answers():
                    self.screen.show(drawn)
                    await asyncio.sleep(BREATH)
                    if self.asked:
                        break
        finally:  # also where it was cancelled
            self.save.disabled = False
        self.screen.keep(self.caption())

    def _answers(self):
        """What the answer gives, one after the other; an error becomes a line of text."""
        self.used = self.definitions()
        try:
            given = current(self.answer)(self.images.chosen, **self.values())
            yield from given if hasattr(given, "__next__") else [given]
            self.say("")
        except Exception as error:  # a panel that dies would take the reader's settings along
            self.fail(error)


class PlayPanel(Panel):
    """A panel that takes steps; what a control says acts at the next one."""

    def __init__(self, step, images, controls, adapt, exercises, name, objective, draw, begin):
        self.step, self.objective, self.draw = step, objective, draw
        self.playing, self.frames = False, None
        self.run, self.one, self.reset = (
            ipywidgets.Button(description=words, icon=icon, layout={"width": "90px"})
            for words, icon in (("play", "play"), ("step", "step-forward"), ("reset", "undo")))
        self.chart = ipywidgets.HTML()
        self.chart.add_class("cs-vis-chart")
        self.run.on_click(lambda _: self.pause() if self.playing else self.play())
        self.one.on_click(lambda _: self._one_step())
        self.reset.on_click(lambda _: self.restart())
        super().__init__(images, controls, adapt, exercises, name)
        self.restart()
        while begin and self.take():
            begin -= 1
        self.refresh()

    def buttons(self) -> list:
        return [self.run, self.one, self.reset, *super().buttons()]

    def layout(self) -> list:
        return [*super().layout(), self.chart]

    def moved(self, pictured: bool) -> None:
        if pictured:
            self.restart()

    def redefined(self) -> None:
        if self.problem:
            self.restart()

    def restart(self) -> None:
        """Back to the picture that the menu says."""
        self.image, self.objectives, self.seconds = self.images.chosen, [], deque(maxlen=20)
        self.frames = self.drive()
        self.say("")
        self.refresh()

    def play(self) -> None:
        self.playing, self.run.description, self.run.icon = True, "pause", "pause"
        self.begin()

    def pause(self) -> None:
        self.playing, self.run.description, self.run.icon = False, "play", "play"

    stop = pause

    async def work(self) -> None:
        while self.playing and self.take():
            if self.screen.free():
                self.refresh()
            await asyncio.sleep(BREATH)
            if self.screen.unwatched():
                self.pause()
        self.pause()
        self.refresh()
        self.screen.keep(self.caption())

    def take(self) -> bool:
        """One step; False where it was the last, or raised."""
        start, self.used = time.perf_counter(), self.definitions()
        try:
            frame = next(self.frames, None)
        except Exception as error:
            self.frames = self.drive()  # from here, when mended
            self.fail(error)
            return False
        if frame is None:
            self.say("Nothing is left to do: the step says so. Reset, or choose other values.")
            self.frames = self.drive()
            return False
        self.seconds.append(time.perf_counter() - start)
        self.image = frame.image
        self.objectives.append(frame.objective)
        if self.problem:
            self.say("")
        return True

    def drive(self):
        return drive(lambda *args, **values: current(self.step)(*args, **values),
                     self.image, self.values)

    def _one_step(self) -> None:
        self.pause()
        self.take()
        self.refresh()
        self.screen.keep(self.caption())

    def refresh(self) -> None:
        """Show the picture as it is now, and how far the run is."""
        if self.problem:
            return
        try:
            self.screen.show(self.draw(self.image))
        except Exception as error:  # a picture of NaN, for one
            self.pause()
            return self.fail(error)
        pace = sum(self.seconds) / len(self.seconds) if self.seconds else 0
        steps = f"step {len(self.objectives)}, {pace:.3f} seconds each" if pace else "step 0"
        self.chart.value = f"<div>{steps}</div>" + curve(self.objectives, self.objective)
