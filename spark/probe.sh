#!/usr/bin/env bash
# Checks the health of a service, mostly in the shell, because a Python process per check would keep a core busy.
# Usage: probe.sh master|worker|history|metastore|thrift; probe.sh airflow metadatabase|scheduler|dag_processor|triggerer
#   PROBE_HOST   the container's address, which its services bind to
# Exits with 0 if the service is healthy, else with 1 and the reason.
set -uo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)

fail() {
    echo "$1" >&2
    exit 1
}

# http HOST PORT PATH: prints the response to a GET.
http() {
    exec 3<>"/dev/tcp/$1/$2" || fail "$1:$2 does not respond"
    printf 'GET %s HTTP/1.0\r\nHost: %s:%s\r\n\r\n' "$3" "$1" "$2" >&3
    local line
    while IFS= read -r -t 4 line <&3 || [ -n "$line" ]; do printf '%s\n' "$line"; done
    exec 3<&-
}

own() { hostname -i | cut -d' ' -f1; }

# value KEY: prints the first value of a key in the JSON on standard input, which it reads to the end.
value() {
    local line found=
    while IFS= read -r line || [ -n "$line" ]; do
        [[ -z $found && $line =~ \"$1\"[[:space:]]*:[[:space:]]*\"([^\"]*)\" ]] && found=${BASH_REMATCH[1]}
    done
    [ -n "$found" ] && printf '%s' "$found"
}

case ${1:-} in
    master)
        # A recovering master does not accept jobs.
        state=$(http "${PROBE_HOST:-$(own)}" "${PROBE_PORT:-8080}" /json/ | value status) || fail "the master does not respond"
        [ "$state" = ALIVE ] || fail "the master is $state"
        ;;
    worker)
        # The master must list the worker as alive.
        id=$(http "${PROBE_HOST:-$(own)}" "${PROBE_PORT:-8081}" /json/ | value id) || fail "the worker does not respond"
        master=${SPARK_MASTER_URL#*//}
        workers=$(http "${master%%:*}" "${PROBE_MASTER_PORT:-8080}" /json/) || fail "the master does not respond"
        [[ $workers == *"\"$id\""* ]] || fail "the worker is unknown to the master"
        state=$(value state <<<"${workers#*"\"$id\""}")
        [ "$state" = ALIVE ] || fail "the worker is $state"
        ;;
    history)
        answer=$(http "${PROBE_HOST:-$(own)}" "${PROBE_PORT:-18080}" /api/v1/version)
        [[ $answer == *'"spark"'* ]] || fail "the history server does not respond"
        ;;
    # Without the environment's packages Python starts much faster.
    metastore) exec python3 -I -S "$root/health.py" metastore ;;
    thrift) exec "$root/health.py" thrift ;;
    airflow)
        url=${AIRFLOW__CORE__EXECUTION_API_SERVER_URL#*//}
        address=${url%%/*}
        answer=$(http "${address%%:*}" "${address##*:}" /api/v2/monitor/health)
        part="\"$2\"[[:space:]]*:[[:space:]]*\\{[^}]*\"status\"[[:space:]]*:[[:space:]]*\"([^\"]*)\""
        [[ $answer =~ $part ]] || fail "Airflow's API does not respond"
        [ "${BASH_REMATCH[1]}" = healthy ] || fail "$2 is ${BASH_REMATCH[1]}"
        ;;
    *)
        echo "probe.sh master|worker|history|metastore|thrift, or airflow PART" >&2
        exit 2
        ;;
esac
