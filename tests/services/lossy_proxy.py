"""A proxy before an S3 store that swallows replies: the store has done what was asked, and the client is not told."""

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
    """Loses the reply to every `every`th put of a commit. lost: how many so far. away: hangs up on everyone."""

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
        """Until the socket is closed."""
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            if self.away:
                client.close()
                continue
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._store) as store:
            swallowing = threading.Event()
            back = threading.Thread(target=self._replies, args=(store, client, swallowing), daemon=True)
            back.start()
            with suppress(OSError):
                while (data := client.recv(1 << 16)) and not self.away:
                    # Requests on one connection come one after the other, each with its head in one piece.
                    if _COMMIT.match(data):
                        self._lose(swallowing)
                    store.sendall(data)
                store.shutdown(socket.SHUT_WR)
            back.join(timeout=10)

    def _lose(self, swallowing: threading.Event) -> None:
        if next(self._puts) % self._every == 0:
            self.lost += 1
            swallowing.set()

    @staticmethod
    def _replies(store: socket.socket, client: socket.socket, swallowing: threading.Event) -> None:
        with suppress(OSError):
            while data := store.recv(1 << 16):
                if swallowing.is_set() and not data.startswith(b"HTTP/1.1 100"):
                    client.shutdown(socket.SHUT_RDWR)
                    return
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)


@contextmanager
def lossy(endpoint: str, every: int) -> Iterator[LossyProxy]:
    """A proxy that is up."""
    proxy = LossyProxy(endpoint, every)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join(timeout=5)
