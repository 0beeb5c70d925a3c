"""How much of the beginning of a log is to go."""

class RecordsToDelete:
    def __init__(self, before_offset: int) -> None: ...
