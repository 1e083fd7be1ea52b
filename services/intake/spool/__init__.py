"""The spool: accepted records on local disk while the broker is away, replayed in order afterwards."""
