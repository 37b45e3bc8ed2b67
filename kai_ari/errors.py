"""One base for every error Kai raises on purpose.

    KaiError
    ├── ConfigError            config/      kai.yaml or a secret is wrong
    ├── AsteriskError          asterisk/    the PBX refused, vanished or answered nonsense
    ├── MediaError             media/       the audio path failed
    ├── SpeechError            speech/      an engine failed
    ├── WorkflowError          notify/      the business's own system did not take a case
    ├── SendingFailed          followup/    a notice was not sent, or nobody knows
    └── LedgerError            ledger/      the record of calls cannot be written or read

Packages derive their own classes from these. `code` is stable and machine-readable;
`retryable` says whether the same request may succeed later without a person changing
anything. The text says what is wrong, where, and what to do.
"""

from typing import ClassVar


class KaiError(Exception):
    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False


class ConfigError(KaiError):
    code = "config"


class AsteriskError(KaiError):
    code = "asterisk"


class MediaError(KaiError):
    code = "media"
    retryable = True


class SpeechError(KaiError):
    code = "speech"
    retryable = True


class WorkflowError(KaiError):
    code = "workflow"
    retryable = True


class LedgerError(KaiError):
    code = "ledger"
