"""Recognition, synthesis and voice activity on this machine, off the event loop."""
