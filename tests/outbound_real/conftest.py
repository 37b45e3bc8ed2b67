"""The engines are those of the other whole calls."""

from tests.reception_real.conftest import speech

__all__ = ["speech"]
