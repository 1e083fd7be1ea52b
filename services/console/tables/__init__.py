"""Reads the tables that people hand in, whichever program saved them: CSV in every form, and workbooks (XLSX)."""
