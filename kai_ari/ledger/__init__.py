"""The record of calls: append-only, hash-chained, durable. SQLite in WAL, one writer."""
