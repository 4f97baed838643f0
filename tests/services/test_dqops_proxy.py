"""The login in front of DQOps: nginx as in the compose file, before a server that echoes requests."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from services.processes import Service, free_ports

SCRIPT = Path(__file__).parents[2] / "docker" / "dqops-proxy.sh"
PASSWORD = secrets.token_hex(16)


class Upstream(BaseHTTPRequestHandler):
    """Responds with the request."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        request = {"path": self.path, "headers": dict(self.headers), "content": content}
        body = json.dumps(request).encode()
        self.send_response(201 if self.command == "POST" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


@dataclass(frozen=True)
class Proxy:
    url: str
    upstream: ThreadingHTTPServer
    folder: Path

    def send(
        self, path: str, *, password: str | None = PASSWORD, content: bytes | None = None
    ) -> tuple[int, str]:
        request = urllib.request.Request(self.url + path, data=content)
        if password is not None:
            login = base64.b64encode(f"dqops:{password}".encode()).decode()
            request.add_header("Authorization", f"Basic {login}")
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed")
    user = None
    folder = Path(tempfile.mkdtemp())
    if os.geteuid() == 0:
        # The workers of root's nginx run as another user, who cannot read root's files.
        user = "nobody"
        shutil.chown(folder, user)
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    thread = threading.Thread(target=upstream.serve_forever, args=(0.02,))
    thread.start()
    (port,) = free_ports(1)
    environment = {
        "PATH": os.environ["PATH"],
        "DQOPS_USER": "dqops",
        "DQOPS_PASSWORD": PASSWORD,
        "PROXY_FOLDER": str(folder),
        "PROXY_LISTEN": f"127.0.0.1:{port}",
        "DQOPS_SERVER": f"127.0.0.1:{upstream.server_port}",
    }
    log = tmp_path / "nginx.log"
    service = Service("nginx", ["sh", SCRIPT], environment, log, port, user=user, folder=folder)
    try:
        with service.running():
            yield Proxy(f"http://127.0.0.1:{port}", upstream, folder)
    finally:
        upstream.shutdown()
        upstream.server_close()
        thread.join()
        shutil.rmtree(folder)


def test_requests_without_the_password_are_refused(proxy: Proxy) -> None:
    for password in (None, "", "wrong", PASSWORD.upper(), PASSWORD + "x"):
        for path in ("/", "/api/ishealthy", "/api/jobs/runchecks", "/../etc/passwd"):
            status, text = proxy.send(path, password=password)
            assert status in (400, 401), (password, path)
            assert "headers" not in text


def test_requests_are_forwarded_unchanged_and_without_the_login(proxy: Proxy) -> None:
    status, text = proxy.send("/api/jobs/jobs/a%2Fb?x=1")
    assert status == 200
    request = json.loads(text)
    assert request["path"] == "/api/jobs/jobs/a%2Fb?x=1"
    assert "Authorization" not in request["headers"]
    assert request["headers"]["Host"] == proxy.url.removeprefix("http://")
    content = json.dumps({"check": "x" * 2_000_000}).encode()
    status, text = proxy.send("/api/jobs/runchecks?wait=false", content=content)
    assert (status, json.loads(text)["content"]) == (201, content.decode())


def test_health_requires_the_login(proxy: Proxy) -> None:
    listen = proxy.url.removeprefix("http://")
    for address, code in ((listen, 0), ("127.0.0.1:9", 1)):
        words = ["sh", str(SCRIPT), "health"]
        ended = subprocess.run(words, env={"PATH": os.environ["PATH"], "PROXY_LISTEN": address}, check=False)
        assert ended.returncode == code


def test_unreachable_server_is_reported(proxy: Proxy) -> None:
    proxy.upstream.server_close()
    status, text = proxy.send("/")
    assert (status, text) == (503, "DQOps does not respond. Its log: make logs S=dqops\n")
    assert proxy.send("/", password="wrong")[0] == 401


def test_password_is_stored_only_in_a_file_of_the_owner(proxy: Proxy) -> None:
    holders = {
        file.name for file in proxy.folder.iterdir() if file.is_file() and PASSWORD in file.read_text()
    }
    assert holders == {"users"}
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert PASSWORD.encode() not in process.read_bytes()
        except OSError:
            continue
