"""Child processes: starting and stopping them, their process ids on disk, their ports."""
