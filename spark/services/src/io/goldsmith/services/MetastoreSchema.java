package io.goldsmith.services;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.hive.conf.HiveConf;
import org.apache.hadoop.hive.conf.HiveConf.ConfVars;
import org.apache.hadoop.hive.metastore.MetaStoreSchemaInfo;
import org.apache.hadoop.hive.metastore.ObjectStore;
import org.apache.hadoop.hive.metastore.api.MetaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The schema of the metastore's database: created if missing, refused if it has another version. */
final class MetastoreSchema {
    private static final Logger LOG = LoggerFactory.getLogger(MetastoreSchema.class);
    /** A lock for concurrent first starts: the second metastore waits for the first. */
    private static final long LOCK = 0x60_1d_50_17L;

    private static final String NO_SUCH_TABLE = "42P01";

    private final HiveConf conf;
    private final String url;

    MetastoreSchema(HiveConf conf) {
        this.conf = conf;
        this.url = conf.getVar(ConfVars.METASTORECONNECTURLKEY);
    }

    /**
     * Creates or checks the schema.
     *
     * @param wait how long to wait for a database that does not respond yet
     * @throws NotReadyException GS922 for another schema version, GS923 for a database that cannot be used
     */
    void makeReady(long wait, TimeUnit unit) throws NotReadyException, InterruptedException {
        try (Connection connection = connect(unit.toNanos(wait));
                Statement statement = connection.createStatement()) {
            statement.execute("SELECT pg_advisory_lock(" + LOCK + ")");
            Optional<String> found = version(statement);
            if (found.isEmpty()) {
                create();
                found = version(statement);
            }
            String wanted = MetaStoreSchemaInfo.getHiveSchemaVersion();
            if (!found.equals(Optional.of(wanted))) {
                throw new NotReadyException(
                        "GS922",
                        "The metastore's database " + url + " has a schema of version "
                                + found.orElse("unknown") + "; this metastore needs " + wanted + ".",
                        "Set METASTORE_DB_NAME to an empty database and run `goldsmith catalog sync`, "
                                + "or use the Hive version of this one.");
            }
        } catch (SQLException failure) {
            throw unusable(failure);
        }
    }

    private Connection connect(long nanos) throws NotReadyException, InterruptedException {
        Properties login = new Properties();
        login.setProperty("user", conf.getVar(ConfVars.METASTORE_CONNECTION_USER_NAME));
        try {
            char[] password = conf.getPassword(ConfVars.METASTOREPWD.varname);
            login.setProperty("password", password == null ? "" : new String(password));
        } catch (java.io.IOException unreadable) {
            throw new NotReadyException("GS923", "The database's password cannot be read: " + unreadable.getMessage(),
                    "Set METASTORE_DB_PASSWORD.");
        }
        login.setProperty("connectTimeout", "10");
        long end = System.nanoTime() + nanos;
        while (true) {
            try {
                return DriverManager.getConnection(url, login);
            } catch (SQLException failure) {
                if (!mayPass(failure) || System.nanoTime() > end) {
                    throw unusable(failure);
                }
                TimeUnit.MILLISECONDS.sleep(500);
            }
        }
    }

    /** No connection, or a server that is starting or has no free connections. */
    private static boolean mayPass(SQLException failure) {
        String state = failure.getSQLState();
        return state != null && (state.startsWith("08") || state.startsWith("57P") || state.startsWith("53"));
    }

    private NotReadyException unusable(SQLException failure) {
        return new NotReadyException(
                "GS923",
                "The metastore cannot use its database " + url + ": " + failure.getMessage(),
                "Check METASTORE_DB_HOST, _PORT, _NAME, _USER and _PASSWORD.");
    }

    /** The schema version in the database; empty if there is none, as after an interrupted first start. */
    private static Optional<String> version(Statement statement) throws SQLException {
        try (ResultSet rows = statement.executeQuery("SELECT \"SCHEMA_VERSION\" FROM \"VERSION\"")) {
            return rows.next() ? Optional.of(rows.getString(1)) : Optional.empty();
        } catch (SQLException failure) {
            if (NO_SUCH_TABLE.equals(failure.getSQLState())) {
                return Optional.empty();
            }
            throw failure;
        }
    }

    private void create() throws NotReadyException {
        LOG.info("Creating the metastore's tables in {}", url);
        HiveConf making = new HiveConf(conf);
        making.setBoolVar(ConfVars.METASTORE_SCHEMA_VERIFICATION, false);
        making.setBoolVar(ConfVars.METASTORE_SCHEMA_VERIFICATION_RECORD_VERSION, true);
        making.setBoolVar(ConfVars.METASTORE_AUTO_CREATE_ALL, true);
        ObjectStore store = new ObjectStore();
        try {
            store.setConf(making);
            store.verifySchema();
        } catch (MetaException failure) {
            throw new NotReadyException("GS923", "The metastore's tables cannot be created: " + failure.getMessage(),
                    "Make the user of METASTORE_DB_USER the owner of the database.");
        } finally {
            store.shutdown();
        }
    }
}
