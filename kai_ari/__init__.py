"""Kai: a self-hosted voice agent that always knows what happened on every call."""

import os

__version__ = "0.1.0"

# onnxruntime, which runs the speech models, reports its use to its maker unless it is told not to
# before it is loaded: https://github.com/microsoft/onnxruntime/pull/27379. Nothing of Kai does.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
