"""Expressions of the Common Expression Language (CEL), calculated in exact decimals at a cost known beforehand."""
