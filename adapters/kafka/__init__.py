"""Kafka: topics, the CloudEvents binding, consumers, producers."""
