"""The web form: a person without a system hands in a report through a link that opens exactly one duty."""
