"""Changes as they happen: one watcher of the database, and the stream of server-sent events that readers hear."""
