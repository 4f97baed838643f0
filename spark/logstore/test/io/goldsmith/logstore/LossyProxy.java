package io.goldsmith.logstore;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;

/** Stands between client and store, and closes the connection instead of passing on the replies it is told to lose. */
final class LossyProxy implements Closeable {

    private final URI upstream;
    private final Predicate<String> losesReply;
    private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final List<String> requests = new CopyOnWriteArrayList<>();

    /** losesReply: asked once for each request, with its first line. */
    LossyProxy(URI upstream, Predicate<String> losesReply) throws IOException {
        this.upstream = upstream;
        this.losesReply = losesReply;
        inBackground(this::accept);
    }

    URI endpoint() {
        return URI.create("http://127.0.0.1:" + listener.getLocalPort());
    }

    /** The first line of every request so far. */
    List<String> requests() {
        return requests;
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }

    private void accept() throws IOException {
        while (true) {
            Socket client = listener.accept();
            Connection connection = new Connection(client, new Socket(upstream.getHost(), upstream.getPort()));
            inBackground(connection::passRequests);
            inBackground(connection::passReplies);
        }
    }

    private interface Work {
        void run() throws IOException;
    }

    private static void inBackground(Work work) {
        Thread thread = new Thread(() -> {
            try {
                work.run();
            } catch (IOException closed) {
                // Either side may close whenever it likes.
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    private final class Connection {
        private final Socket client;
        private final Socket store;
        private volatile boolean loses;

        Connection(Socket client, Socket store) {
            this.client = client;
            this.store = store;
        }

        void passRequests() throws IOException {
            pass(client, store, sent -> {
                // The client waits for a reply before its next request, so a request begins what is read.
                if (sent.matches("(?s)(PUT|GET|HEAD|POST|DELETE) /.*")) {
                    String line = sent.substring(0, sent.indexOf('\r'));
                    requests.add(line);
                    loses = losesReply.test(line);
                }
                return true;
            });
        }

        void passReplies() throws IOException {
            pass(store, client, sent -> !loses || sent.startsWith("HTTP/1.1 100"));
        }

        private void pass(Socket from, Socket to, Predicate<String> passes) throws IOException {
            try (from; to) {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                byte[] buffer = new byte[1 << 16];
                int count = in.read(buffer);
                while (count >= 0 && passes.test(new String(buffer, 0, count, StandardCharsets.ISO_8859_1))) {
                    out.write(buffer, 0, count);
                    count = in.read(buffer);
                }
            }
        }
    }
}
