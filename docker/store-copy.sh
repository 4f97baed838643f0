#!/bin/sh
# Copies the bucket to /backup, or restores it from /backup. Usage: store-copy.sh out|in
set -eu
export MC_CONFIG_DIR="${TMPDIR:-/tmp}/mc" MC_NO_COLOR=1
MC_HOST_lake=$(printf '%s' "$AWS_ENDPOINT_URL_S3" | sed "s|://|://$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY@|")
export MC_HOST_lake
case $1 in
    out) mc mirror --quiet --overwrite --remove lake/lake /backup >/dev/null ;;
    in) mc mirror --quiet --overwrite --remove /backup lake/lake >/dev/null ;;
esac
