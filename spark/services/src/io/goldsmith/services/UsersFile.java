package io.goldsmith.services;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Set;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.security.sasl.AuthenticationException;
import org.apache.hive.service.auth.PasswdAuthenticationProvider;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets into the Thrift Server who is in the file that THRIFT_USERS_FILE names.
 *
 * <p>A line is {@code name:pbkdf2-sha256:iterations:salt:hash}, salt and hash in Base64. The file is read at each
 * log-in, so that a user who was taken out is out at once, and only where nobody else may read it.
 */
public final class UsersFile implements PasswdAuthenticationProvider {
    private static final Logger LOG = LoggerFactory.getLogger(UsersFile.class);
    private static final Set<PosixFilePermission> OTHERS = Set.of(
            PosixFilePermission.GROUP_READ,
            PosixFilePermission.GROUP_WRITE,
            PosixFilePermission.OTHERS_READ,
            PosixFilePermission.OTHERS_WRITE);
    private static final int FIELDS = 5;
    /** What an unknown name is held against: it takes as long as a wrong password. */
    private static final String NOBODY = "nobody:pbkdf2-sha256:210000:AAAAAAAAAAAAAAAAAAAAAA==:"
            + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    private final Path file;

    public UsersFile() {
        this(Path.of(System.getenv("THRIFT_USERS_FILE")));
    }

    UsersFile(Path file) {
        this.file = file;
    }

    @Override
    public void Authenticate(String user, String password) throws AuthenticationException {
        boolean right;
        try {
            right = matches(line(user), password);
        } catch (IOException | GeneralSecurityException | IllegalArgumentException unusable) {
            LOG.error("GS925 The users' file {} cannot be used: {}", file, unusable.toString());
            throw new AuthenticationException("Log-in is not possible; the server's log tells why.");
        }
        if (!right) {
            throw new AuthenticationException("The user's name or password is wrong.");
        }
    }

    private String line(String user) throws IOException {
        if (Files.getPosixFilePermissions(file).stream().anyMatch(OTHERS::contains)) {
            throw new IOException("others than its owner may read it; `chmod 600` it");
        }
        return Files.readAllLines(file, StandardCharsets.UTF_8).stream()
                .filter(line -> line.split(":", 2)[0].equals(user))
                .findFirst()
                .orElse(NOBODY);
    }

    private static boolean matches(String line, String password) throws GeneralSecurityException {
        String[] fields = line.split(":");
        if (fields.length != FIELDS || !fields[1].equals("pbkdf2-sha256")) {
            throw new IllegalArgumentException("a line is not name:pbkdf2-sha256:iterations:salt:hash");
        }
        byte[] salt = Base64.getDecoder().decode(fields[3]);
        byte[] hash = Base64.getDecoder().decode(fields[4]);
        char[] given = (password == null ? "" : password).toCharArray();
        PBEKeySpec spec = new PBEKeySpec(given, salt, Integer.parseInt(fields[2]), hash.length * Byte.SIZE);
        byte[] found = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256").generateSecret(spec).getEncoded();
        return MessageDigest.isEqual(found, hash);
    }
}
