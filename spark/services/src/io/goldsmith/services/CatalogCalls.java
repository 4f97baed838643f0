package io.goldsmith.services;

import java.util.List;
import org.apache.hadoop.hive.conf.HiveConf;
import org.apache.hadoop.hive.ql.security.HiveAuthenticationProvider;
import org.apache.hadoop.hive.ql.security.authorization.plugin.HiveAccessControlException;
import org.apache.hadoop.hive.ql.security.authorization.plugin.HiveAuthorizationValidator;
import org.apache.hadoop.hive.ql.security.authorization.plugin.HiveAuthorizer;
import org.apache.hadoop.hive.ql.security.authorization.plugin.HiveAuthorizerFactory;
import org.apache.hadoop.hive.ql.security.authorization.plugin.HiveAuthorizerImpl;
import org.apache.hadoop.hive.ql.security.authorization.plugin.HiveAuthzContext;
import org.apache.hadoop.hive.ql.security.authorization.plugin.HiveAuthzSessionContext;
import org.apache.hadoop.hive.ql.security.authorization.plugin.HiveMetastoreClientFactory;
import org.apache.hadoop.hive.ql.security.authorization.plugin.HiveOperationType;
import org.apache.hadoop.hive.ql.security.authorization.plugin.HivePrivilegeObject;

/**
 * Checks the API calls of drivers that list schemas, tables and columns, because they run no plan.
 */
public final class CatalogCalls implements HiveAuthorizerFactory {

    @Override
    public HiveAuthorizer createHiveAuthorizer(
            HiveMetastoreClientFactory clients,
            HiveConf conf,
            HiveAuthenticationProvider authenticator,
            HiveAuthzSessionContext context) {
        return new HiveAuthorizerImpl(null, new Validator()) {
            @Override
            public void applyAuthorizationConfigPolicy(HiveConf settings) {}
        };
    }

    private static final class Validator implements HiveAuthorizationValidator {
        @Override
        public void checkPrivileges(
                HiveOperationType operation,
                List<HivePrivilegeObject> inputs,
                List<HivePrivilegeObject> outputs,
                HiveAuthzContext context)
                throws HiveAccessControlException {
            Reader reader = Reader.ofThread();
            if (reader.scope().everything()) {
                return;
            }
            switch (operation) {
                // These return types and schema names, as SHOW DATABASES does.
                case GET_CATALOGS, GET_SCHEMAS, GET_TABLETYPES, GET_TYPEINFO -> { }
                case GET_TABLES, GET_COLUMNS, GET_FUNCTIONS -> {
                    for (HivePrivilegeObject each : inputs == null ? List.<HivePrivilegeObject>of() : inputs) {
                        if (!reader.scope().has(each.getDbname())) {
                            throw new HiveAccessControlException(reader.refusal(
                                    "The tables of `" + each.getDbname() + "` may not be listed.").getMessage());
                        }
                    }
                }
                default -> throw new HiveAccessControlException(
                        reader.refusal("`" + operation + "` may not be called.").getMessage());
            }
        }

        @Override
        public List<HivePrivilegeObject> filterListCmdObjects(
                List<HivePrivilegeObject> found, HiveAuthzContext context) {
            return found;
        }

        @Override
        public List<HivePrivilegeObject> applyRowFilterAndColumnMasking(
                HiveAuthzContext context, List<HivePrivilegeObject> objects) {
            return objects;
        }

        @Override
        public boolean needTransform() {
            return false;
        }
    }
}
