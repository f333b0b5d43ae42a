"""A server program on loopback: started, watched, and ended with the process that started it.

Between this process and the server stands a few lines of Python that wait for two things:
the server's end, and the end of its own standard input, which closes when this process ends however it ends (kill -9
too). Then the server's whole process group is ended, workers included.
"""

from __future__ import annotations

import getpass
import http.client
import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from medo1.engines.base import EngineError

logger = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
STOP_S = 20.0
LOOK_S = 0.25
TAIL_BYTES = 20_000
FOLDERS, KEPT_S = "medo1-server-", 86_400.0  # of logs, of servers that failed
ONLY_TOLD = re.compile(r"(?:\([^)]*\) )?(?:DEBUG|INFO|WARNING)\b")  # a warning may quote an error that was none
WRONG = re.compile(r"^.*?\b(\w*(?:Error|Exception|Interrupt): .*)$", re.MULTILINE)

SUPERVISOR = f"""
import os, signal, subprocess, sys, threading
server = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
def end(kind):
    try:
        os.killpg(server.pid, kind)
    except ProcessLookupError:
        pass
def parent_gone():
    sys.stdin.read()
    end(signal.SIGTERM)
    try:
        server.wait({STOP_S})
    except subprocess.TimeoutExpired:
        pass
    end(signal.SIGKILL)
threading.Thread(target=parent_gone, daemon=True).start()
code = server.wait()
end(signal.SIGKILL)
sys.exit(code if code >= 0 else 128 - code)
"""


def free_port() -> int:
    """A port on loopback that nothing listens on now."""
    with socket.socket() as found:
        found.bind((LOOPBACK, 0))
        return int(found.getsockname()[1])


def refuse_taken_port(port: int, name: str) -> None:
    """Raise an `EngineError` when something listens on the port already."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((LOOPBACK, port))
        except OSError as error:
            raise EngineError(
                f"{name}: port {port} is taken ({error.strerror or error}): another server runs there. Name another "
                "`port`, or none to take a free one; to use the server that runs there, configure the openai engine."
            ) from error


class LocalServer:
    """One server program.

    Args:
        name: for messages.
        command: the program and its arguments.
        environment: its environment variables.
        port: on which it answers `GET /health` with status 200 once it is ready.
        log: file for what it prints; None for a file of its own in the temporary folder.
        died: called once, from a thread, with the reason when it ends without having been stopped.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        port: int,
        log: Path | None,
        died: Callable[[str], None],
    ) -> None:
        self.name = name
        self.port = port
        self._died = died
        self._stopping = False
        self._owns_log = log is None
        self._named_log = False  # in a message: then it stays, for whoever looks for the reason
        self.log = log or _folder_of_its_own() / "server.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-c", SUPERVISOR, *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                start_new_session=True,  # Ctrl-C in the terminal is for us; we stop the server
            )

    def wait_until_ready(self, timeout_s: float) -> None:
        """Wait for `/health`, then keep watch.

        Raises:
            EngineError: when the server ends before, or is not ready in time; it is stopped then.
        """
        began = told = time.monotonic()
        while not self._healthy():
            now = time.monotonic()
            if self._process.poll() is not None:
                reason = self.reason()
                self.stop()
                raise EngineError(f"{self.name} did not start: {reason}")
            if now - began > timeout_s:
                reason = self.reason()
                self.stop()
                raise EngineError(
                    f"{self.name} was not ready within {timeout_s:g} s (raise `start_timeout_s` for a large model): "
                    f"{reason}"
                )
            if now - told > 30:  # noqa: PLR2004
                told = now
                logger.info("%s is starting, %.0f s so far; its log is %s", self.name, now - began, self.log)
            time.sleep(LOOK_S)
        logger.info("%s is ready after %.0f s on port %d", self.name, time.monotonic() - began, self.port)
        threading.Thread(target=self._watch, name="medo1-server-watch", daemon=True).start()

    def _healthy(self) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=5)  # no proxy, whatever is configured
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _watch(self) -> None:
        self._process.wait()
        if not self._stopping:
            self._died(f"{self.name} ended while it was needed: {self.reason()}")

    def reason(self) -> str:
        """The server's own last error, and where its log is."""
        try:
            text = self.log.read_bytes()[-TAIL_BYTES:].decode("utf-8", "replace")
        except OSError:
            text = ""
        wrong = WRONG.findall("\n".join(line for line in text.splitlines() if not ONLY_TOLD.match(line)))
        # The first error of a chain is the cause; what follows tells that something failed because of it.
        last = [one for one in wrong if not one.startswith(("RuntimeError: Engine core", "SystemExit"))] or wrong
        lines = [line for line in text.splitlines() if line.strip()]
        said = last[-1] if last else lines[-1] if lines else "it said nothing"
        self._named_log = True
        return f"{said.strip()[:600]} (its log: {self.log})"

    def stop(self) -> None:
        """End it, workers included, and remove the folder of its log, unless a message names it. Stopping twice is
        harmless."""
        self._stopping = True
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        try:
            self._process.wait(STOP_S + 5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._owns_log and not self._named_log:
            shutil.rmtree(self.log.parent, ignore_errors=True)


def _folder_of_its_own() -> Path:
    """A temporary folder; those of servers that failed more than a day ago go."""
    for old in Path(tempfile.gettempdir()).glob(f"{FOLDERS}*"):
        try:
            if time.time() - old.stat().st_mtime > KEPT_S and old.owner() == getpass.getuser():
                shutil.rmtree(old, ignore_errors=True)
        except (OSError, KeyError):  # gone meanwhile, or of a user without a name
            continue
    return Path(tempfile.mkdtemp(prefix=FOLDERS))


def environment_without(names: Sequence[str], more: Mapping[str, str]) -> dict[str, str]:
    """This process' environment less some variables, with others set."""
    return {name: value for name, value in os.environ.items() if name not in names} | dict(more)
