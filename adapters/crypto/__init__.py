"""Keys and ciphers for personal data."""
