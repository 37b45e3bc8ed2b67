"""HOST:PORT as people write it; an IPv6 address stands in brackets there."""


def host_and_port(text: str) -> tuple[str, int]:
    """The host without brackets. Port 0 is any free one. Raises ValueError."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError("is not HOST:PORT such as 127.0.0.1:9092")
    return host, int(port)


def written(host: str, port: int) -> str:
    """What `host_and_port` reads."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
