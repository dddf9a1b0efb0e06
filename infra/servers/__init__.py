"""Embedded PostgreSQL and Kafka-protocol broker."""
