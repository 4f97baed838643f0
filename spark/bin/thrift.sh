#!/usr/bin/env bash
# Runs the Thrift Server, through which SQL clients (JDBC, ODBC, PyHive) read the tables.
#   THRIFT_HOST, THRIFT_PORT            the listen address (SPARK_LOCAL_IP, 10000)
#   SPARK_MASTER_URL                    (spark://spark-master:7077); local[2] runs queries in this process
#   THRIFT_MEMORY                       the driver's heap (1g)
#   THRIFT_CORES                        its cores of the cluster (1)
#   THRIFT_EXECUTOR_MEMORY              the memory of each executor (1g)
#   THRIFT_MAX_RESULT                   the maximum size of a result in the driver (512m)
#   THRIFT_INCREMENTAL                  true: fetch results part by part, false: at once (true)
#   THRIFT_QUERY_TIMEOUT                the time limit of a query (30min; 0 for none)
#   THRIFT_IDLE_SESSION                 a session without queries is closed after this (1h). Longer than
#                                       THRIFT_QUERY_TIMEOUT: a client that waits in one call for a query seems idle.
#   THRIFT_ENGINEER_PASSWORD, THRIFT_DQOPS_PASSWORD, THRIFT_ANALYST_PASSWORD
#                                       passwords of the services' accounts; the first two read everything, analyst gold and ops
#   THRIFT_USERS_FILE                   more accounts: a file written by `python3 spark/thrift_users.py set`
#                                       Without any of them there is no authentication: everyone reads everything.
#   THRIFT_TLS_KEYSTORE                 a PKCS12 file: connections are encrypted
#   THRIFT_TLS_PASSWORD_FILE            a file with the keystore's password
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
host=${THRIFT_HOST:-$SPARK_LOCAL_IP} port=${THRIFT_PORT:-10000}
require_free_port "$host" "$port" "the Thrift Server" THRIFT_PORT

work=$(mktemp -d "${TMPDIR:-/tmp}/thrift.XXXXXX")
# Hive lists this folder at the end of each session.
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
    # The log of a server that never ends would never be closed.
    --conf spark.eventLog.enabled=false
    --conf spark.sql.thriftserver.ui.retainedSessions=20
    --conf spark.sql.thriftserver.ui.retainedStatements=50
    # NoForeignCode: a query that runs code would have the server's keys. ReadableSchemas: an account reads only its
    # schemas. TableVersions: table_versions() returns the newest table versions for dashboards.
    --conf "spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension,io.goldsmith.services.NoForeignCode,io.goldsmith.services.ReadableSchemas,io.goldsmith.services.TableVersions"
    # Otherwise ${env:NAME} in a query would be replaced with this process's environment.
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
    # Each session removes its folder at its end. With a shared folder, a session that starts then would find none.
    --hiveconf "hive.downloaded.resources.dir=$work/\${hive.session.id}_resources"
)
if [ -n "${THRIFT_USERS_FILE:-}" ] && [ ! -r "$THRIFT_USERS_FILE" ]; then
    refuse GS925 "The users file $THRIFT_USERS_FILE cannot be read." "Create it: \`python3 spark/thrift_users.py set NAME --file $THRIFT_USERS_FILE\`."
fi
if [ -n "${THRIFT_USERS_FILE:-}${THRIFT_ENGINEER_PASSWORD:-}${THRIFT_DQOPS_PASSWORD:-}${THRIFT_ANALYST_PASSWORD:-}" ]; then
    hive+=(
        --hiveconf hive.server2.authentication=CUSTOM
        --hiveconf hive.server2.custom.authentication.class=io.goldsmith.services.LogIn
        # Users cannot impersonate others.
        --hiveconf hive.server2.allow.user.substitution=false
        # Restricts the API calls of drivers, which list tables and columns.
        --hiveconf hive.security.authorization.enabled=true
        --hiveconf hive.security.authorization.manager=io.goldsmith.services.CatalogCalls
    )
fi
if [ -n "${THRIFT_TLS_KEYSTORE:-}" ]; then
    [ -r "$THRIFT_TLS_KEYSTORE" ] ||
        refuse GS925 "The keystore $THRIFT_TLS_KEYSTORE cannot be read." "Create one as described in docs/catalog.md."
    [ -r "${THRIFT_TLS_PASSWORD_FILE:-}" ] ||
        refuse GS925 "THRIFT_TLS_PASSWORD_FILE is not a readable file." "Set it to a file with the keystore's password."
    THRIFT_TLS_PASSWORD=$(<"$THRIFT_TLS_PASSWORD_FILE")
    export THRIFT_TLS_PASSWORD
    hive+=(
        --hiveconf hive.server2.use.SSL=true
        --hiveconf "hive.server2.keystore.path=$THRIFT_TLS_KEYSTORE"
        # shellcheck disable=SC2016 # expanded by Hive: `ps` would show an argument
        --hiveconf 'hive.server2.keystore.password=${env.THRIFT_TLS_PASSWORD}'
    )
fi
# For this server, spark-submit would prefer SPARK_DAEMON_MEMORY to --driver-memory.
unset SPARK_DAEMON_MEMORY
exec "$SPARK_HOME/bin/spark-submit" --master "${SPARK_MASTER_URL:-spark://spark-master:7077}" --name thrift-server \
    --driver-memory "${THRIFT_MEMORY:-1g}" "${options[@]}" \
    --class org.apache.spark.sql.hive.thriftserver.HiveThriftServer2 "${hive[@]}" spark-internal
