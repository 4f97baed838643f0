#!/bin/sh
# A proxy that adds authentication to DQOps. Usage: dqops-proxy.sh, with DQOPS_USER and DQOPS_PASSWORD in the environment;
# or dqops-proxy.sh health, the health check.
#   PROXY_FOLDER (/tmp), PROXY_LISTEN (8080), DQOPS_SERVER (dqops:8888)
set -eu
folder=${PROXY_FOLDER:-/tmp} listen=${PROXY_LISTEN:-8080}
if [ "${1:-}" = health ]; then
    # Without a log-in it must return 401, and nothing of DQOps.
    [ "$(curl --silent --max-time 4 --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:${listen##*:}/")" = 401 ]
    exit
fi
umask 077
# {PLAIN} marks a plain-text password for nginx; the file is private and in memory.
printf '%s:{PLAIN}%s\n' "$DQOPS_USER" "$DQOPS_PASSWORD" >"$folder/users"
sed -e "s|@FOLDER@|$folder|g" -e "s|@LISTEN@|$listen|" -e "s|@SERVER@|${DQOPS_SERVER:-dqops:8888}|" \
    "$(dirname "$0")/dqops-proxy.conf" >"$folder/nginx.conf"
unset DQOPS_PASSWORD
exec nginx -e stderr -c "$folder/nginx.conf" -g 'daemon off;'
