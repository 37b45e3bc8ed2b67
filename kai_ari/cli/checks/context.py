"""What a check is given."""

from dataclasses import dataclass

from kai_ari.asterisk.client import AriSettings
from kai_ari.asterisk.inspection import AriInspector
from kai_ari.config.schema import Config
from kai_ari.config.secret import ari_password


@dataclass(frozen=True, kw_only=True)
class Context:
    config: Config

    @property
    def yaml(self) -> str:
        """How findings call the configuration."""
        return "kai.yaml"


@dataclass(frozen=True, kw_only=True)
class Pbx(Context):
    """With an Asterisk that answers."""

    ari: AriInspector
    modules: dict[str, str]
    endpoints: dict[str, dict[str, str]]  # settings of each SIP endpoint, by its name


def ari_settings(config: Config) -> AriSettings:
    """Raises ConfigError when the password is not to be had."""
    return AriSettings(
        url=f"{config.asterisk.url}/ari",
        username=config.asterisk.username,
        password=ari_password(config.secrets),
        app=config.asterisk.app,
    )
