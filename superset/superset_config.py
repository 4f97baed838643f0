"""Superset's settings. Secrets and addresses come from the environment; without them Superset does not start.

SUPERSET_SECRET_KEY (required), SUPERSET_DB_URI (the metadata database; required),
SUPERSET_PREVIOUS_SECRET_KEY (only while `superset.sh init` re-encrypts secrets of an older key),
SUPERSET_CACHE_SECONDS (the maximum age of cached chart data; default: a day), SUPERSET_HTTPS (true behind a TLS proxy),
SUPERSET_THREADS (of the web server; set by superset.sh), SUPERSET_HOME (the folder of cached chart data, besides others).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

_ENTRIES = 2_000
"""The number of files from which the oldest ones of a cache are deleted."""


def _required(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise SystemExit(f"{name} is not set. Superset requires it.")
    return value


def _kept(prefix: str, seconds: int) -> dict[str, Any]:
    """A cache in Superset's own database, for what a reader entered: it outlives the container."""
    return {
        "CACHE_TYPE": "SupersetMetastoreCache",
        "CACHE_KEY_PREFIX": f"goldsmith_{prefix}",
        "CACHE_DEFAULT_TIMEOUT": seconds,
        "REFRESH_TIMEOUT_ON_RETRIEVAL": False,
    }


def _files(name: str, seconds: int) -> dict[str, Any]:
    """A cache in files, for what can be queried again.

    In the database, two readers who open the same chart at the same time would insert the same key, and one would fail.
    """
    home = Path(os.environ.get("SUPERSET_HOME") or Path.home() / ".superset")
    return {
        "CACHE_TYPE": "FileSystemCache",
        "CACHE_DIR": str(home / "cache" / name),
        "CACHE_THRESHOLD": _ENTRIES,
        "CACHE_DEFAULT_TIMEOUT": seconds,
    }


SECRET_KEY = _required("SUPERSET_SECRET_KEY")
PREVIOUS_SECRET_KEY = os.environ.get("SUPERSET_PREVIOUS_SECRET_KEY") or None
SQLALCHEMY_DATABASE_URI = _required("SUPERSET_DB_URI")
if not SQLALCHEMY_DATABASE_URI.startswith("sqlite"):
    # Each request holds a connection. A connection that the database closed is replaced.
    SQLALCHEMY_ENGINE_OPTIONS = {
        "pool_size": int(os.environ.get("SUPERSET_THREADS") or 5),
        "max_overflow": 10,
        "pool_pre_ping": True,
    }

_HTTPS = os.environ.get("SUPERSET_HTTPS", "").lower() == "true"
_DAY = 86_400
_SECONDS = int(os.environ.get("SUPERSET_CACHE_SECONDS") or _DAY)

# The table versions are part of the cache key, so a load invalidates cached data, not the time.
DATA_CACHE_CONFIG = _files("data", _SECONDS)
CACHE_CONFIG = _files("meta", min(_SECONDS, 600))
FILTER_STATE_CACHE_CONFIG = _kept("filters", 7 * _DAY)
EXPLORE_FORM_DATA_CACHE_CONFIG = _kept("explore", 7 * _DAY)

# Private pages: no anonymous access, no self-registration, no telemetry.
AUTH_ROLE_PUBLIC = "Public"
PUBLIC_ROLE_LIKE = None
AUTH_USER_REGISTRATION = False
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = _HTTPS
ENABLE_PROXY_FIX = _HTTPS
WTF_CSRF_ENABLED = True
RATELIMIT_ENABLED = True
AUTH_RATE_LIMITED = True
AUTH_RATE_LIMIT = "10 per minute"
RATELIMIT_STORAGE_URI = "memory://"
# For all visitors together if they have the address of a proxy or of Docker's gateway.
RATELIMIT_APPLICATION = "1000 per second"

# The pages load nothing from other hosts, not even Superset's own telemetry, except map tiles.
TALISMAN_ENABLED = True
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'", "https://tile.openstreetmap.org"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'"],
        "script-src": ["'self'", "'strict-dynamic'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": _HTTPS,
}

# `goldsmith superset push` creates the roles, through the same API that administrators use.
FAB_ADD_SECURITY_API = True
FAB_ADD_SECURITY_VIEWS = True

FEATURE_FLAGS = {
    "DASHBOARD_RBAC": False,
    "ENABLE_TEMPLATE_PROCESSING": False,
    "DRILL_BY": True,
    "DRILL_TO_DETAIL": True,
    "ALERT_REPORTS": False,
    "HORIZONTAL_FILTER_BAR": True,
}
SQLLAB_CTAS_NO_LIMIT = False
SQL_MAX_ROW = 100_000
ROW_LIMIT = 10_000
SUPERSET_WEBSERVER_TIMEOUT = 120
SQLLAB_TIMEOUT = 120
DASHBOARD_AUTO_REFRESH_INTERVALS = [[0, "Don't refresh"], [60, "1 minute"], [300, "5 minutes"]]
LOG_LEVEL = "WARNING"
APP_NAME = "Lakehouse"


def FLASK_APP_MUTATOR(app: Any) -> None:  # noqa: N802 - Superset's name
    """Installs the phone layout, map tiles, the same table versions for all charts of a page, and what readers share."""
    from goldsmith_superset import (
        door,
        event_log,
        map_tiles,
        page_versions,
        permissions,
        phones,
        single_flight,
    )

    for each in (phones, map_tiles, page_versions, door):
        each.install(app)
    for each in (permissions, event_log, single_flight):
        each.install()
