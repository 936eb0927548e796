"""What reaches a queue from somebody who has no key."""

import dramatiq
from dramatiq.encoder import JSONEncoder


class Unsigned(dramatiq.Message):
    """A message without a signature."""

    def encode(self) -> bytes:
        return JSONEncoder().encode(self.asdict())
