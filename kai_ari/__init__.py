"""Kai: a self-hosted voice agent that always knows what happened on every call."""

__version__ = "0.1.0"
