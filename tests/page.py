"""A stand-in for the page in the browser: a real kernel, and the comm messages a page would send.

It keeps the state of every widget as the kernel reports it, moves controls, presses buttons, and
gives word of each frame as the page's own link widget does.
"""

import os
import queue
import time

from jupyter_client.manager import KernelManager


class Page:
    """One kernel and what it shows. `answers=False`: a page that never gives word of a frame."""

    def __init__(self, folder, *, path="", answers=True):
        env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(path),
               "CS_VIS_PROFILE": "test"}
        self.manager, self.answers = KernelManager(kernel_name="python3"), answers
        self.folder = folder
        self.manager.start_kernel(cwd=str(folder), env=env,
                                  extra_arguments=["--IPKernelApp.log_level=ERROR"])
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self.widgets, self.shown, self.printed, self.frames = {}, [], "", []

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    # ---- what a reader does

    def run(self, code, timeout=60):
        """Run a cell to its end; what it prints is in `printed`, what it shows in `shown`."""
        self.printed, self.shown = "", []
        sent = self.client.execute(code)
        self.wait(lambda m: m and m["parent_header"].get("msg_id") == sent
                  and m["content"].get("execution_state") == "idle", timeout)
        return self.printed

    def move(self, widget, **state):
        """Move a control, as the page says it: an update of the widget's state."""
        self.send(widget, {"method": "update", "state": state, "buffer_paths": []})
        self.widgets[widget].update(state)

    def press(self, button):
        self.send(button, {"method": "custom", "content": {"event": "click"}})

    def send(self, widget, data, buffers=()):
        message = self.client.session.msg("comm_msg", {"comm_id": widget, "data": data})
        self.client.session.send(self.client.shell_channel.socket, message, buffers=list(buffers))

    # ---- what the reader sees

    def find(self, kind, words=""):
        """The newest widget of this kind whose description begins with the words."""
        return [name for name, state in self.widgets.items() if state["_model_name"] == kind
                and str(state.get("description", "")).startswith(words)][-1]

    def state(self, kind, words=""):
        return self.widgets[self.find(kind, words)]

    def named(self, name):
        """The newest widget with this class of ours: panel, message or chart."""
        return [widget for widget, state in self.widgets.items()
                if f"cs-vis-{name}" in state.get("_dom_classes", [])][-1]

    @property
    def message(self):
        return self.widgets[self.named("message")]["value"]

    @property
    def chart(self):
        return self.widgets[self.named("chart")]["value"]

    def wait(self, until=lambda m: False, timeout=10):
        """Take in messages until one fits, or, where none may, until the time is over."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            try:
                message = self.client.get_iopub_msg(timeout=0.05)
                self.take_in(message)
            except queue.Empty:
                message = None
            if until(message):
                return True
        return False

    def take_in(self, message):
        content, kind = message["content"], message["msg_type"]
        if kind == "comm_open":
            self.widgets[content["comm_id"]] = content["data"].get("state", {})
        elif kind == "comm_msg" and content["comm_id"] in self.widgets:
            self.update(content["comm_id"], content["data"], message["buffers"])
        elif kind == "stream":
            self.printed += content["text"]
        elif kind == "error":
            self.printed += "\n".join(content["traceback"])
        elif kind in ("display_data", "update_display_data"):
            self.shown.append((kind, content))

    def update(self, widget, data, buffers):
        if data.get("method") not in ("update", "echo_update"):
            return
        self.widgets[widget].update(data["state"])
        for (name, *_), content in zip(data.get("buffer_paths", []), buffers):
            self.widgets[widget][name] = bytes(content)
            self.frames.append((time.monotonic(), bytes(content)))
        if self.answers and "value" in data["state"]:
            self.follow_links(widget, data["state"]["value"])

    def follow_links(self, widget, value):
        for state in list(self.widgets.values()):
            source, target = state.get("source"), state.get("target")
            if source and source[0] == f"IPY_MODEL_{widget}":
                self.move(target[0].removeprefix("IPY_MODEL_"), value=value)
