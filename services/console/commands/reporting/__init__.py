"""Commands on reports: report, audit."""
