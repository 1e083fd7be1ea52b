"""Commands about annual reports: report, audit."""
