"""Receivers of alerts: a chat's web hook and a mail server, on ports of the loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from email import message_from_string
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer, StreamRequestHandler, ThreadingTCPServer
from typing import Any


@dataclass(frozen=True)
class Call:
    """A call of the web hook. content: its JSON."""

    path: str
    authorization: str | None
    content: dict[str, Any]


@dataclass
class Alerted:
    """The alerts received so far."""

    calls: list[Call] = field(default_factory=list)
    mails: list[Message] = field(default_factory=list)
    chat_port: int = 0
    mail_port: int = 0


@contextmanager
def listening(status: int = 200) -> Iterator[Alerted]:
    """Runs both servers within the context. status: the status that the web hook returns."""
    alerted = Alerted()

    class Chat(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            alerted.calls.append(Call(self.path, self.headers["Authorization"], content))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Prints nothing to the test's output."""

    class Mail(StreamRequestHandler):
        """The part of SMTP (RFC 5321) that a client without extensions needs."""

        def handle(self) -> None:
            self.reply("220 here")
            for line in self.rfile:
                match line[:4].strip().upper():
                    case b"DATA":
                        self.reply("354 go on")
                        text = iter(lambda: self.rfile.readline().decode().rstrip("\r\n"), ".")
                        alerted.mails.append(message_from_string("\n".join(text)))
                        self.reply("250 taken")
                    case b"QUIT":
                        self.reply("221 bye")
                        return
                    case _:
                        self.reply("250 well")

        def reply(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with ExitStack() as stack:
        chat = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Chat))
        mail = stack.enter_context(ThreadingTCPServer(("127.0.0.1", 0), Mail))
        alerted.chat_port, alerted.mail_port = (server.server_address[1] for server in (chat, mail))
        for server in (chat, mail):
            _serve(server, stack)
        yield alerted


def _serve(server: BaseServer, stack: ExitStack) -> None:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    stack.callback(thread.join)
    stack.callback(server.shutdown)
