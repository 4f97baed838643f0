#!/usr/bin/env bash
# Runs Superset. superset.sh init: creates its tables, roles and accounts (idempotent).
# superset.sh serve: runs the server. superset.sh health: checks whether it responds.
#   SUPERSET_SECRET_KEY, SUPERSET_DB_URI        see superset_config.py
#   SUPERSET_ADMIN_USER (admin), SUPERSET_ADMIN_PASSWORD            for init
#   SUPERSET_ANALYST_USER (analyst), SUPERSET_ANALYST_PASSWORD      for init; without a password no such account
#   SUPERSET_PREVIOUS_SECRET_KEY                for init: the key that encrypted the tables until now
#   SUPERSET_HOST (127.0.0.1), SUPERSET_PORT (8088), SUPERSET_THREADS (32)
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
export SUPERSET_CONFIG_PATH=${SUPERSET_CONFIG_PATH:-$here/superset_config.py}
export FLASK_APP='superset.app:create_app()'
case ${1:-} in
init)
    superset db upgrade
    if [ -n "${SUPERSET_PREVIOUS_SECRET_KEY:-}" ]; then
        python "$here/bin/re_encrypt.py"
    fi
    # Passwords are not passed as arguments, which `ps` would show.
    exec python "$here/bin/accounts.py"
    ;;
serve)
    export SUPERSET_THREADS=${SUPERSET_THREADS:-32}
    exec gunicorn --workers 1 --worker-class gthread --threads "$SUPERSET_THREADS" --timeout 120 --keep-alive 65 \
        --bind "${SUPERSET_HOST:-127.0.0.1}:${SUPERSET_PORT:-8088}" --no-control-socket --access-logfile /dev/null "$FLASK_APP"
    ;;
health)
    # In the shell, because a Python process per check costs more than the response.
    exec 3<>"/dev/tcp/127.0.0.1/${SUPERSET_PORT:-8088}"
    printf 'GET /health HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' >&3
    read -r -t 4 status <&3
    [[ $status == HTTP/1.?\ 200* ]]
    ;;
*)
    echo "superset.sh init | serve | health" >&2
    exit 2
    ;;
esac
