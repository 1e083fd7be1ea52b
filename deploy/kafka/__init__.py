"""What each user of the broker may do: one table, and the commands, manifests and page that are made from it."""
