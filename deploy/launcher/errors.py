"""How the launcher fails: a sentence and the one command that mends it."""


class LauncherError(Exception):
    """Something a person can mend. ``command`` is what to run, ``details`` what a program said."""

    def __init__(self, sentence: str, command: str | None = None, details: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.command = command
        self.details = details
