"""Shared code of several test tiers: lakes, oracles, and stand-ins for real servers. It has no tests."""
