"""见证: a supervisor's or an inspector's own eye on the log; on a machine of theirs, without database or Kafka."""
