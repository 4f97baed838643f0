#!/bin/sh
# Archives the classes that jobs load, so that a JVM maps them and does not load them one by one.
# Usage: make.sh ARCHIVE, as the user and with the class path that jobs will have
set -eu
archive=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
spark-submit --driver-java-options "-XX:ArchiveClassesAtExit=$archive -XX:+UseSerialGC" "$here/train.py" "$work" \
    >"$work/log" 2>&1 || {
    grep -v "\]\[cds" "$work/log" | tail -n 40 >&2
    exit 1
}
[ -s "$archive" ] || {
    echo "Java wrote no archive:" >&2
    grep -v "\]\[cds" "$work/log" | tail -n 40 >&2
    exit 1
}
ls -l "$archive"
