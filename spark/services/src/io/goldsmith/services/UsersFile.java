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
 * The users file, THRIFT_USERS_FILE.
 *
 * <p>A line is {@code name:pbkdf2-sha256:iterations:salt:hash}, with salt and hash in Base64, followed by
 * {@code :schema,schema} for a user with limited access. The file is read at each log-in, so a removed user loses
 * access immediately. It is refused if others can read it.
 */
final class UsersFile {
    private static final Set<PosixFilePermission> OTHERS = Set.of(
            PosixFilePermission.GROUP_READ,
            PosixFilePermission.GROUP_WRITE,
            PosixFilePermission.OTHERS_READ,
            PosixFilePermission.OTHERS_WRITE);
    private static final int FIELDS = 5;
    /** The hash for unknown names, so that they take as long as a wrong password. */
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

    /** The common scope of all users with this short name. Throws if the file cannot be used. */
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
            throw new IOException("users other than its owner can read it; run `chmod 600`");
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
