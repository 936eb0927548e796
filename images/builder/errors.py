"""What a build answers when it cannot go on."""


class BuildError(Exception):
    """One sentence that says what is missing and what to do about it."""
