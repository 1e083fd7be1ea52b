"""Access to reporting over HTTP: keys, links and sessions of readers, and the guard before every route."""
