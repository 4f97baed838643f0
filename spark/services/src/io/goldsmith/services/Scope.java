package io.goldsmith.services;

import java.util.Collection;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/**
 * The schemas that a user can read.
 *
 * @param schemas the readable schemas; null for all
 */
record Scope(Set<String> schemas) {
    static final Scope EVERYTHING = new Scope(null);
    static final Scope NOTHING = new Scope(Set.of());

    static Scope of(Collection<String> schemas) {
        Set<String> lower = new TreeSet<>();
        schemas.forEach(name -> lower.add(name.strip().toLowerCase(Locale.ROOT)));
        lower.remove("");
        return new Scope(lower);
    }

    boolean everything() {
        return schemas == null;
    }

    boolean has(String schema) {
        return everything() || schema != null && schemas.contains(schema.toLowerCase(Locale.ROOT));
    }

    /** The intersection of two scopes. */
    Scope and(Scope other) {
        if (everything()) {
            return other;
        }
        return other.everything() ? this : of(schemas.stream().filter(other::has).toList());
    }
}
