"""The guardian of the embedded PostgreSQL: one small process between the users of a server and the server.

    python -m carillon.config.postgres_guardian HOME [--not-durable]

It makes the cluster when there is none, starts the server, starts it again when it dies, and stops it when the last user
has gone (nobody holds `users.lock`). The server is told by the kernel when its guardian dies (Linux), and stops too.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from carillon.config.postgres import PORT, open_lock, take
from carillon.config.postgres_cluster import Cluster, ClusterError, prepare

LOOK_EVERY_S = 0.1
FAILED_STARTS = 5  # in a row, none of which came to be ready: then the reason is permanent and somebody must read it
PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    home = Path(arguments[0])
    is_durable = "--not-durable" not in arguments[1:]
    guardian = open_lock(home, "guardian")
    if not take(guardian, fcntl.LOCK_EX):
        return 0  # another one was faster
    users = open_lock(home, "users")
    try:
        cluster = prepare(home, is_durable=is_durable)
        end_orphan(cluster)
        cluster.shorten_log()
        keep_running(cluster, everyone_left=lambda: take(users, fcntl.LOCK_EX))
    except (ClusterError, OSError) as error:
        (home / "postgres.error").write_text(f"{error}\n", encoding="utf-8")
        return 1
    finally:
        guardian.close()  # before `users`: whoever waits for that one must see that no guardian is left
        users.close()
    return 0


def keep_running(cluster: Cluster, *, everyone_left: Callable[[], bool]) -> None:
    """Run the server until everyone left. Raises ClusterError when it cannot start."""
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    failed = 0
    was_ready = False
    server = start(cluster)
    while True:
        if asked or everyone_left():
            stop(server)
            return
        was_ready = was_ready or cluster.is_ready()
        if server.poll() is not None:
            failed = 0 if was_ready else failed + 1
            if failed >= FAILED_STARTS:
                raise ClusterError(f"PostgreSQL does not start. The end of {cluster.log}:\n{cluster.last_lines()}")
            time.sleep(0.2 * 2**failed)
            server = start(cluster)
            was_ready = False
        time.sleep(LOOK_EVERY_S)


def start(cluster: Cluster) -> subprocess.Popen[bytes]:
    """Start the postmaster as the cluster's user, in a session of its own, with nothing of our environment."""
    cluster.forget_dead_postmaster()
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def die_with_guardian() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)

    with cluster.log.open("ab") as log:
        return subprocess.Popen(
            [cluster.program("postgres"), "-D", str(cluster.data), "-k", str(cluster.sockets), "-p", str(PORT)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=cluster.environ(),
            start_new_session=True,
            preexec_fn=die_with_guardian,  # noqa: PLW1509 (this process has one thread)
            **cluster.as_user(),
        )


def stop(server: subprocess.Popen[bytes]) -> None:
    """Fast shutdown: open transactions are rolled back, what was committed is kept; then wait, however long."""
    if server.poll() is None:
        server.send_signal(signal.SIGINT)
        server.wait()


def end_orphan(cluster: Cluster) -> None:
    """Stop a server whose guardian died, where the kernel does not do it (not Linux), before starting ours."""
    while (pid := cluster.live_postmaster()) is not None:
        try:
            os.kill(pid, signal.SIGINT)
        except ProcessLookupError:
            return
        time.sleep(LOOK_EVERY_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
