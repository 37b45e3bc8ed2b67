"""Asterisk: the ARI client, its events in order, and live calls. Implements `LiveCall`."""
