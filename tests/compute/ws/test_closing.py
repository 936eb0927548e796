"""What ends an open page or console whose right is gone, and what does not."""

import pytest

from compute.ws import closing


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        ([True, True, False], 3),
        ([True, OSError("away"), OSError("away"), True, OSError("away"), False], 6),
        ([True, OSError("away"), OSError("away"), OSError("away"), True], 4),
    ],
)
async def test_a_right_that_nobody_can_tell_for_long_has_ended(answers, asked):
    given = []

    async def still():
        given.append(answers[len(given)])
        if isinstance(given[-1], Exception):
            raise given[-1]
        return given[-1]

    await closing.while_allowed(still, 0)
    assert len(given) == asked
