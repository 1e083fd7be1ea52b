"""The whole system on one machine without Docker: broker, database, mail server and SMS centre as real processes."""
