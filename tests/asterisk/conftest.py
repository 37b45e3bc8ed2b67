"""The engines that recognise what callers hear; loaded once for the tests of this directory."""

from tests.reception_real.conftest import speech

__all__ = ["speech"]
