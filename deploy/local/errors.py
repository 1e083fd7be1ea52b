"""What can keep the local stack from starting, each with its remedy."""


class StackError(Exception):
    """The local stack cannot run; the message says what to do."""


class PortTakenError(StackError):
    """Another program listens where one of ours must; free the port or set the variable named in the message."""


class AlreadyRunningError(StackError):
    """A stack runs in this folder already; stop it with `make down` or choose another DONDOC_HOME."""


class ProgramMissingError(StackError):
    """A program of the stack is not installed; `make setup` brings it."""


class ProgramDiedError(StackError):
    """A program of the stack ended before it was ready; its last words are in the message, the rest in its log."""


class ProgramSlowError(StackError):
    """A program of the stack was not ready in time; its log says how far it came."""
