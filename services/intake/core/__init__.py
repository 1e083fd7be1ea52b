"""The pure core of intake: the rules for events, API keys, admission, receipt ids and forms. It does no I/O."""
