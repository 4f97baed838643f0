#!/bin/sh
# A health check that the engine starts once in a quarter of an hour instead of every few seconds: its start costs more
# than the check itself.
# Usage: watch.sh COMMAND [ARGUMENT ...]
# Runs the command, and exits if it fails or if it is the first success since the container started. Otherwise runs it
# again every minute, and exits at the first failure, or with 0 after a quarter of an hour.
#   WATCH_PAUSE (60), WATCH_FOR (900), WATCH_LIMIT (15): seconds between two runs, of all runs, and of one run
#   WATCH_FILE (/tmp/watch)
set -u
file=${WATCH_FILE:-/tmp/watch}
end=$(($(date +%s) + ${WATCH_FOR:-900}))
# The start time of the container's first process: the file may be left from before a restart.
read -r process </proc/1/stat
started=$(echo "${process##*) }" | cut -d' ' -f20)

check() {
    timeout "${WATCH_LIMIT:-15}" "$@" && return
    result=$?
    [ "$result" != 124 ] || echo "no response within ${WATCH_LIMIT:-15} s" >&2
    rm -f "$file"
    exit "$result"
}

check "$@"
succeeded=''
[ ! -r "$file" ] || read -r succeeded <"$file"
echo "$started" >"$file"
[ "$succeeded" = "$started" ] || exit 0
while [ "$(date +%s)" -lt "$end" ]; do
    sleep "${WATCH_PAUSE:-60}"
    check "$@"
done
