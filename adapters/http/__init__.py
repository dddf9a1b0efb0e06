"""HTTP: what belongs to the protocol and not to the domain."""
