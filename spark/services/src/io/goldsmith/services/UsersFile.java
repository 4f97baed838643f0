package io.goldsmith.services;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/**
 * The file of users that THRIFT_USERS_FILE names.
 *
 * <p>A line is {@code name:pbkdf2-sha256:iterations:salt:hash}, salt and hash in Base64, and for a user who does
 * not read everything {@code :schema,schema} after it. The file is read at each log-in, so that a user who was
 * removed is out at once, and only if nobody else may read it.
 */
final class UsersFile {
    private static final Set<PosixFilePermission> OTHERS = Set.of(
            PosixFilePermission.GROUP_READ,
            PosixFilePermission.GROUP_WRITE,
            PosixFilePermission.OTHERS_READ,
            PosixFilePermission.OTHERS_WRITE);
    private static final int FIELDS = 5;
    /** What an unknown name is compared with: it takes as long as a wrong password. */
    private static final String NOBODY = "nobody:pbkdf2-sha256:210000:AAAAAAAAAAAAAAAAAAAAAA==:"
            + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    private final Path file;

    UsersFile(Path file) {
        this.file = file;
    }

    /** Whether this is the user's password. Throws if the file cannot be used. */
    boolean accepts(String user, String password) throws IOException, GeneralSecurityException {
        String line = lines().stream().filter(each -> name(each).equals(user)).findFirst().orElse(NOBODY);
        String[] fields = fields(line);
        byte[] salt = Base64.getDecoder().decode(fields[3]);
        byte[] hash = Base64.getDecoder().decode(fields[4]);
        PBEKeySpec spec =
                new PBEKeySpec(password.toCharArray(), salt, Integer.parseInt(fields[2]), hash.length * Byte.SIZE);
        byte[] found = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256").generateSecret(spec).getEncoded();
        return MessageDigest.isEqual(found, hash);
    }

    /** What every user of this short name reads. Throws if the file cannot be used. */
    List<Scope> scopes(String shortName) throws IOException {
        return lines().stream()
                .filter(line -> Accounts.shortName(name(line)).equals(shortName))
                .map(UsersFile::fields)
                .map(fields -> fields.length == FIELDS
                        ? Scope.EVERYTHING
                        : Scope.of(List.of(fields[FIELDS].split(","))))
                .toList();
    }

    private List<String> lines() throws IOException {
        if (Files.getPosixFilePermissions(file).stream().anyMatch(OTHERS::contains)) {
            throw new IOException("others than its owner may read it; `chmod 600` it");
        }
        return Files.readAllLines(file, StandardCharsets.UTF_8);
    }

    private static String name(String line) {
        return line.split(":", 2)[0];
    }

    private static String[] fields(String line) {
        String[] fields = line.split(":");
        if (fields.length < FIELDS || fields.length > FIELDS + 1 || !fields[1].equals("pbkdf2-sha256")) {
            throw new IllegalArgumentException("a line is not name:pbkdf2-sha256:iterations:salt:hash[:schemas]");
        }
        return fields;
    }

    @Override
    public String toString() {
        return file.toString();
    }
}
