"""Superset's settings. Secrets and addresses come from the environment; without them it does not start.

SUPERSET_SECRET_KEY (required), SUPERSET_DB_URI (the metadata's database; required),
SUPERSET_PREVIOUS_SECRET_KEY (only while `superset.sh init` encrypts anew what an older key encrypted),
SUPERSET_CACHE_SECONDS (how long charts' data is kept at most: a day), SUPERSET_HTTPS (true behind a proxy with TLS).
"""

from __future__ import annotations

import os
from typing import Any


def _required(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise SystemExit(f"{name} is not set: Superset needs it.")
    return value


def _cache(prefix: str, seconds: int) -> dict[str, Any]:
    """A cache in Superset's own database: it outlives a restart and needs no other server."""
    return {
        "CACHE_TYPE": "SupersetMetastoreCache",
        "CACHE_KEY_PREFIX": f"goldsmith_{prefix}",
        "CACHE_DEFAULT_TIMEOUT": seconds,
        "REFRESH_TIMEOUT_ON_RETRIEVAL": False,
    }


SECRET_KEY = _required("SUPERSET_SECRET_KEY")
PREVIOUS_SECRET_KEY = os.environ.get("SUPERSET_PREVIOUS_SECRET_KEY") or None
SQLALCHEMY_DATABASE_URI = _required("SUPERSET_DB_URI")

_HTTPS = os.environ.get("SUPERSET_HTTPS", "").lower() == "true"
_DAY = 86_400
_SECONDS = int(os.environ.get("SUPERSET_CACHE_SECONDS") or _DAY)

# The tables' versions are part of what the data is kept under: a load makes it unused, not the time.
DATA_CACHE_CONFIG = _cache("data", _SECONDS)
CACHE_CONFIG = _cache("meta", min(_SECONDS, 600))
FILTER_STATE_CACHE_CONFIG = _cache("filters", 7 * _DAY)
EXPLORE_FORM_DATA_CACHE_CONFIG = _cache("explore", 7 * _DAY)

# The pages are ours alone: no visitor without a login, no account by signing up, no telemetry.
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
# Of all visitors together, where a proxy or Docker's gateway is the address they come from.
RATELIMIT_APPLICATION = "1000 per second"

# A browser asks no other host, whatever is built into the pages: Superset counts its visitors at one. The map's
# ground alone comes from elsewhere.
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

# The roles are what `goldsmith superset push` makes of them, by the same API that an administrator has.
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
    """Gives phones the layout of dashboards in one column, maps their ground, and pages one moment for all charts."""
    from goldsmith_superset import agreement, ground, phones

    phones.install(app)
    ground.install(app)
    agreement.install(app)
