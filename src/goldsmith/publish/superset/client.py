"""Superset's REST API: log in, import, list, delete, export, read a chart."""

from __future__ import annotations

import io
import json
import os
import re
import secrets
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from goldsmith.errors import GoldsmithError, NotReady, Where
from goldsmith.http import SERVER_ERROR, Session, Unreachable, as_json
from goldsmith.publish.superset.assets import METADATA, Assets

_ROOT = "bundle/"
_ORDER = {
    "chart": "slice_name",
    "dashboard": "dashboard_title",
    "database": "database_name",
    "dataset": "table_name",
}
"""What pages go by, where it cannot be the id."""
_PAGE = 100
_SECONDS = 180
_MIDNIGHT = (1980, 1, 1, 0, 0, 0)
_UNAUTHORIZED, _FORBIDDEN, _TOO_MANY = 401, 403, 429


@dataclass(frozen=True)
class Server:
    """Where Superset is, and who logs in."""

    url: str
    user: str
    password: str = field(repr=False)

    @classmethod
    def of(cls, environment: Mapping[str, str] | None = None) -> Server:
        """SUPERSET_URL, SUPERSET_ADMIN_USER, SUPERSET_ADMIN_PASSWORD. Raises NotReady GS904 without a password."""
        env = os.environ if environment is None else environment
        password = env.get("SUPERSET_ADMIN_PASSWORD", "")
        if not password:
            raise NotReady(
                "GS904",
                "SUPERSET_ADMIN_PASSWORD is not set: Superset is asked as its administrator.",
                hint="It stands in `.env`; SUPERSET_URL and SUPERSET_ADMIN_USER name server and user.",
            )
        url = (env.get("SUPERSET_URL") or "http://127.0.0.1:8088").rstrip("/")
        return cls(url, env.get("SUPERSET_ADMIN_USER") or "admin", password)


class Client:
    """A session of one user. Every method raises NotReady GS721 where nothing answers, GS723 for an error."""

    def __init__(self, server: Server) -> None:
        """Logs in. Raises NotReady GS721, GS722 where the password is not right."""
        self.server = server
        self._session = Session(_SECONDS)
        self._headers: dict[str, str] = {"Referer": server.url}
        told = {"username": server.user, "password": server.password, "provider": "db", "refresh": True}
        try:
            token = self._json("POST", "/api/v1/security/login", told)["access_token"]
        except _AnswerError as error:
            if error.status != _UNAUTHORIZED:
                raise
            raise NotReady(
                "GS722",
                f"Superset refuses `{server.user}`: user or password is wrong.",
                where=Where(file=server.url),
                hint="SUPERSET_ADMIN_USER and SUPERSET_ADMIN_PASSWORD are those that Superset was started with.",
            ) from None
        self._headers["Authorization"] = f"Bearer {token}"
        # The token against forgery belongs to the session that its cookie names.
        self._headers["X-CSRFToken"] = self._json("GET", "/api/v1/security/csrf_token/")["result"]

    def import_assets(self, assets: Assets, passwords: Mapping[str, str]) -> None:
        """Brings every asset, over what has its UUID. passwords: of databases, by the path of their file."""
        fields = {"passwords": json.dumps(dict(passwords))}
        body, kind = _multipart(fields, "bundle", bundle(assets))
        self._send("POST", "/api/v1/assets/import/", body, kind)

    def all(self, resource: str, columns: Sequence[str] = ()) -> list[dict[str, Any]]:
        """Every object of a kind. resource: chart, dashboard, dataset, security/roles, ..."""
        found: dict[Any, dict[str, Any]] = {}
        page = 0
        while True:
            order = _ORDER.get(resource, "id")
            query: dict[str, Any] = {"page": page, "page_size": _PAGE, "order_column": order}
            query["order_direction"] = "asc"
            if columns:
                query["columns"] = list(columns)
            answer = self._json("GET", f"/api/v1/{resource}/?q={rison(query)}")
            found |= {each["id"]: each for each in answer["result"]}
            page += 1
            if page * _PAGE >= answer["count"]:
                return list(found.values())

    def get(self, path: str) -> Any:
        return self._json("GET", f"/api/v1/{path}")

    def post(self, path: str, content: Any) -> Any:
        return self._json("POST", f"/api/v1/{path}", content)

    def put(self, path: str, content: Any) -> Any:
        return self._json("PUT", f"/api/v1/{path}", content)

    def delete(self, resource: str, ids: Sequence[int]) -> None:
        if ids:
            self._json("DELETE", f"/api/v1/{resource}/?q={rison(list(ids))}")

    def export(self, resource: str, ids: Sequence[int]) -> dict[str, str]:
        """Objects with all they need, as paths and texts of files."""
        content = self._send("GET", f"/api/v1/{resource}/export/?q={rison(list(ids))}")
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {
                name.partition("/")[2]: archive.read(name).decode("utf-8")
                for name in archive.namelist()
                if name.endswith(".yaml")
            }

    def chart_data(self, chart: int) -> list[dict[str, Any]]:
        """The rows of a chart's own query, past the cache."""
        answer = self._json("GET", f"/api/v1/chart/{chart}/data/?force=true")
        rows: list[dict[str, Any]] = answer["result"][0]["data"]
        return rows

    def _json(self, method: str, path: str, content: Any = None) -> Any:
        body = None if content is None else as_json(content)
        answer = self._send(method, path, body, "application/json")
        try:
            return json.loads(answer)
        except ValueError:
            told = f"What answers at {self.server.url} is not Superset's API."
            raise NotReady("GS721", told, hint="Is SUPERSET_URL right?") from None

    def _send(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> bytes:
        headers = {**self._headers, **({"Content-Type": kind} if body is not None else {})}
        try:
            reply = self._session.send(method, self.server.url + path, body, headers)
        except Unreachable as error:
            raise NotReady(
                "GS721",
                f"Superset does not answer at {self.server.url}: {error}.",
                hint="Is it started, and is SUPERSET_URL its address?",
                retryable=True,
            ) from None
        if reply.is_error:
            raise _AnswerError(method, path, reply.status, reply.content)
        return reply.content


class _AnswerError(GoldsmithError):
    """Superset refused a call. status: of HTTP."""

    def __init__(self, method: str, path: str, status: int, body: bytes) -> None:
        reasons = _reasons(body)
        place = path.partition("?")[0]
        hint = {
            _FORBIDDEN: "The user that logs in must be an administrator.",
            _TOO_MANY: "Too many log-ins in a minute, or calls in a second: wait a minute.",
        }.get(status)
        super().__init__(
            "GS723",
            f"Superset refuses {method} {place} ({status}): {'; '.join(reasons) or 'no reason given'}.",
            hint=hint or "Superset's own log says more.",
            retryable=status >= SERVER_ERROR or status == _TOO_MANY,
        )
        self.status = status
        self.reasons = reasons


def _reasons(body: bytes) -> list[str]:
    """What Superset says is wrong: each message of its errors, with the file and the key they name."""
    try:
        answer = json.loads(body)
    except ValueError:
        return []
    found: list[str] = []
    for error in answer.get("errors", []) if isinstance(answer, dict) else []:
        extra = {key: value for key, value in (error.get("extra") or {}).items() if key != "issue_codes"}
        found.append(error.get("message", "") + (f" {json.dumps(extra)}" if extra else ""))
    message = answer.get("message") if isinstance(answer, dict) else None
    if message and not found:
        found.append(message if isinstance(message, str) else json.dumps(message))
    return [reason.strip().rstrip(".") for reason in found]


def bundle(assets: Assets) -> bytes:
    """A ZIP file as the import takes it; the same assets give the same bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (METADATA, *sorted(path for path in assets if path != METADATA)):
            archive.writestr(zipfile.ZipInfo(_ROOT + path, _MIDNIGHT), assets[path])
    return content.getvalue()


def _multipart(fields: Mapping[str, str], name: str, file: bytes) -> tuple[bytes, str]:
    """A form with one file: its body and content type."""
    mark = secrets.token_hex(16)
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.zip"\r\n'
    parts += [f"{head}Content-Type: application/zip\r\n\r\n".encode(), file, f"\r\n--{mark}--\r\n".encode()]
    return b"".join(parts), f"multipart/form-data; boundary={mark}"


def rison(value: Any) -> str:
    """A value in Rison, the form that Superset's queries take, ready for an address."""
    return quote(_rison(value), safe="!():,'")


_BARE = re.compile(r"^[A-Za-z_][A-Za-z0-9_./]*$")


def _rison(value: Any) -> str:
    match value:
        case bool():
            return "!t" if value else "!f"
        case None:
            return "!n"
        case int():
            return str(value)
        case dict():
            return "(" + ",".join(f"{_rison(key)}:{_rison(item)}" for key, item in value.items()) + ")"
        case list() | tuple():
            return "!(" + ",".join(_rison(item) for item in value) + ")"
        case _:
            text = str(value)
            return text if _BARE.match(text) else "'" + text.replace("!", "!!").replace("'", "!'") + "'"
