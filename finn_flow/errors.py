"""The two kinds of failure that a person using the flow can meet.

Both carry one message that says what is wrong and what to do; the command line prints that message and nothing else.
Everything that is neither of the two is a bug and keeps its traceback.
"""


class UserError(Exception):
    """The input is bad (a file, an option, a configuration). The command line exits with status 2."""


class FlowError(Exception):
    """The input was good but the work failed (a tool, a disk, a simulation). The command line exits with status 1."""
