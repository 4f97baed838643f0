#!/usr/bin/env bash
# The entry point of Spark's image: a service by name, `submit` for a job, `driver` and `executor` for Spark on
# Kubernetes, or any other command.
set -euo pipefail
cd /opt/goldsmith
# Other containers use this one's address, because they may not resolve its name.
address=$(hostname -i | cut -d' ' -f1)
export SPARK_LOCAL_IP=${SPARK_LOCAL_IP:-$address} SPARK_LOCAL_HOSTNAME=${SPARK_LOCAL_HOSTNAME:-$address}
# spark-submit's default master.
export MASTER=${MASTER:-${SPARK_MASTER_URL:-spark://spark-master:7077}}

case ${1:-} in
    thrift)
        shift
        # Started in a subshell, so that the first process of the container reaps it.
        (spark/warm.py &)
        exec spark/bin/thrift.sh "$@"
        ;;
    master | worker | history) service=$1 && shift && exec "spark/bin/$service.sh" "$@" ;;
    metastore)
        shift
        # With METASTORE_PEERS=network it refuses connections from the host, the containers' gateway.
        while read -r _ destination gateway _; do
            [ "${METASTORE_PEERS:-}" = network ] && [ "$destination" = 00000000 ] || continue
            METASTORE_GATEWAY=$(printf '%d.%d.%d.%d' "0x${gateway:6:2}" "0x${gateway:4:2}" "0x${gateway:2:2}" "0x${gateway:0:2}")
            export METASTORE_GATEWAY
        done </proc/net/route
        # Every job needs the metastore and this folder.
        spark/event_logs.py
        exec hive/metastore.sh "$@"
        ;;
    submit)
        shift
        # A job of seconds ends before the second compiler pays for itself.
        export SPARK_SUBMIT_OPTS=${SPARK_SUBMIT_OPTS--XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:+UseSerialGC}
        # Filters Java's warning about the vector module, which Spark uses. An interrupt reaches Spark, and the filter ends
        # after it.
        set +e
        {
            spark-submit "$@" 2>&1 >&3 3>&- |
                (trap '' INT TERM && exec grep --line-buffered -v '^WARNING: Using incubator modules: ') >&2
            exit "${PIPESTATUS[0]}"
        } 3>&1
        ;;
    driver)
        shift
        exec spark-submit --conf "spark.driver.bindAddress=$SPARK_DRIVER_BIND_ADDRESS" --deploy-mode client "$@"
        ;;
    executor)
        options=()
        for name in "${!SPARK_JAVA_OPT_@}"; do options+=("${!name}"); done
        exec java "${options[@]}" "-Xms$SPARK_EXECUTOR_MEMORY" "-Xmx$SPARK_EXECUTOR_MEMORY" \
            -cp "$SPARK_CONF_DIR:${SPARK_CLASSPATH:+$SPARK_CLASSPATH:}$SPARK_HOME/jars/*" \
            org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend \
            --driver-url "$SPARK_DRIVER_URL" --executor-id "$SPARK_EXECUTOR_ID" --cores "$SPARK_EXECUTOR_CORES" \
            --app-id "$SPARK_APPLICATION_ID" --hostname "$SPARK_EXECUTOR_POD_IP" \
            --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID" --podName "$SPARK_EXECUTOR_POD_NAME"
        ;;
    *) exec "$@" ;;
esac
