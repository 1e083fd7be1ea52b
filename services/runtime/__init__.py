"""The plumbing that every service shares. It knows no word of the domain beyond the names of topics and documents."""
