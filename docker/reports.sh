#!/bin/sh
# Serves the lake's report. Usage: reports.sh, with REPORT_PASSWORD in the environment; or reports.sh health.
#   PAGES_FOLDER (/tmp), PAGES_LISTEN (8080), REPORTS (/reports)
set -eu
folder=${PAGES_FOLDER:-/tmp} listen=${PAGES_LISTEN:-8080}
if [ "${1:-}" = health ]; then
    # Without a log-in it must return 401, and no page.
    [ "$(curl --silent --max-time 4 --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:${listen##*:}/")" = 401 ]
    exit
fi
umask 077
# {PLAIN} marks a plain-text password for nginx; the file is private and in memory.
printf 'report:{PLAIN}%s\n' "$REPORT_PASSWORD" >"$folder/users"
sed -e "s|@FOLDER@|$folder|g" -e "s|@LISTEN@|$listen|" -e "s|@REPORTS@|${REPORTS:-/reports}|" \
    "$(dirname "$0")/reports.conf" >"$folder/nginx.conf"
unset REPORT_PASSWORD
exec nginx -e stderr -c "$folder/nginx.conf" -g 'daemon off;'
