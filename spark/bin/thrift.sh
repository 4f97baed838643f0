#!/usr/bin/env bash
# Runs the Thrift Server, by which SQL clients (JDBC, ODBC, PyHive) read the tables.
#   THRIFT_HOST, THRIFT_PORT            where it listens (SPARK_LOCAL_IP, 10000)
#   SPARK_MASTER_URL                    (spark://spark-master:7077); local[2] runs queries in this process
#   THRIFT_MEMORY                       the driver's heap (1g)
#   THRIFT_CORES                        cores of the cluster that it takes for itself (1)
#   THRIFT_EXECUTOR_MEMORY              of each executor (1g)
#   THRIFT_MAX_RESULT                   how large a result may become in the driver (512m)
#   THRIFT_INCREMENTAL                  true: fetch results part by part, false: at once (true)
#   THRIFT_QUERY_TIMEOUT                a query that takes longer is ended (30min; 0 for never)
#   THRIFT_IDLE_SESSION                 a session without queries is closed after this (1h)
#   THRIFT_ENGINEER_PASSWORD, THRIFT_DQOPS_PASSWORD, THRIFT_ANALYST_PASSWORD
#                                       of the services' accounts; the first two read everything, analyst gold and ops
#   THRIFT_USERS_FILE                   more accounts: a file made by `goldsmith user set`
#                                       Without any of them there is no log-in, and everybody reads everything.
#   THRIFT_TLS_KEYSTORE                 a PKCS12 file: connections are encrypted
#   THRIFT_TLS_PASSWORD_FILE            holds the keystore's password
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
host=${THRIFT_HOST:-$SPARK_LOCAL_IP} port=${THRIFT_PORT:-10000}
require_free_port "$host" "$port" "the Thrift Server" THRIFT_PORT

work=$(mktemp -d "${TMPDIR:-/tmp}/thrift.XXXXXX")
# Hive looks into it at the end of each session.
mkdir "$work/local"
options=(
    --conf "spark.driver.host=$SPARK_LOCAL_IP"
    --conf "spark.driver.bindAddress=$SPARK_LOCAL_IP"
    --conf spark.sql.catalogImplementation=hive
    --conf "spark.executor.memory=${THRIFT_EXECUTOR_MEMORY:-1g}"
    --conf "spark.cores.max=${THRIFT_CORES:-1}"
    --conf spark.scheduler.mode=FAIR
    --conf "spark.scheduler.allocation.file=file://$SPARK_CONF_DIR/fairscheduler.xml"
    --conf "spark.driver.maxResultSize=${THRIFT_MAX_RESULT:-512m}"
    --conf "spark.sql.thriftServer.incrementalCollect=${THRIFT_INCREMENTAL:-true}"
    --conf "spark.sql.thriftServer.queryTimeout=${THRIFT_QUERY_TIMEOUT:-30min}"
    --conf spark.sql.thriftServer.interruptOnCancel=true
    # Of a server that never ends no log would ever be closed.
    --conf spark.eventLog.enabled=false
    --conf spark.sql.thriftserver.ui.retainedSessions=20
    --conf spark.sql.thriftserver.ui.retainedStatements=50
    # A query that runs code would be the server itself, with its keys. An account reads its own schemas only.
    # table_versions() tells dashboards when a table has new rows.
    --conf "spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension,io.goldsmith.services.NoForeignCode,io.goldsmith.services.ReadableSchemas,io.goldsmith.services.TableVersions"
    # ${env:NAME} in a query would be replaced by what this process was given in its environment.
    --conf spark.sql.variable.substitute=false
    --conf "spark.sql.warehouse.dir=file:$work/warehouse"
)
hive=(
    --hiveconf "hive.server2.thrift.bind.host=$host"
    --hiveconf "hive.server2.thrift.port=$port"
    --hiveconf hive.server2.thrift.max.worker.threads=100
    --hiveconf "hive.server2.idle.session.timeout=${THRIFT_IDLE_SESSION:-1h}"
    --hiveconf hive.server2.idle.operation.timeout=10m
    --hiveconf "hive.server2.session.check.interval=${THRIFT_SESSION_CHECK:-1m}"
    --hiveconf hive.server2.logging.operation.enabled=false
    --hiveconf "hive.exec.scratchdir=file:$work/scratch"
    --hiveconf "hive.exec.local.scratchdir=$work/local"
    # Each session removes its folder when it ends: with one for all, a session that begins then would find none.
    --hiveconf "hive.downloaded.resources.dir=$work/\${hive.session.id}_resources"
)
if [ -n "${THRIFT_USERS_FILE:-}" ] && [ ! -r "$THRIFT_USERS_FILE" ]; then
    refuse GS925 "The users' file $THRIFT_USERS_FILE cannot be read." "Make it: \`goldsmith user set NAME --file $THRIFT_USERS_FILE\`."
fi
if [ -n "${THRIFT_USERS_FILE:-}${THRIFT_ENGINEER_PASSWORD:-}${THRIFT_DQOPS_PASSWORD:-}${THRIFT_ANALYST_PASSWORD:-}" ]; then
    hive+=(
        --hiveconf hive.server2.authentication=CUSTOM
        --hiveconf hive.server2.custom.authentication.class=io.goldsmith.services.LogIn
        # Nobody takes another's name.
        --hiveconf hive.server2.allow.user.substitution=false
        # What drivers ask by calls: tables and columns.
        --hiveconf hive.security.authorization.enabled=true
        --hiveconf hive.security.authorization.manager=io.goldsmith.services.CatalogCalls
    )
fi
if [ -n "${THRIFT_TLS_KEYSTORE:-}" ]; then
    [ -r "$THRIFT_TLS_KEYSTORE" ] ||
        refuse GS925 "The keystore $THRIFT_TLS_KEYSTORE cannot be read." "docs/catalog.md tells how to make one."
    [ -r "${THRIFT_TLS_PASSWORD_FILE:-}" ] ||
        refuse GS925 "THRIFT_TLS_PASSWORD_FILE names no file that can be read." "It holds the keystore's password."
    THRIFT_TLS_PASSWORD=$(<"$THRIFT_TLS_PASSWORD_FILE")
    export THRIFT_TLS_PASSWORD
    hive+=(
        --hiveconf hive.server2.use.SSL=true
        --hiveconf "hive.server2.keystore.path=$THRIFT_TLS_KEYSTORE"
        # shellcheck disable=SC2016 # expanded by Hive: an argument could be seen by `ps`
        --hiveconf 'hive.server2.keystore.password=${env.THRIFT_TLS_PASSWORD}'
    )
fi
# spark-submit takes SPARK_DAEMON_MEMORY as this server's heap, over --driver-memory.
unset SPARK_DAEMON_MEMORY
exec "$SPARK_HOME/bin/spark-submit" --master "${SPARK_MASTER_URL:-spark://spark-master:7077}" --name thrift-server \
    --driver-memory "${THRIFT_MEMORY:-1g}" "${options[@]}" \
    --class org.apache.spark.sql.hive.thriftserver.HiveThriftServer2 "${hive[@]}" spark-internal
