"""Remembers the permissions of roles and users for some seconds.

Superset asks its database for them several times per chart, with joins of five and more tables.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any

REMEMBERED = 10.0
"""How long a change by another process may remain unseen, in seconds. Changes by this process count at once."""


class Memory:
    """Results by key, all forgotten after `seconds`, or by `forget`. Thread-safe."""

    def __init__(self, seconds: float = REMEMBERED, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._lock = Lock()
        self._found: dict[Hashable, Any] = {}
        self._since = clock()

    def get(self, key: Hashable, find: Callable[[], Any]) -> Any:
        """The remembered result of a key, or the result of `find`, which runs without the lock."""
        with self._lock:
            if self._clock() - self._since >= self._seconds:
                self._forget()
            found = self._found
            if key in found:
                return found[key]
        result = find()
        # Into the dictionary from before: a result from before `forget` must not be remembered after it.
        with self._lock:
            found[key] = result
        return result

    def forget(self) -> None:
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        self._found, self._since = {}, self._clock()


def install() -> None:
    """Patches Superset's security manager, and forgets what it found after each commit that changes permissions."""
    from flask import g
    from sqlalchemy import event
    from sqlalchemy.orm import Session
    from superset import db
    from superset.security import SupersetSecurityManager
    from superset.utils.core import get_user_id

    memory = Memory()
    exists, names = (
        SupersetSecurityManager.exist_permission_on_roles,
        SupersetSecurityManager.user_view_menu_names,
    )

    def exist_permission_on_roles(
        self: Any, view_name: str, permission_name: str, role_ids: list[int]
    ) -> Any:
        key = ("roles", view_name, permission_name, frozenset(role_ids))
        return memory.get(key, lambda: exists(self, view_name, permission_name, role_ids))

    def user_view_menu_names(self: Any, permission_name: str) -> set[str]:
        user = None if g.user.is_anonymous else get_user_id()
        found: set[str] = memory.get(("user", user, permission_name), lambda: names(self, permission_name))
        return set(found)

    def flushed(session: Session, _: Any) -> None:
        changed = (*session.new, *session.dirty, *session.deleted)
        if any(type(each).__module__.startswith("flask_appbuilder.security") for each in changed):
            session.info["permissions_changed"] = True

    def committed(session: Session) -> None:
        if session.info.pop("permissions_changed", False):
            memory.forget()

    SupersetSecurityManager.exist_permission_on_roles = exist_permission_on_roles
    SupersetSecurityManager.user_view_menu_names = user_view_menu_names
    event.listen(db.session, "after_flush", flushed)
    event.listen(db.session, "after_commit", committed)
