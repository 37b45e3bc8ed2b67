"""Telling people and systems outside."""
