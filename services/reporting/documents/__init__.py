"""The annual report as DOCX, PDF, XLSX, CSV and JSON, from the same content. No figure is computed here."""
