"""Runs the unmodified ``openstack`` command many times in one process: reads command lines, writes one line of JSON for each.

Started as a program with ``OS_*`` in its environment; loading the client takes longer than any of its commands.
"""

import contextlib
import io
import json
import shlex
import sys

from openstackclient.shell import main


class _Terminal(io.StringIO):
    """Nobody types anything: ``image create`` would take a pipe for the image's bytes."""

    def isatty(self) -> bool:
        return True


lines, sys.stdin = sys.stdin, _Terminal()
for line in lines:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(shlex.split(line))
        except SystemExit as ended:
            code = ended.code
    print(json.dumps({"code": code or 0, "out": out.getvalue(), "err": err.getvalue()}), flush=True)
