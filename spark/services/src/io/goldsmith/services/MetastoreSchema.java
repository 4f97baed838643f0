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

/** The tables in the metastore's database: made where there are none, refused where they are another Hive's. */
final class MetastoreSchema {
    private static final Logger LOG = LoggerFactory.getLogger(MetastoreSchema.class);
    /** Two metastores that start on one empty database: the second waits for the first. */
    private static final long LOCK = 0x60_1d_50_17L;

    private static final String NO_SUCH_TABLE = "42P01";

    private final HiveConf conf;
    private final String url;

    MetastoreSchema(HiveConf conf) {
        this.conf = conf;
        this.url = conf.getVar(ConfVars.METASTORECONNECTURLKEY);
    }

    /**
     * Makes or checks the schema.
     *
     * @param wait how long to wait for a database that does not answer yet
     * @throws NotReadyException GS922 for another Hive's schema, GS923 for a database that cannot be used
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
                        "The metastore's database " + url + " holds a schema of version "
                                + found.orElse("unknown") + "; this metastore needs " + wanted + ".",
                        "Name an empty database by METASTORE_DB_NAME and run `goldsmith catalog sync`, "
                                + "or use the Hive that made this one.");
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
                    "It is METASTORE_DB_PASSWORD.");
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

    /** No connection, or a server that starts up or is full. */
    private static boolean mayPass(SQLException failure) {
        String state = failure.getSQLState();
        return state != null && (state.startsWith("08") || state.startsWith("57P") || state.startsWith("53"));
    }

    private NotReadyException unusable(SQLException failure) {
        return new NotReadyException(
                "GS923",
                "The metastore cannot use its database " + url + ": " + failure.getMessage(),
                "It is named by METASTORE_DB_HOST, _PORT, _NAME, _USER and _PASSWORD.");
    }

    /** The version that the tables say they have; empty where there is none, as in an interrupted first start. */
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
        LOG.info("Making the metastore's tables in {}", url);
        HiveConf making = new HiveConf(conf);
        making.setBoolVar(ConfVars.METASTORE_SCHEMA_VERIFICATION, false);
        making.setBoolVar(ConfVars.METASTORE_SCHEMA_VERIFICATION_RECORD_VERSION, true);
        making.setBoolVar(ConfVars.METASTORE_AUTO_CREATE_ALL, true);
        ObjectStore store = new ObjectStore();
        try {
            store.setConf(making);
            store.verifySchema();
        } catch (MetaException failure) {
            throw new NotReadyException("GS923", "The metastore's tables cannot be made: " + failure.getMessage(),
                    "The user of METASTORE_DB_USER has to own the database.");
        } finally {
            store.shutdown();
        }
    }
}
