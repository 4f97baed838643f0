#!/usr/bin/env bash
# Starts an Airflow service in its container. Usage: start.sh init|api-server|scheduler|dag-processor|triggerer
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
case $1 in
    init)
        airflow db migrate
        airflow pools import "$here/pools.json"
        ;;
    api-server)
        (
            umask 077
            printf '{"admin": "%s", "viewer": "%s"}\n' "$AIRFLOW_ADMIN_PASSWORD" "$AIRFLOW_VIEWER_PASSWORD" \
                >"$AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"
        )
        unset AIRFLOW_ADMIN_PASSWORD AIRFLOW_VIEWER_PASSWORD
        exec airflow api-server --host "$(hostname -i | cut -d' ' -f1)" --port 8080
        ;;
    scheduler)
        # After a reboot all services start at once, and a task without the API would lose an attempt.
        until probe airflow metadatabase 2>/dev/null; do sleep 1; done
        exec python -m goldsmith.publish.airflow.preloaded scheduler
        ;;
    dag-processor) exec python -m goldsmith.publish.airflow.preloaded dag-processor ;;
    *) exec airflow "$1" ;;
esac
