package io.goldsmith.services;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The accounts of the Thrift Server and their readable schemas.
 *
 * <p>The passwords of service accounts are in the environment: THRIFT_ENGINEER_PASSWORD and THRIFT_DQOPS_PASSWORD
 * (read everything) and THRIFT_ANALYST_PASSWORD (reads gold and ops). Personal accounts are in the file
 * THRIFT_USERS_FILE. Without any of them there is no authentication, and everyone who can connect reads everything.
 */
final class Accounts {
    private static final Logger LOG = LoggerFactory.getLogger(Accounts.class);
    private static final Map<String, Scope> SERVICES = Map.of(
            "engineer", Scope.EVERYTHING,
            "dqops", Scope.EVERYTHING,
            "analyst", Scope.of(List.of("gold", "ops")));
    private static final Accounts OF_SERVER = new Accounts(System.getenv());

    private final Map<String, String> environment;
    private final Optional<UsersFile> people;

    Accounts(Map<String, String> environment) {
        this.environment = environment;
        this.people = setting("THRIFT_USERS_FILE").map(name -> new UsersFile(Path.of(name)));
    }

    static Accounts ofServer() {
        return OF_SERVER;
    }

    /** Whether this is the user's password. Throws if the users file cannot be used. */
    boolean accepts(String user, String password) throws IOException, GeneralSecurityException {
        Optional<String> right = password(user);
        if (right.isPresent()) {
            return MessageDigest.isEqual(bytes(right.get()), bytes(password));
        }
        return people.isPresent() && people.get().accepts(user, password);
    }

    /** The scope of a session's user: nothing if the user is unknown or the users file cannot be used. */
    Scope scope(String sessionUser) {
        if (!asksForPasswords()) {
            return Scope.EVERYTHING;
        }
        String shortName = shortName(sessionUser);
        List<Scope> found = new ArrayList<>();
        password(shortName).ifPresent(password -> found.add(SERVICES.get(shortName)));
        try {
            if (people.isPresent()) {
                found.addAll(people.get().scopes(shortName));
            }
        } catch (IOException | IllegalArgumentException unusable) {
            LOG.error("GS925 The users file {} cannot be used: {}", people.get(), unusable.toString());
            return Scope.NOTHING;
        }
        // Sessions do not distinguish users with the same short name.
        return found.stream().reduce(Scope::and).orElse(Scope.NOTHING);
    }

    /** A user's name in sessions: Hive drops everything from `/` or `@` on. */
    static String shortName(String user) {
        String[] parts = user.split("[/@]", 2);
        return parts[0].isEmpty() ? user : parts[0];
    }

    private boolean asksForPasswords() {
        return people.isPresent() || SERVICES.keySet().stream().anyMatch(name -> password(name).isPresent());
    }

    private Optional<String> password(String user) {
        return SERVICES.containsKey(user)
                ? setting("THRIFT_" + user.toUpperCase(Locale.ROOT) + "_PASSWORD")
                : Optional.empty();
    }

    private Optional<String> setting(String name) {
        return Optional.ofNullable(environment.get(name)).filter(value -> !value.isEmpty());
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
