"""The caller is gone."""

from kai_ari.reception.ports import CallerGone


class CallerLeft(Exception):
    """The ordinary end of a call, raised through whatever Kai was doing."""

    def __init__(self, gone: CallerGone) -> None:
        super().__init__(gone.reason)
        self.gone = gone
