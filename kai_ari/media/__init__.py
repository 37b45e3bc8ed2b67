"""The caller's audio to and from Asterisk: chan_websocket, or AudioSocket where it is missing."""
