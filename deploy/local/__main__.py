"""`python -m deploy.local up|down|status`: the local stack from the command line, without the four services."""

import argparse
import os
import signal
import sys

from deploy.local.errors import StackError
from deploy.local.process import pidfile
from deploy.local.process.ports import Ports
from deploy.local.stack import Stack, home, jars, owner_file, print_progress

FOLDER = "stack"  # beside the jars, which outlive any data


def main() -> int:
    """Run one command; 0 on success, 1 when nothing runs, 2 when it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("command", choices=("up", "down", "status"))
    command = parser.parse_args().command
    try:
        return {"up": up, "down": down, "status": status}[command]()
    except StackError as error:
        print_progress(str(error))
        return 2


def up() -> int:
    """Start the stack and hold it until Ctrl-C or TERM."""
    for number in (signal.SIGINT, signal.SIGTERM):  # both: a shell starts what is in the background with INT ignored
        signal.signal(number, _interrupt)
    try:
        with Stack(home() / FOLDER, Ports.from_environment(os.environ), jars=jars(), say=print_progress) as stack:
            for name, value in stack.environment().items():
                print(f"export {name}={value!r}")
            sys.stdout.flush()
            signal.pause()
    except KeyboardInterrupt:
        print_progress("stopped")
    return 0


def down() -> int:
    """Ask a running stack to stop and end whatever an interrupted one left; 1 when there was nothing."""
    folder = home() / FOLDER
    asked = pidfile.terminate(owner_file(folder))
    ended = [path.stem for path in sorted(folder.glob("*.pid")) if pidfile.kill_leftover(path)]
    for name in ended:
        print_progress(f"{name} ended")
    return 0 if asked or ended else 1


def status() -> int:
    """Name each program that runs; 1 when none does."""
    running = {path.stem: pidfile.read(path) for path in sorted((home() / FOLDER).glob("*.pid"))}
    alive = {name: pid for name, pid in running.items() if pid is not None}
    for name, pid in alive.items():
        print(f"{name} {pid}")
    return 0 if alive else 1


def _interrupt(number: int, frame: object) -> None:
    del number, frame
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
