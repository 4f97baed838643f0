# Shared by the start scripts; sourced, not run. Sets SPARK_HOME, SPARK_CONF_DIR, HIVE_CONF_DIR and SPARK_LOCAL_IP.
# SPARK_DIST_CLASSPATH adds jars that are not in SPARK_HOME/jars; Spark's own scripts use it too.
_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# refuse CODE MESSAGE HINT: exits with 4, the code of an environment that is not ready.
refuse() {
    printf '%s %s\n  %s\n' "$1" "$2" "$3" >&2
    exit 4
}

# listening HOST PORT: whether a port is in use; for 0.0.0.0 it checks the loopback.
listening() {
    local host=$1
    [ "$host" = 0.0.0.0 ] && host=127.0.0.1
    (exec 3<>"/dev/tcp/$host/$2") 2>/dev/null
}

# Spark would silently use the next port, and clients would not find it.
require_free_port() {
    if listening "$1" "$2"; then
        refuse GS921 "Port $2 on $1 is in use, and $3 needs it." "Stop the program that uses it, or set $4 to another port."
    fi
}

# daemon_options: Java options of a master or worker that refuses processes without the cluster's secret. Spark itself
# reads the secret, _SPARK_AUTH_SECRET, from the environment.
daemon_options() {
    if [ -n "${_SPARK_AUTH_SECRET:-}" ]; then
        echo "-Dspark.authenticate=true -Dspark.network.crypto.enabled=true"
    elif grep -qs '^spark.authenticate  *true' "$SPARK_CONF_DIR/spark-defaults.conf"; then
        refuse GS927 "The cluster's secret _SPARK_AUTH_SECRET is not set." "Pass SPARK_AUTH_SECRET of .env, which \`make env\` writes, as _SPARK_AUTH_SECRET."
    fi
}

if [ -z "${SPARK_HOME:-}" ]; then
    SPARK_HOME=$(python3 -c 'import importlib.util as u; s = u.find_spec("pyspark"); print(s.submodule_search_locations[0])' 2>/dev/null) ||
        refuse GS903 "SPARK_HOME is not set, and python3 has no pyspark." "Set SPARK_HOME to a Spark 4.1."
fi
export SPARK_HOME
export SPARK_CONF_DIR=${SPARK_CONF_DIR:-$_root/spark/conf}
export HIVE_CONF_DIR=${HIVE_CONF_DIR:-$_root/hive}
# The address that a service binds to and announces; a container sets it to its own.
export SPARK_LOCAL_IP=${SPARK_LOCAL_IP:-127.0.0.1}
