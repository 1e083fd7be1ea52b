"""The web form: a person without a system of their own submits a report through a link to exactly one duty."""
