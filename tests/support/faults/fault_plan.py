"""Faults as command line arguments of a service process; `faulty_process` injects them."""

from tests.support.faults.await_points import AwaitPoint


def kill_after_await(point: AwaitPoint) -> str:
    """Kill -9 the process right after that await."""
    return f"await:{point.module}:{point.function}:{point.number}"


def kill_before(module: str, name: str, *, call: int = 1) -> str:
    """Kill -9 the process at the *call*-th call of `module.name`, before its body."""
    return f"kill:before:{call}:{module}:{name}"


def kill_after(module: str, name: str, *, call: int = 1) -> str:
    """Kill -9 the process at the *call*-th call of `module.name`, after its body and before it returns."""
    return f"kill:after:{call}:{module}:{name}"


def stop_before(module: str, name: str, *, call: int = 1) -> str:
    """Suspend the process (SIGSTOP) before the body of the *call*-th call; `resume` continues it there."""
    return f"stop:before:{call}:{module}:{name}"


def raise_before(module: str, name: str, *, call: int = 1) -> str:
    """Let the *call*-th call of `module.name` fail with OSError instead of running."""
    return f"raise:before:{call}:{module}:{name}"
