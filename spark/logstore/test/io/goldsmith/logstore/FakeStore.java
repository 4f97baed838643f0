package io.goldsmith.logstore;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** As much of an S3 store as a log needs, which fails as a test tells it to. */
final class FakeStore implements AutoCloseable {

    private static final String METADATA = "x-amz-meta-";

    /** What a store does with a request. */
    enum Fate {
        SERVED,
        /** Served, and the connection closed instead of an answer. */
        SERVED_WITHOUT_REPLY,
        /** Answered with the store's own error, and served when the next put is about to be. */
        SERVED_LATE,
        /** Served, and answered with the store's own error. */
        SERVED_WITH_500,
        FAILED_500,
        NOT_IMPLEMENTED_501,
        FORBIDDEN_403,
        CONFLICT_409
    }

    /** A request: {@code name} is the object's key without its bucket. */
    record Request(String method, String name, String query, boolean conditional) {
        boolean isCommit() {
            return method.equals("PUT") && name.endsWith(".json");
        }

        boolean isProbe() {
            return method.equals("PUT") && name.contains("probe");
        }
    }

    private record Stored(byte[] content, Map<String, String> metadata) {}

    private final HttpServer server;
    private final Map<String, Stored> objects = new TreeMap<>();
    private final List<Request> requests = new CopyOnWriteArrayList<>();
    private final Queue<Runnable> late = new ConcurrentLinkedQueue<>();

    boolean ignoresConditions = false;
    boolean keepsMetadata = true;
    Function<Request, Fate> fate = request -> Fate.SERVED;

    FakeStore() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task);
            thread.setDaemon(true);
            return thread;
        }));
        server.createContext("/", this::handle);
        server.start();
    }

    URI endpoint() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    List<Request> requests() {
        return requests;
    }

    long count(Predicate<Request> which) {
        return requests.stream().filter(which).count();
    }

    synchronized Collection<String> names() {
        return List.copyOf(objects.keySet());
    }

    synchronized String content(String name) {
        return new String(objects.get(name).content, StandardCharsets.UTF_8);
    }

    synchronized void put(String name, String content) {
        objects.put(name, new Stored(content.getBytes(StandardCharsets.UTF_8), Map.of()));
    }

    @Override
    public void close() {
        server.stop(0);
    }

    private void handle(HttpExchange exchange) throws IOException {
        byte[] body = body(exchange);
        String[] path = exchange.getRequestURI().getPath().substring(1).split("/", 2);
        String query = exchange.getRequestURI().getQuery();
        Request request = new Request(
                exchange.getRequestMethod(),
                path.length > 1 ? path[1] : "",
                query == null ? "" : query,
                exchange.getRequestHeaders().containsKey("If-None-Match"));
        requests.add(request);
        Fate what = fate.apply(request);
        switch (what) {
            case SERVED -> serve(exchange, request, body);
            case SERVED_WITHOUT_REPLY -> {
                store(exchange, request, body);
                exchange.close();
            }
            case SERVED_LATE -> {
                late.add(() -> store(exchange, request, body));
                refuse(exchange, 500, "InternalError");
            }
            case SERVED_WITH_500 -> {
                store(exchange, request, body);
                refuse(exchange, 500, "InternalError");
            }
            case FAILED_500 -> refuse(exchange, 500, "InternalError");
            case NOT_IMPLEMENTED_501 -> refuse(exchange, 501, "NotImplemented");
            case FORBIDDEN_403 -> refuse(exchange, 403, "AccessDenied");
            // The words are those of another status: only the number tells.
            case CONFLICT_409 -> refuse(exchange, 409, "PreconditionFailed 412");
        }
    }

    private void serve(HttpExchange exchange, Request request, byte[] body) throws IOException {
        switch (request.method) {
            case "PUT" -> {
                for (Runnable put = late.poll(); put != null; put = late.poll()) {
                    put.run();
                }
                if (store(exchange, request, body)) {
                    exchange.getResponseHeaders().set("ETag", "\"e\"");
                    answer(exchange, 200, new byte[0]);
                } else {
                    refuse(exchange, 412, "ConditionalRequestConflict 409");
                }
            }
            case "GET", "HEAD" -> {
                if (request.query.contains("list-type=2")) {
                    answer(exchange, 200, list(parameters(request.query)).getBytes(StandardCharsets.UTF_8));
                } else {
                    send(exchange, request);
                }
            }
            case "DELETE" -> {
                synchronized (this) {
                    objects.remove(request.name);
                }
                answer(exchange, 204, new byte[0]);
            }
            default -> refuse(exchange, 501, "NotImplemented");
        }
    }

    private synchronized boolean store(HttpExchange exchange, Request request, byte[] body) {
        if (request.conditional && !ignoresConditions && objects.containsKey(request.name)) {
            return false;
        }
        Map<String, String> metadata = new HashMap<>();
        if (keepsMetadata) {
            exchange.getRequestHeaders().forEach((name, values) -> {
                if (name.toLowerCase(Locale.ROOT).startsWith(METADATA)) {
                    metadata.put(name, values.get(0));
                }
            });
        }
        objects.put(request.name, new Stored(body, metadata));
        return true;
    }

    private void send(HttpExchange exchange, Request request) throws IOException {
        Stored stored;
        synchronized (this) {
            stored = objects.get(request.name);
        }
        if (stored == null) {
            refuse(exchange, 404, "NoSuchKey");
            return;
        }
        stored.metadata.forEach(exchange.getResponseHeaders()::set);
        exchange.getResponseHeaders().set("Last-Modified", "Tue, 01 Jan 2013 00:00:00 GMT");
        exchange.getResponseHeaders().set("ETag", "\"e\"");
        answer(exchange, 200, stored.content);
    }

    private synchronized String list(Map<String, String> parameters) {
        String prefix = parameters.getOrDefault("prefix", "");
        String after = parameters.getOrDefault("start-after", "");
        TreeSet<String> folders = new TreeSet<>();
        StringBuilder contents = new StringBuilder();
        for (Map.Entry<String, Stored> object : objects.entrySet()) {
            String key = object.getKey();
            int slash = key.indexOf('/', prefix.length());
            if (!key.startsWith(prefix) || key.compareTo(after) <= 0) {
                continue;
            }
            if (slash >= 0 && parameters.containsKey("delimiter")) {
                folders.add(key.substring(0, slash + 1));
            } else {
                contents.append("<Contents><Key>").append(key).append("</Key><Size>")
                        .append(object.getValue().content.length)
                        .append("</Size><LastModified>2013-01-01T00:00:00.000Z</LastModified></Contents>");
            }
        }
        String common = folders.stream()
                .map(folder -> "<CommonPrefixes><Prefix>" + folder + "</Prefix></CommonPrefixes>")
                .collect(Collectors.joining());
        return "<ListBucketResult><IsTruncated>false</IsTruncated>" + contents + common + "</ListBucketResult>";
    }

    private static Map<String, String> parameters(String query) {
        Map<String, String> found = new HashMap<>();
        for (String pair : query.split("&")) {
            String[] parts = pair.split("=", 2);
            found.put(parts[0], parts.length > 1 ? URLDecoder.decode(parts[1], StandardCharsets.UTF_8) : "");
        }
        return found;
    }

    private static void refuse(HttpExchange exchange, int status, String code) throws IOException {
        String error = "<Error><Code>" + code + "</Code><Message>" + code + "</Message></Error>";
        answer(exchange, status, error.getBytes(StandardCharsets.UTF_8));
    }

    private static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
        boolean bodiless = body.length == 0 || exchange.getRequestMethod().equals("HEAD");
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().set("Content-Length", String.valueOf(body.length));
        }
        exchange.sendResponseHeaders(status, bodiless ? -1 : body.length);
        if (!bodiless) {
            exchange.getResponseBody().write(body);
        }
        exchange.close();
    }

    private static byte[] body(HttpExchange exchange) throws IOException {
        byte[] sent = exchange.getRequestBody().readAllBytes();
        String digest = exchange.getRequestHeaders().getFirst("x-amz-content-sha256");
        return digest != null && digest.startsWith("STREAMING") ? unchunked(sent) : sent;
    }

    // Signed chunks: a size in hexadecimal and a signature, then the bytes, until a size of nothing.
    private static byte[] unchunked(byte[] sent) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        int at = 0;
        while (true) {
            int end = at;
            while (sent[end] != '\r') {
                end++;
            }
            String head = new String(sent, at, end - at, StandardCharsets.US_ASCII);
            int size = Integer.parseInt(head.split(";")[0], 16);
            if (size == 0) {
                return body.toByteArray();
            }
            body.write(sent, end + 2, size);
            at = end + 2 + size + 2;
        }
    }
}
