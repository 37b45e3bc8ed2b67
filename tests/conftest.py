"""Shared by all tests: a real Asterisk for the session, real SIP phones, and no task left over."""

import asyncio
import inspect
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack

import hypothesis
import pytest
import pytest_asyncio

from kai_ari.asterisk.conf import PhoneAccount
from kai_ari.testing.elsewhere import ELSEWHERE
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone

#: 101 and 102 have a fixed caller id; 103 is believed, as a trunk is.
PHONES = (
    PhoneAccount(user="101", password="secret-101", name="Ada", caller_id="101"),
    PhoneAccount(user="102", password="secret-102", name="Owner", caller_id="102"),
    PhoneAccount(user="103", password="secret-103", caller_id=None),
)

#: Besides Kai's own numbers, phones of the tests reach an echo, a parrot that greets first, and an
#: app of their choice: a test that wants calls for itself dials as `app_number` says.
EXTENSIONS = """
[from-phones](+)
exten => echo,1,Answer()
 same => n,Echo()
exten => parrot,1,Answer()
 same => n,Playback(vm-nobodyavail)
 same => n,Echo()
exten => _app-.,1,Gosub(withheld-number,s,1)
 same => n,Stasis(${EXTEN:4:8},${EXTEN:13},${CALLERID(num-pres)})
 same => n,Hangup()
"""

#: What takes over half a minute, longest first, and what else makes real calls: a process that
#: came to one of these last would keep the others waiting.
LONG = (
    "tests/test_provision.py",
    "tests/test_readme.py",
    "tests/asterisk/test_dead_phone.py",
    "tests/reception_real/test_scenarios.py",
    "tests/test_up.py",
    "tests/reception_real/test_voicemails.py",
    "tests/reception/test_fault_table.py",
    "tests/test_bench.py",
    "tests/cli/test_drill.py",
    "tests/cli/test_check.py",
    "tests/handoff_real/",
    "tests/outbound_real/",
    "tests/reception_real/",
    "tests/asterisk/",
    "tests/notify/",
    "tests/cli/",
)

#: However busy the machine: what is promised has no time limit.
hypothesis.settings.register_profile(
    "kai", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("kai")

MakePhone = Callable[..., Awaitable[SipPhone]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--faults",
        type=int,
        default=8,
        metavar="N",
        help="play N cases of the fault table with real phones (8; 30 take four minutes)",
    )
    parser.addoption(
        "--machine",
        action="store_true",
        help="also provision a fresh Debian 12 and boot it (tests/test_provision.py, some minutes)",
    )
    parser.addoption(
        "--asterisk-elsewhere",
        action="store_true",
        help="run each temporary Asterisk in a network namespace and a file tree that Kai is not "
        "in, as if it were another machine (needs root)",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--asterisk-elsewhere"):
        os.environ[ELSEWHERE] = "1"  # the processes that tests start inherit it


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long files first; the order within stays random."""
    if not config.getoption("--machine"):
        skipped = pytest.mark.skip(reason="a whole machine takes minutes: --machine")
        for item in items:
            if item.nodeid.startswith("tests/test_provision.py"):
                item.add_marker(skipped)

    def rank(item: pytest.Item) -> int:
        ranks = (place for place, name in enumerate(LONG) if item.nodeid.startswith(name))
        return next(ranks, len(LONG))

    items.sort(key=rank)


def app_number(app: str, did: str) -> str:
    """What a phone dials to reach `did` in `app`, a name of 8 characters."""
    if len(app) != 8:
        raise ValueError(f"the test's dialplan wants an app name of 8 characters, not {app!r}")
    return f"app-{app}-{did}"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pbx() -> AsyncIterator[LocalAsterisk]:
    """One Asterisk for all tests. A test that stops or kills it starts its own."""
    async with LocalAsterisk(phones=PHONES, extra_extensions=EXTENSIONS) as asterisk:
        yield asterisk


@pytest_asyncio.fixture
async def make_phone(pbx: LocalAsterisk) -> AsyncIterator[MakePhone]:
    """Start phones of the shared Asterisk: `await make_phone("101", codecs=("ulaw",))`."""
    async with AsyncExitStack() as phones:

        async def make(
            user: str = "101",
            *,
            password: str | None = None,
            codecs: Sequence[str] = ("g722", "ulaw", "alaw"),
            register: bool = True,
        ) -> SipPhone:
            account = pbx.phone(user)
            phone = SipPhone(
                server=pbx.sip_address,
                user=user,
                password=account.password if password is None else password,
                codecs=codecs,
                register=register,
            )
            return await phones.enter_async_context(phone)

        yield make


@pytest_asyncio.fixture
async def phone(make_phone: MakePhone) -> SipPhone:
    """The caller's phone, registered."""
    return await make_phone("101")


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """A command that a test runs in this process sets the log up as its own."""
    root = logging.getLogger("kai")
    handlers, level, propagate = root.handlers, root.level, root.propagate
    yield
    root.handlers, root.level, root.propagate = handlers, level, propagate


@pytest.fixture(autouse=True)
def _no_task_left(request: pytest.FixtureRequest) -> None:
    """Set up first, so torn down last: other fixtures have ended their tasks by then."""
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("_watch_tasks")


@pytest_asyncio.fixture
async def _watch_tasks() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    left = {task for task in asyncio.all_tasks() - before if task is not asyncio.current_task()}
    if left:
        names = ", ".join(sorted(f"{task.get_name()}: {task.get_coro()}" for task in left))
        pytest.fail(f"tasks left running: {names}")
