"""HOST:PORT is read in one way wherever it is written."""

import pytest

from kai_ari.address import host_and_port, written


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:9092", "127.0.0.1", 9092),
        ("pbx.example.com:5038", "pbx.example.com", 5038),
        ("[::1]:9092", "::1", 9092),
        ("[fd00::2]:0", "fd00::2", 0),
    ],
)
def test_what_is_read_is_written_the_same(text: str, host: str, port: int) -> None:
    assert host_and_port(text) == (host, port)
    assert written(host, port) == text


@pytest.mark.parametrize("text", ["", "x", ":1", "[]:1", "x:", "x:y", "x:-1", "x:65536", "x:1 "])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not HOST:PORT"):
        host_and_port(text)
