package io.goldsmith.services;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.hive.conf.HiveConf;
import org.apache.hadoop.hive.conf.HiveConf.ConfVars;
import org.apache.hadoop.hive.metastore.HiveMetaStore;
import org.apache.hadoop.hive.metastore.IHMSHandler;
import org.apache.hadoop.hive.metastore.RawStore;
import org.apache.hadoop.hive.metastore.TServerSocketKeepAlive;
import org.apache.hadoop.hive.metastore.TUGIBasedProcessor;
import org.apache.hadoop.hive.thrift.TUGIContainingTransport;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.server.ServerContext;
import org.apache.thrift.server.TServer;
import org.apache.thrift.server.TServerEventHandler;
import org.apache.thrift.server.TThreadPoolServer;
import org.apache.thrift.transport.TServerSocket;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransport;
import org.apache.thrift.transport.TTransportException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Hive Metastore on one address. Hive's own main class listens on all addresses, and does not check the version of
 * an existing schema.
 *
 * <p>METASTORE_HOST and METASTORE_PORT are the listen address. It has no authentication: with METASTORE_GATEWAY it accepts
 * connections only from its own network, and not from that address. It exits with 4 if the environment is not ready.
 */
public final class MetastoreServer {
    private static final Logger LOG = LoggerFactory.getLogger(MetastoreServer.class);
    private static final int NOT_READY = 4;

    private MetastoreServer() {}

    public static void main(String[] arguments) throws Exception {
        try {
            serve(new InetSocketAddress(setting("METASTORE_HOST", "127.0.0.1"),
                    Integer.parseInt(setting("METASTORE_PORT", "9083"))));
        } catch (NotReadyException missing) {
            System.err.println(missing.getMessage());
            System.exit(NOT_READY);
        }
    }

    private static void serve(InetSocketAddress address) throws Exception {
        // Makes HiveConf read hivemetastore-site.xml.
        HiveConf.setLoadMetastoreConfig(true);
        HiveConf conf = new HiveConf(HiveMetaStore.class);
        new MetastoreSchema(conf).makeReady(Long.parseLong(setting("METASTORE_DB_WAIT", "60")), TimeUnit.SECONDS);
        IHMSHandler handler =
                HiveMetaStore.newRetryingHMSHandler(new HiveMetaStore.HMSHandler("metastore", conf, false), conf);
        int longest = (int) Math.min(conf.getLongVar(ConfVars.METASTORESERVERMAXMESSAGESIZE), Integer.MAX_VALUE);
        TServer server = new TThreadPoolServer(new TThreadPoolServer.Args(new Admitting(listen(address), peers(address)))
                .processor(new TUGIBasedProcessor<>(handler))
                .transportFactory(new TUGIContainingTransport.Factory())
                .protocolFactory(new TBinaryProtocol.Factory())
                .inputProtocolFactory(new TBinaryProtocol.Factory(true, true, longest, longest))
                .minWorkerThreads(conf.getIntVar(ConfVars.METASTORESERVERMINTHREADS))
                .maxWorkerThreads(conf.getIntVar(ConfVars.METASTORESERVERMAXTHREADS)));
        server.setServerEventHandler(new StoreOfConnection());
        LOG.info("The metastore listens on {}", address);
        server.serve();
    }

    private static TServerSocket listen(InetSocketAddress address) throws NotReadyException {
        try {
            return new TServerSocket(address);
        } catch (TTransportException taken) {
            throw new NotReadyException("GS921",
                    "The metastore cannot listen on " + address + ": " + taken.getMessage(),
                    "Stop the program that uses it, or set METASTORE_PORT to another port.");
        }
    }

    private static Optional<Peers> peers(InetSocketAddress address) throws IOException {
        String gateway = setting("METASTORE_GATEWAY", "");
        return gateway.isEmpty()
                ? Optional.empty()
                : Optional.of(Peers.around(address.getAddress(), InetAddress.getByName(gateway)));
    }

    private static String setting(String name, String otherwise) {
        String value = System.getenv(name);
        return value == null || value.isEmpty() ? otherwise : value;
    }

    /** Closes connections from outside the network. */
    private static final class Admitting extends TServerSocketKeepAlive {
        private final Optional<Peers> peers;

        Admitting(TServerSocket socket, Optional<Peers> peers) throws TTransportException {
            super(socket);
            this.peers = peers;
        }

        @Override
        public TSocket accept() throws TTransportException {
            while (true) {
                TSocket connection = super.accept();
                InetAddress from = connection.getSocket().getInetAddress();
                if (peers.isEmpty() || peers.get().have(from)) {
                    return connection;
                }
                LOG.warn("Refused a connection from {}, which is not a container of this network", from);
                connection.close();
            }
        }
    }

    /** Releases a connection's database resources at its end. */
    private static final class StoreOfConnection implements TServerEventHandler {
        @Override
        public void preServe() {}

        @Override
        public ServerContext createContext(TProtocol input, TProtocol output) {
            return null;
        }

        @Override
        public void deleteContext(ServerContext context, TProtocol input, TProtocol output) {
            RawStore store = HiveMetaStore.HMSHandler.getRawStore();
            if (store != null) {
                store.shutdown();
                HiveMetaStore.HMSHandler.removeRawStore();
            }
        }

        @Override
        public void processContext(ServerContext context, TTransport input, TTransport output) {}
    }
}
