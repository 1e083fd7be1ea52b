"""The annual report on paper and in files: DOCX, PDF, XLSX, CSV, JSON from one content. No figure is computed here."""
