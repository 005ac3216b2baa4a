"""The console script `ordinate`: the command line, compiled into the package's extension module."""

import signal
import sys

from ordinate import _core


def main() -> int:
    """Runs the command line with the arguments of the process, and returns its exit code."""
    # Python's own handler would run only after the command.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _core.main(["ordinate", *sys.argv[1:]])
