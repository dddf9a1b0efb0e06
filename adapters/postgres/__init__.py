"""PostgreSQL: the log, the writer, the followers."""
