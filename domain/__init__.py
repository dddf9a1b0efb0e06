"""Rules only: no input or output, clock, randomness or environment."""
