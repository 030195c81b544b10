"""Drives Firefox over WebDriver BiDi, which it speaks without a driver of its own."""

import json
import os
import shutil
import subprocess
import time
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from websockets.sync.client import ClientConnection, connect

NAMES = ("firefox-esr", "firefox")
START_WITHIN_S = 120.0
ANSWER_WITHIN_S = 120.0
ENDPOINT = "WebDriver BiDi listening on "
PREFERENCES = {
    "media.navigator.streams.fake": True,  # a camera that plays coloured frames
    "media.navigator.permission.disabled": True,  # and asks nobody
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.enabled": False,
    "app.normandy.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "intl.accept_languages": "en",
}


def find_firefox() -> Path | None:
    """The file named by `FIREFOX`, else the first of `NAMES` on the path, else none."""
    named = os.environ.get("FIREFOX")
    if named:
        return Path(named)
    found = (shutil.which(name) for name in NAMES)
    return next((Path(path) for path in found if path), None)


class Firefox:
    """One headless Firefox with one page, as a context manager."""

    def __init__(self, executable: Path, profile: Path) -> None:
        """Prepare; `profile` is an empty folder."""
        lines = [
            f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()
        ]
        (profile / "user.js").write_text("\n".join(lines))
        self._command = [str(executable), "--headless", "--no-remote", "--remote-debugging-port=0"]
        self._command += ["--profile", str(profile)]
        self._ids = count(1)
        self._context = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        self._closing = ExitStack()
        try:
            self._socket = self._closing.enter_context(self._connect())
            self._send("session.new", capabilities={})
            self._context = self._send("browsingContext.getTree")["contexts"][0]["context"]
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def open(self, url: str) -> None:
        """Load a page."""
        self._send("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """The value of an expression, or of the promise that it is, in the page: a text, number or flag."""
        answer = self._send(
            "script.evaluate",
            expression=expression,
            target={"context": self._context},
            awaitPromise=True,
            userActivation=True,
        )
        assert answer["type"] == "success", answer["exceptionDetails"]["text"]
        return answer["result"].get("value")

    def wait_for(self, expression: str, within_s: float = ANSWER_WITHIN_S) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + within_s
        while not self.evaluate(expression):
            assert time.monotonic() < deadline, (
                f"not true within {within_s:g} s: {expression}\n{self.words()}"
            )
            time.sleep(0.2)

    def click(self, selector: str) -> None:
        """Click an element once it can be clicked."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.wait_for(
            f"!!{found} && {found}.checkVisibility() && !{found}.disabled && !{found}.closest('[inert]')"
        )
        self.evaluate(f"{found}.click()")

    def choose_files(self, selector: str, *paths: Path) -> None:
        """Put files into an `<input type=file>`."""
        located = self._send(
            "browsingContext.locateNodes",
            context=self._context,
            locator={"type": "css", "value": selector},
        )
        element = {"sharedId": located["nodes"][0]["sharedId"]}
        self._send(
            "input.setFiles", context=self._context, element=element, files=[str(path) for path in paths]
        )

    def words(self) -> str:
        """What the page says, for messages of failed tests."""
        return str(self.evaluate("document.body.innerText"))[:1000]

    def _connect(self) -> ClientConnection:
        assert self._process.stderr is not None
        deadline = time.monotonic() + START_WITHIN_S
        for line in self._process.stderr:
            if line.startswith(ENDPOINT):
                address = line.removeprefix(ENDPOINT).strip()
                return connect(f"{address}/session", max_size=None, open_timeout=ANSWER_WITHIN_S)
            assert time.monotonic() < deadline, "Firefox opened no port"
        raise AssertionError(f"Firefox ended with {self._process.wait()}")

    def _send(self, method: str, **params: Any) -> Any:
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(timeout=ANSWER_WITHIN_S))
            if message.get("id") == number:
                assert message["type"] == "success", message
                return message["result"]

    def _end(self) -> None:
        self._closing.close()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stderr is not None
        self._process.stderr.close()
