#!/usr/bin/env bash
# Runs Superset. superset.sh init: makes its tables, its roles and its accounts, as often as one likes.
# superset.sh serve: the server. superset.sh health: whether it answers.
#   SUPERSET_SECRET_KEY, SUPERSET_DB_URI        as superset_config.py tells
#   SUPERSET_ADMIN_USER (admin), SUPERSET_ADMIN_PASSWORD            for init
#   SUPERSET_ANALYST_USER (analyst), SUPERSET_ANALYST_PASSWORD      for init; no such account without a password
#   SUPERSET_PREVIOUS_SECRET_KEY                for init: what the tables were encrypted by until now
#   SUPERSET_HOST (127.0.0.1), SUPERSET_PORT (8088), SUPERSET_THREADS (32)
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
export SUPERSET_CONFIG_PATH=${SUPERSET_CONFIG_PATH:-$here/superset_config.py}
export FLASK_APP='superset.app:create_app()'
case ${1:-} in
init)
    superset db upgrade
    if [ -n "${SUPERSET_PREVIOUS_SECRET_KEY:-}" ]; then
        superset re-encrypt-secrets
    fi
    # A password never stands in an argument, where `ps` would show it.
    exec python "$here/bin/accounts.py"
    ;;
serve)
    export SUPERSET_THREADS=${SUPERSET_THREADS:-32}
    exec gunicorn --workers 1 --worker-class gthread --threads "$SUPERSET_THREADS" --timeout 120 --keep-alive 65 \
        --bind "${SUPERSET_HOST:-127.0.0.1}:${SUPERSET_PORT:-8088}" --no-control-socket --access-logfile /dev/null "$FLASK_APP"
    ;;
health)
    # In the shell: a Python for each look costs more than the answer.
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
