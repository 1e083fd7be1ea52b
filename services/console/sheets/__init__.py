"""Report sheets, which a person without an upstream system fills in as XLSX or CSV: layout, writing, reading."""
