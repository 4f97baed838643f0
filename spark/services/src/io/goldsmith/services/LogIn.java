package io.goldsmith.services;

import java.io.IOException;
import java.security.GeneralSecurityException;
import javax.security.sasl.AuthenticationException;
import org.apache.hive.service.auth.PasswdAuthenticationProvider;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Authenticates the {@link Accounts} of the Thrift Server. */
public final class LogIn implements PasswdAuthenticationProvider {
    private static final Logger LOG = LoggerFactory.getLogger(LogIn.class);

    @Override
    public void Authenticate(String user, String password) throws AuthenticationException {
        boolean right;
        try {
            right = Accounts.ofServer().accepts(user, password == null ? "" : password);
        } catch (IOException | GeneralSecurityException | IllegalArgumentException unusable) {
            LOG.error("GS925 The users file cannot be used: {}", unusable.toString());
            throw new AuthenticationException("Log-in is not possible. See the server's log for the reason.");
        }
        if (!right) {
            throw new AuthenticationException("The user's name or password is wrong.");
        }
    }
}
