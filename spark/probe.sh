#!/usr/bin/env bash
# Asks a service for its health, mostly in the shell alone: a Python for each look would keep a core busy with looking.
# Usage: probe.sh master|worker|history|metastore|thrift; probe.sh airflow metadatabase|scheduler|dag_processor|triggerer
#   PROBE_HOST   the container's address; its services bind to no other
# Ends with 0 where the service is healthy, else with 1 and the reason.
set -uo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)

fail() {
    echo "$1" >&2
    exit 1
}

# http HOST PORT PATH: prints the answer to a GET.
http() {
    exec 3<>"/dev/tcp/$1/$2" || fail "$1:$2 does not answer"
    printf 'GET %s HTTP/1.0\r\nHost: %s:%s\r\n\r\n' "$3" "$1" "$2" >&3
    local line
    while IFS= read -r -t 4 line <&3 || [ -n "$line" ]; do printf '%s\n' "$line"; done
    exec 3<&-
}

own() { hostname -i | cut -d' ' -f1; }

# value KEY: prints the first value of a key in the JSON that is read, which it reads to the end.
value() {
    local line found=
    while IFS= read -r line || [ -n "$line" ]; do
        [[ -z $found && $line =~ \"$1\"[[:space:]]*:[[:space:]]*\"([^\"]*)\" ]] && found=${BASH_REMATCH[1]}
    done
    [ -n "$found" ] && printf '%s' "$found"
}

case ${1:-} in
    master)
        # One that recovers does not take jobs.
        state=$(http "${PROBE_HOST:-$(own)}" "${PROBE_PORT:-8080}" /json/ | value status) || fail "the master does not answer"
        [ "$state" = ALIVE ] || fail "the master is $state"
        ;;
    worker)
        # The master counts it among those that are alive.
        id=$(http "${PROBE_HOST:-$(own)}" "${PROBE_PORT:-8081}" /json/ | value id) || fail "the worker does not answer"
        master=${SPARK_MASTER_URL#*//}
        workers=$(http "${master%%:*}" "${PROBE_MASTER_PORT:-8080}" /json/) || fail "the master does not answer"
        [[ $workers == *"\"$id\""* ]] || fail "the worker is unknown to the master"
        state=$(value state <<<"${workers#*"\"$id\""}")
        [ "$state" = ALIVE ] || fail "the worker is $state"
        ;;
    history)
        answer=$(http "${PROBE_HOST:-$(own)}" "${PROBE_PORT:-18080}" /api/v1/version)
        [[ $answer == *'"spark"'* ]] || fail "the history server does not answer"
        ;;
    # Without the environment's packages Python starts in a fraction of the time.
    metastore) exec python3 -I -S "$root/health.py" metastore ;;
    thrift) exec "$root/health.py" thrift ;;
    airflow)
        url=${AIRFLOW__CORE__EXECUTION_API_SERVER_URL#*//}
        address=${url%%/*}
        answer=$(http "${address%%:*}" "${address##*:}" /api/v2/monitor/health)
        part="\"$2\"[[:space:]]*:[[:space:]]*\\{[^}]*\"status\"[[:space:]]*:[[:space:]]*\"([^\"]*)\""
        [[ $answer =~ $part ]] || fail "Airflow's API does not answer"
        [ "${BASH_REMATCH[1]}" = healthy ] || fail "$2 is ${BASH_REMATCH[1]}"
        ;;
    *)
        echo "probe.sh master|worker|history|metastore|thrift, or airflow PART" >&2
        exit 2
        ;;
esac
