"""The reasons why the local stack cannot start, each with its remedy."""


class StackError(Exception):
    """The local stack cannot run; the message names the remedy."""


class PortTakenError(StackError):
    """Another program listens on a port that is needed; free it or set the variable that the message names."""


class AlreadyRunningError(StackError):
    """A stack runs in this folder already; stop it with `make down` or choose another DONDOC_HOME."""


class ProgramMissingError(StackError):
    """A program of the stack is not installed; `make setup` brings it."""


class ProgramDiedError(StackError):
    """A program of the stack exited before it was ready; the message has the end of its log."""


class ProgramSlowError(StackError):
    """A program of the stack was not ready in time; its log shows how far it got."""
