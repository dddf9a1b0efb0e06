"""The outside world; the folders do not know each other."""
