"""Servers only the tests need."""
