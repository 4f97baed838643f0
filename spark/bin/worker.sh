#!/usr/bin/env bash
# Runs a standalone worker, with Spark's own variables:
#   SPARK_MASTER_URL                                (spark://spark-master:7077)
#   SPARK_WORKER_CORES, SPARK_WORKER_MEMORY         (1, 1g)
#   SPARK_WORKER_HOST, SPARK_WORKER_WEBUI_PORT      (SPARK_LOCAL_IP, 8081)
#   SPARK_WORKER_DIR                                the working folder of executors (/tmp/spark-worker)
#   SPARK_DAEMON_MEMORY                             its own heap (256m)
#   _SPARK_AUTH_SECRET                              the master's secret, if it has one
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
host=${SPARK_WORKER_HOST:-$SPARK_LOCAL_IP} ui=${SPARK_WORKER_WEBUI_PORT:-8081}

require_free_port "$host" "$ui" "the Spark worker's web UI" SPARK_WORKER_WEBUI_PORT
export SPARK_DAEMON_MEMORY=${SPARK_DAEMON_MEMORY:-256m}
options=$(daemon_options)
# The files of an application are removed a day after its end.
export SPARK_DAEMON_JAVA_OPTS="-XX:+UseSerialGC $options -Dspark.port.maxRetries=0 -Dspark.worker.cleanup.enabled=true\
 -Dspark.worker.cleanup.appDataTtl=86400 ${SPARK_DAEMON_JAVA_OPTS:-}"
exec "$SPARK_HOME/bin/spark-class" org.apache.spark.deploy.worker.Worker --host "$host" --webui-port "$ui" \
    --cores "${SPARK_WORKER_CORES:-1}" --memory "${SPARK_WORKER_MEMORY:-1g}" \
    --work-dir "${SPARK_WORKER_DIR:-/tmp/spark-worker}" "${SPARK_MASTER_URL:-spark://spark-master:7077}"
