"""Crypto liquidation cascades as they form, with numbers that can be trusted."""

__version__ = "0.1.0"
