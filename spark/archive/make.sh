#!/bin/sh
# Creates a class archive of the classes that jobs use, so that a JVM maps them instead of loading them one by one.
# Usage: make.sh ARCHIVE, with the user and the class path of jobs
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
