"""`python -m deploy.local up|down|status`: run the local servers from the command line, without the four services."""

import argparse
import os
import signal
import sys

from deploy.home import home
from deploy.local.errors import StackError
from deploy.local.process import pidfile
from deploy.local.process.ports import Ports
from deploy.local.stack import Stack, jars, owner_file, print_progress

FOLDER = "stack"  # next to the jars, which are kept when the data is deleted


def main() -> int:
    """Run one command. Return 0 on success, 1 if nothing runs, 2 if the command is impossible."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("command", choices=("up", "down", "status"))
    command = parser.parse_args().command
    try:
        return {"up": up, "down": down, "status": status}[command]()
    except StackError as error:
        print_progress(str(error))
        return 2


def up() -> int:
    """Start the stack and keep it running until Ctrl-C or SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):  # both, because a shell starts background jobs with SIGINT ignored
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
    """Stop a running stack and kill what an interrupted one left behind. Return 1 if there was nothing."""
    folder = home() / FOLDER
    was_running = pidfile.terminate(owner_file(folder))
    killed = [path.stem for path in sorted(folder.glob("*.pid")) if pidfile.kill_leftover(path)]
    for name in killed:
        print_progress(f"{name} ended")
    return 0 if was_running or killed else 1


def status() -> int:
    """Print the name and process id of each running program. Return 1 if there is none."""
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
