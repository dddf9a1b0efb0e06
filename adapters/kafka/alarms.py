"""A position the broker cannot serve."""


class PositionOutOfRange(Exception):
    """The position of a partition is not in what the broker still, or already, holds: records are lost or foreign.

    `first` and `last` are the broker's first offset and the one after its last, -1 where it did not say. Reading on
    from somewhere else would hide the loss, so the partition stays stopped until someone decides
    (`IntakeSource.give_up` asks again where to begin).
    """

    def __init__(self, topic: str, partition: int, wanted: int, first: int, last: int) -> None:
        super().__init__(f"{topic}[{partition}] 的位置 {wanted} 不在 {first}–{last} 之内")
        self.topic = topic
        self.partition = partition
        self.wanted = wanted
        self.first = first
        self.last = last
