"""Questions about what agencies sent: results, single submissions with their history, attached files, evaluations."""
