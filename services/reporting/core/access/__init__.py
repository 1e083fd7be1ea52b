"""Who may read what: scopes of readers and decisions about requests, as pure functions."""
