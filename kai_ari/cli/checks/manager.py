"""AMI, where Kai asks after queues and mailboxes: only looked at when kai.yaml has such."""

import asyncio

from kai_ari.address import host_and_port
from kai_ari.cli.checks.context import Pbx
from kai_ari.cli.checks.finding import Finding, Found
from kai_ari.cli.remedies import told
from kai_ari.config.mailbox import needs_ami
from kai_ari.config.secret import ami_password
from kai_ari.errors import ConfigError

_LIMIT_S = 5.0
_BANNER = b"Asterisk Call Manager/"


async def manager(pbx: Pbx) -> list[Found]:
    settings = pbx.config.asterisk
    if not needs_ami(pbx.config):
        return []
    try:
        password = ami_password(pbx.config.secrets)
    except ConfigError:
        return []  # `files.secrets` tells
    host, port = host_and_port(settings.ami)
    try:
        async with asyncio.timeout(_LIMIT_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                banner = await reader.readline()
                if not banner.startswith(_BANNER):
                    return [_finding(pbx, "is answered by something that is no AMI")]
                writer.write(
                    f"Action: Login\r\nUsername: {settings.ami_username}\r\n"
                    f"Secret: {password}\r\nEvents: off\r\n\r\n".encode()
                )
                answer = await reader.readuntil(b"\r\n\r\n")
            finally:
                writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        return [_finding(pbx, f"gives no answer ({error or 'in time'})")]
    if b"Response: Success" in answer:
        return []
    return [
        Finding(
            slug="ami-unauthorised",
            where=f"manager.conf, [{settings.ami_username}]",
            what=f"AMI refuses user {settings.ami_username} with the password of {pbx.yaml}",
            fix=f"make secret there and in {pbx.config.secrets / 'ami_password'} the same,"
            f" then {told(pbx.yaml, 'manager reload')}",
        )
    ]


def _finding(pbx: Pbx, what: str) -> Finding:
    return Finding(
        slug="ami-unreachable",
        where=f"{pbx.yaml}, asterisk.ami: {pbx.config.asterisk.ami}",
        what=f"{what}, so nobody could tell what is in queues and mailboxes",
        fix=f"set enabled = yes in manager.conf and {told(pbx.yaml, 'manager reload')}; or correct"
        f" the address in {pbx.yaml}",
    )
