"""Evidence that does not hold: the one family of errors that proofs, tiles, checkpoints and signed notes raise."""

from __future__ import annotations


class Unproven(ValueError):
    """What was handed over proves nothing. `rule` is a dotted code, `message` is Chinese and names what is wrong."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(f"{rule}: {message}")
        self.rule = rule
        self.message = message
