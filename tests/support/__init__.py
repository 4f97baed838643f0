"""What tests of several tiers share: lakes, oracles, servers that answer as the real ones do. No tests are here."""
