#!/bin/sh
# Compiles the log store's tests and runs them on a running store.
# Usage: test.sh JAR JUNIT_JAR CLASS_PATH
#   JAR         the jar of build-jar.sh
#   CLASS_PATH  delta-storage, the jars of S3A and all of pyspark's
# GOLDSMITH_TEST_S3_ENDPOINT, _ACCESS_KEY and _SECRET_KEY select the store, GOLDSMITH_TEST_ROUNDS the length of races.
set -eu
class_path=$1:$2:$3
here=$(cd "$(dirname "$0")" && pwd)
bin=${JAVA_HOME:+$JAVA_HOME/bin/}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
find "$here/test" -name '*.java' >"$work/sources"
"${bin}javac" --release 17 -encoding UTF-8 -g -Xlint:all,-classfile,-path,-processing -Werror -proc:none \
    -cp "$class_path" -d "$work/classes" "@$work/sources"
"${bin}java" -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$work/classes:$class_path" \
    org.junit.platform.console.ConsoleLauncher execute --scan-class-path="$work/classes" \
    --disable-banner --disable-ansi-colors --details=tree --fail-if-no-tests
