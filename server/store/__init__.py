"""The log on a Redis-protocol server: one code path, from the embedded Valkey to a cluster. Deals in bytes."""
