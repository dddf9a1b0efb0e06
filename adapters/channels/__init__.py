"""Channels beside Kafka: pushes over HTTPS, and short messages by a gateway."""
