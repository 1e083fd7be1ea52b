"""Report sheets: what a person without a system fills in, as XLSX or CSV, and how it is read back."""
