"""A proxy in front of an S3 store that drops responses after the store has processed the request."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from urllib.parse import urlsplit

_COMMIT = re.compile(rb"PUT \S+/_delta_log/\d{20}\.json ")


class LossyProxy:
    """Drops the response to each `every`th put of a commit. lost: their number. away: closes connections."""

    def __init__(self, endpoint: str, every: int) -> None:
        parts = urlsplit(endpoint)
        self._store = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._every = every
        self._puts = count(1)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.lost = 0
        self.away = False

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def serve(self) -> None:
        """Serves until the socket is closed."""
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            if self.away:
                client.close()
                continue
            threading.Thread(target=self._forward, args=(client,), daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _forward(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._store) as store:
            dropping = threading.Event()
            back = threading.Thread(target=self._replies, args=(store, client, dropping), daemon=True)
            back.start()
            with suppress(OSError):
                while (data := client.recv(1 << 16)) and not self.away:
                    # A connection's requests are sequential, and each head arrives in one chunk.
                    if _COMMIT.match(data):
                        self._maybe_drop(dropping)
                    store.sendall(data)
                store.shutdown(socket.SHUT_WR)
            back.join(timeout=10)

    def _maybe_drop(self, dropping: threading.Event) -> None:
        if next(self._puts) % self._every == 0:
            self.lost += 1
            dropping.set()

    @staticmethod
    def _replies(store: socket.socket, client: socket.socket, dropping: threading.Event) -> None:
        with suppress(OSError):
            while data := store.recv(1 << 16):
                if dropping.is_set() and not data.startswith(b"HTTP/1.1 100"):
                    client.shutdown(socket.SHUT_RDWR)
                    return
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)


@contextmanager
def lossy(endpoint: str, every: int) -> Iterator[LossyProxy]:
    """Runs a proxy."""
    proxy = LossyProxy(endpoint, every)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join(timeout=5)
