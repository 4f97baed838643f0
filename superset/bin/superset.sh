#!/usr/bin/env bash
# Runs Superset. superset.sh init: makes its tables, its roles and the administrator, as often as one likes.
# superset.sh serve: the server.
#   SUPERSET_SECRET_KEY, SUPERSET_DB_URI        as superset_config.py tells
#   SUPERSET_ADMIN_USER (admin), SUPERSET_ADMIN_PASSWORD    for init
#   SUPERSET_HOST (127.0.0.1), SUPERSET_PORT (8088), SUPERSET_THREADS (8)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export SUPERSET_CONFIG_PATH=${SUPERSET_CONFIG_PATH:-$here/superset_config.py}
export FLASK_APP='superset.app:create_app()'
case ${1:-} in
init)
    superset db upgrade
    # The password never stands in an argument, where `ps` would show it.
    exec python "$here/bin/admin.py"
    ;;
serve)
    exec gunicorn --workers 1 --worker-class gthread --threads "${SUPERSET_THREADS:-8}" --timeout 120 \
        --bind "${SUPERSET_HOST:-127.0.0.1}:${SUPERSET_PORT:-8088}" --no-control-socket --access-logfile /dev/null "$FLASK_APP"
    ;;
*)
    echo "superset.sh init | serve" >&2
    exit 2
    ;;
esac
