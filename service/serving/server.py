"""waitress's server on a socket that gunicorn has opened."""

from __future__ import annotations

import math
import socket
from collections.abc import Callable
from typing import Any

from waitress.adjustments import Adjustments
from waitress.server import BaseWSGIServer
from waitress.task import ThreadedTaskDispatcher

from service.serving.channel import Channel
from service.serving.limits import ANSWER_BYTES, HEAD_BYTES, Limits


class _Adjustments(Adjustments):  # type: ignore[misc]
    """waitress's settings, and ours beside them."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        super().__init__(
            threads=limits.threads,
            connection_limit=limits.connections,
            max_request_header_size=HEAD_BYTES,
            max_request_body_size=limits.body_bytes,
            outbuf_high_watermark=ANSWER_BYTES,
            # Whoever breaks a connection off is no fault of ours.
            log_socket_errors=False,
            asyncore_use_poll=True,
            ident=None,
            server_name="localhost",
        )


class Server(BaseWSGIServer):  # type: ignore[misc]
    """Accepts connections on one listening socket."""

    channel_class = Channel
    # `look_after` does this, by total times instead of the last activity.
    next_channel_cleanup = math.inf

    def __init__(
        self,
        application: Callable[..., Any],
        listener: socket.socket,
        limits: Limits,
        connections: dict[int, Any],
        dispatcher: ThreadedTaskDispatcher,
    ) -> None:
        self.limits = limits
        self.stopping = False
        # Bytes of bodies on the way, counted up as they come and anew in `look_after`.
        self.held = 0
        super().__init__(
            application,
            connections,
            _start=False,
            _sock=listener,
            dispatcher=dispatcher,
            adj=_Adjustments(limits),
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
            bind_socket=False,
        )
        # gunicorn listens already.
        self.accepting = True

    def getsockname(self) -> tuple[str, str]:
        """Host and port, as far as a request without `Host` needs them."""
        if self.family == socket.AF_UNIX:
            return "localhost", "80"
        host, port = self.socket.getsockname()[:2]
        return host, str(port)

    def fix_addr(self, addr: Any) -> Any:
        """The peer; on a unix socket it has no address."""
        return addr or ("localhost", None)

    def set_socket_options(self, conn: socket.socket) -> None:
        """Answers are written whole, so there is nothing to wait for."""
        if self.family != socket.AF_UNIX:
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def is_full(self) -> bool:
        """Whether no more large bodies should come in."""
        return self.held > self.limits.held_bytes

    def look_after(self, now: float) -> None:
        """End what takes too long, count what is kept."""
        channels = list(self.active_channels.values())
        for channel in channels:
            channel.look_after(now, self.limits)
        self.held = sum(channel.held() for channel in channels)

    def stop_accepting(self) -> None:
        """Leave new connections to others; those that are open are served to their end."""
        self.stopping = True
        self.accepting = False
        self.del_channel(self._map)
        self.socket.close()
