"""A fresh Debian 12 machine in a directory: provisioned by chroot, then booted with systemd.

Booting takes namespaces and no hypervisor: its processes, mounts, host name and network are its
own, and end with it. All mounts are made in there, so that none is left whatever happens.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from errno import EBUSY
from hashlib import sha256
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
MIRROR = "http://deb.debian.org/debian"
#: What a Debian 12 machine has before Kai comes: not even git, nor venv.
BASE = "systemd,systemd-sysv,python3,ca-certificates"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_OLDEST_BASE_S = 30 * 24 * 3600.0
_BOOT_S = 60.0
_POLL_S = 0.05

# $1 is the machine's root, $2 the checkout, $3 and $4 what is kept from run to run.
_ENTER = """
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mkdir -p "$1/srv/checkout" "$1/srv/tree" "$1/root/.cache/pip"
mount -o bind,ro "$2" "$1/srv/checkout"
mount --bind "$3" "$1/var/cache/apt/archives"
mount --bind "$4" "$1/root/.cache/pip"
[ -z "$5" ] || mount -o bind,ro "$5" "$1/srv/tree"
root=$1
shift 5
exec chroot "$root" "$@"
"""

# $1 is the machine's root, $2 the cgroup it gets.
_BOOT = """
echo $$ >"$2/cgroup.procs"
exec unshare --fork --kill-child --pid --mount --uts --ipc --net --cgroup sh -euc '
    ip link set lo up
    mount --bind "$1" "$1"
    mount -t proc proc "$1/proc"
    mount -o bind,ro "$1/proc/sys" "$1/proc/sys"
    mount -t sysfs -o ro sysfs "$1/sys"
    mount -t cgroup2 cgroup "$1/sys/fs/cgroup"
    mount -t tmpfs -o mode=755 tmpfs "$1/run"
    mount -t tmpfs -o mode=755 tmpfs "$1/dev"
    mkdir "$1/dev/pts" "$1/dev/shm"
    for device in null zero full random urandom tty; do
        touch "$1/dev/$device"
        mount --bind "/dev/$device" "$1/dev/$device"
    done
    mount -t devpts -o newinstance,ptmxmode=666 devpts "$1/dev/pts"
    mount -t tmpfs tmpfs "$1/dev/shm"
    ln -s pts/ptmx "$1/dev/ptmx"
    ln -s /proc/self/fd "$1/dev/fd"
    exec env -i container=kai-test PATH=/usr/sbin:/usr/bin \
        setpriv --bounding-set=-sys_module,-sys_time chroot "$1" /lib/systemd/systemd
' sh "$1"
"""

Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True, kw_only=True)
class Machine:
    """`tree` is an Asterisk to copy instead of fetching one, if there is any."""

    root: Path
    cache: Path
    tree: Path | None

    def run(self, *command: str, **environment: str) -> Done:
        """A command in there while it is not booted, with this machine's network."""
        given = {
            name: value
            for name, value in os.environ.items()
            if name.startswith("PIP_") or name.lower().endswith("_proxy")
        }
        return subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", _ENTER, "sh",
             str(self.root), str(CHECKOUT), str(self.cache / "apt"), str(_pip_cache()),
             str(self.tree or ""), *command],
            env={**given, **environment, "PATH": PATH, "HOME": "/root"},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def provision(self, *options: str) -> Done:
        environment = {"KAI_ASTERISK_TREE": "/srv/tree"} if self.tree else {}
        return self.run("/srv/checkout/scripts/provision", *options, **environment)

    def manifest(self) -> dict[str, tuple[object, ...]]:
        """Everything about each file but when it was read."""
        found = {}
        for directory, names, files in os.walk(self.root):
            for name in (*names, *files):
                path = Path(directory, name)
                found[str(path.relative_to(self.root))] = _seen(path)
        return found

    @contextlib.contextmanager
    def booted(self) -> Iterator["Booted"]:
        """Boot it, with a network of its own that holds nothing but itself."""
        cgroup = _own_cgroup()
        process = subprocess.Popen(
            ["sh", "-euc", _BOOT, "sh", str(self.root), str(cgroup)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield Booted(root=self.root, init=_wait_for_boot(process))
        finally:
            for child in _children(process.pid):
                os.kill(child, signal.SIGKILL)  # its init: all else in there ends with it
            process.kill()
            process.wait()
            _remove(cgroup)


@dataclass(frozen=True, kw_only=True)
class Booted:
    """A machine that runs; `init` is its first process, as seen from here."""

    root: Path
    init: int

    def run(self, *command: str, **environment: str) -> Done:
        """A command in there, as root."""
        return subprocess.run(
            [*_enter(self.init), "env", "-i", f"PATH={PATH}", "HOME=/root",
             *(f"{name}={value}" for name, value in environment.items()), *command],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def ask(self, *command: str) -> str:
        """What a command answers; it must succeed."""
        done = self.run(*command)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def journal(self) -> str:
        return self.run("journalctl", "--no-pager", "--lines=60").stdout


@contextlib.contextmanager
def fresh_machine(cache: Path, tree: Path | None) -> Iterator[Machine]:
    """A new Debian 12 below /var/tmp, gone afterwards."""
    base = _base(cache)
    (cache / "apt/partial").mkdir(parents=True, exist_ok=True)
    _pip_cache().mkdir(parents=True, exist_ok=True)
    root = Path(tempfile.mkdtemp(prefix="kai-machine-", dir="/var/tmp"))
    try:
        subprocess.run(["tar", "-x", "-f", base, "-C", root, "--numeric-owner"], check=True)
        root.chmod(0o755)
        _follow_this_machine(root)
        yield Machine(root=root, cache=cache, tree=tree)
    finally:
        shutil.rmtree(root)


def _base(cache: Path) -> Path:
    """The archive of an untouched Debian 12, made anew each month."""
    base = cache / "debian-12.tar"
    if base.exists() and time.time() - base.stat().st_mtime < _OLDEST_BASE_S:
        return base
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kai-base-", dir="/var/tmp") as made:
        subprocess.run(
            ["debootstrap", "--variant=minbase", f"--include={BASE}", "bookworm", made, MIRROR],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True,
        )  # fmt: skip
        new = base.with_suffix(f".{os.getpid()}")
        subprocess.run(["tar", "-c", "-f", new, "-C", made, "--numeric-owner", "."], check=True)
        new.replace(base)
    return base


def _follow_this_machine(root: Path) -> None:
    """Packages come from where this machine gets them: its name server, index and authorities."""
    for file in ("etc/resolv.conf", "etc/pip.conf", "etc/ssl/certs/ca-certificates.crt"):
        source = Path("/", file)
        if source.exists():
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, root / file)
    (root / "etc/hostname").write_text("kai\n")


def _pip_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "pip")


def _seen(path: Path) -> tuple[object, ...]:
    stat = path.lstat()
    content: str | None = None
    if path.is_symlink():
        content = str(path.readlink())
    elif path.is_file():
        with path.open("rb") as file:
            content = sha256(file.read()).hexdigest()
    return (stat.st_mode, stat.st_uid, stat.st_gid, stat.st_mtime_ns, stat.st_ctime_ns, content)


# -- booting -----------------------------------------------------------------------


def _own_cgroup() -> Path:
    """A new cgroup below this process's: systemd fills it as if it were the machine's."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    mounted = next((Path(words[1]) for words in mounts if words[2] == "cgroup2"), None)
    assert mounted, "no cgroup2 is mounted here, and systemd needs it: mount -t cgroup2"
    ours = next(
        line.removeprefix("0::/")
        for line in Path("/proc/self/cgroup").read_text().splitlines()
        if line.startswith("0::/")
    )
    made = mounted / ours / f"kai-machine-{os.getpid()}"
    made.mkdir()
    return made


def _remove(cgroup: Path) -> None:
    """With those below it. They are busy until the last process in them is gone."""
    below = sorted((path for path in cgroup.rglob("*") if path.is_dir()), reverse=True)
    deadline = time.monotonic() + _BOOT_S
    for directory in (*below, cgroup):
        while True:
            try:
                directory.rmdir()
                break
            except OSError as error:
                if error.errno != EBUSY or time.monotonic() > deadline:
                    raise
            time.sleep(_POLL_S)


def _wait_for_boot(process: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + _BOOT_S
    state = "not started"
    while time.monotonic() < deadline:
        for init in _children(process.pid):
            asked = subprocess.run(
                [*_enter(init), "systemctl", "is-system-running"],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            state = asked.stdout.strip() or state
            if state in ("running", "degraded"):
                return init
        assert process.poll() is None, "the machine's systemd ended at once"
        time.sleep(_POLL_S)
    raise AssertionError(f"the machine is {state} after {_BOOT_S:.0f} s")


def _children(process: int) -> list[int]:
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text()
    except FileNotFoundError:
        return []
    return [int(child) for child in children.split()]


def _enter(init: int) -> list[str]:
    return ["nsenter", "--target", str(init), "--all", "--root", "--wd"]
