"""The sheets of the workbook as tables, and the formulas of their cells."""
