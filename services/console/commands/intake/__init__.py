"""Commands on handing in: keys, link, receipt, sheet, submit."""
