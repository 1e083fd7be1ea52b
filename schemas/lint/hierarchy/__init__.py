"""Rules for who stands above whom, who leads and who co-operates, and which plan follows which."""
