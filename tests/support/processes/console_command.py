"""`python -m tests.support.processes.console_command …`: the console as a process in which faults can be planted."""

from services.console import main

if __name__ == "__main__":
    main.main()
