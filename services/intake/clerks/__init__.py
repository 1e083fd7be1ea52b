"""Clerks: processes of their own that read, examine and sign beside the one that keeps, so that more cores help.

A clerk holds nothing that is not told it again, and decides nothing alone: what it cannot issue is done at the desk.
"""
