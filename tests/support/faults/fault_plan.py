"""Writing faults down for a service process; `faulty.py` plants them."""


def kill_before(module: str, name: str, *, call: int = 1) -> str:
    """Kill -9 the process at the *call*-th call of `module.name`, before its body."""
    return f"kill:before:{call}:{module}:{name}"


def kill_after(module: str, name: str, *, call: int = 1) -> str:
    """Kill -9 the process at the *call*-th call of `module.name`, when its body is done and its caller not yet told."""
    return f"kill:after:{call}:{module}:{name}"


def stop_before(module: str, name: str, *, call: int = 1) -> str:
    """Freeze the process (SIGSTOP) before the body of the *call*-th call; `resume` wakes it there."""
    return f"stop:before:{call}:{module}:{name}"


def raise_before(module: str, name: str, *, call: int = 1) -> str:
    """Let the *call*-th call of `module.name` fail with OSError instead of running."""
    return f"raise:before:{call}:{module}:{name}"
