#!/bin/sh
# Downloads pinned jars with the Ivy of pyspark and checks their sha256.
# Usage: fetch.sh PINS FOLDER IVY_JAR
#   PINS     lines of `group:artifact:version sha256`
#   FOLDER   the target folder; existing jars with the right sha256 are not downloaded again
# GOLDSMITH_MAVEN_REPOSITORY selects a mirror, GOLDSMITH_IVY_SETTINGS an Ivy settings file to use instead.
set -eu
pins=$1 folder=$2 ivy_jar=$3
java=${JAVA_HOME:+$JAVA_HOME/bin/}java

digest() {
    if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d' ' -f1
}

jar_of() {
    version=${1##*:} rest=${1%:*}
    echo "${rest##*:}-$version.jar"
}

mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
grep -v '^#' "$pins" | grep . >"$work/pins"
while read -r coordinates sha256; do
    jar=$folder/$(jar_of "$coordinates")
    if [ ! -f "$jar" ] || [ "$(digest "$jar")" != "$sha256" ]; then
        echo "$coordinates $sha256"
    fi
done <"$work/pins" >"$work/wanted"
[ -s "$work/wanted" ] || exit 0

{
    echo '<ivy-module version="2.0"><info organisation="goldsmith" module="jars"/>'
    echo '<configurations><conf name="default"/></configurations><dependencies defaultconfmapping="default->master">'
    while read -r coordinates _; do
        rest=${coordinates%:*}
        echo "<dependency org=\"${rest%%:*}\" name=\"${rest##*:}\" rev=\"${coordinates##*:}\" transitive=\"false\"/>"
    done <"$work/wanted"
    echo '</dependencies></ivy-module>'
} >"$work/ivy.xml"
settings=${GOLDSMITH_IVY_SETTINGS:-}
if [ -z "$settings" ]; then
    settings=$work/settings.xml
    root=${GOLDSMITH_MAVEN_REPOSITORY:-https://repo.maven.apache.org/maven2/}
    echo "<ivysettings><settings defaultResolver=\"maven\"/><resolvers>" \
        "<ibiblio name=\"maven\" m2compatible=\"true\" root=\"$root\"/></resolvers></ivysettings>" >"$settings"
fi
"$java" "-Divy.cache.dir=$work/cache" -cp "$ivy_jar" org.apache.ivy.Main -settings "$settings" -ivy "$work/ivy.xml" \
    -cache "$work/cache" -types jar -retrieve "$work/got/[artifact]-[revision].[ext]" >"$work/log" 2>&1 || {
    tail -n 15 "$work/log" >&2
    exit 1
}
while read -r coordinates sha256; do
    jar=$(jar_of "$coordinates")
    found=$(digest "$work/got/$jar")
    if [ "$found" != "$sha256" ]; then
        echo "$jar is not the pinned jar: sha256 $found, expected $sha256." >&2
        exit 1
    fi
    # Two processes may download at once: the rename is atomic.
    cp "$work/got/$jar" "$folder/.$jar.$$"
    mv "$folder/.$jar.$$" "$folder/$jar"
done <"$work/wanted"
