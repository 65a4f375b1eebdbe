"""What goes wrong. Each fault is a function of the scene; those that need our simulator's control port are apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from bench.chaos.clock import BACK_S, FORWARD_S
from bench.chaos.scene import Scene

Fault = Callable[[Scene], None]

# ------------------------------------------------------------------ processes and the machine


def kill_gateway(scene: Scene) -> None:
    scene.chance.choice(scene.stage.living()).kill()


def kill_worker(scene: Scene) -> None:
    for worker in scene.stage.workers:
        if worker.popen.poll() is None:
            worker.kill()


def kill_web(scene: Scene) -> None:
    """While people click."""
    scene.stage.wait(scene.stage.door_is_open, what="the web process answers")
    time.sleep(scene.chance.uniform(0.3, 1.0))
    scene.stage.kill_door()


def kill_postmaster(scene: Scene) -> None:
    scene.stage.kill_postmaster()


def freeze_gateway(scene: Scene) -> None:
    """Longer than its lease: when it wakes, its seat is another's."""
    frozen = scene.chance.choice(scene.stage.living())
    frozen.pause()
    scene.stage.start_gateway()
    time.sleep(17.0)
    frozen.go_on()


def jump_clock(scene: Scene) -> None:
    """Past closing time, or back in the afternoon; then right again."""
    scene.stage.clock.jump(scene.chance.choice([FORWARD_S, BACK_S]), scene.chance.uniform(6.0, 9.0))


def fill_disk(scene: Scene) -> None:
    """PostgreSQL's: to the last byte, where a statement fails, or besides with no room for its next file of log, where the server ends
    and cannot come back.
    """
    began = time.monotonic()
    scene.stage.store.fill(left=scene.chance.choice([0, 0, 8 << 20]))
    if scene.chance.random() < 0.5:
        scene.stage.use_up_log()
    time.sleep(scene.chance.uniform(1.0, 6.0))
    scene.stage.store.free()
    scene.stage.forget_connection()
    scene.stage.await_database(began)


def fill_recorders(scene: Scene) -> None:
    """Gateways that start find no room for their flight recorder."""
    scene.stage.recorders.fill()
    kill_gateway(scene)
    scene.stage.start_missing()
    time.sleep(scene.chance.uniform(1.0, 3.0))
    scene.stage.recorders.free()


# ------------------------------------------------------------------ the SMSC


def reset(scene: Scene) -> None:
    scene.simulator.ask("drop")


def silence(scene: Scene) -> None:
    scene.simulator.ask("set", is_mute=True)
    time.sleep(scene.chance.uniform(0.5, 6.0))
    scene.simulator.ask("set", is_mute=False)
    scene.simulator.ask("drop")


def answer_late(scene: Scene) -> None:
    """Receipts overtake their answers meanwhile."""
    scene.simulator.ask("set", answer_delay_s=scene.chance.uniform(0.2, 2.0), receipt_delay_s=0.0, receipt_spread_s=0.0)
    time.sleep(scene.chance.uniform(1.0, 3.0))
    scene.simulator.ask("set", answer_delay_s=0.01, receipt_delay_s=0.3, receipt_spread_s=0.5)


def throttle(scene: Scene) -> None:
    scene.simulator.ask("throttle", count=scene.chance.randint(1, 200))


def fill_queue(scene: Scene) -> None:
    scene.simulator.ask("queue_full", count=scene.chance.randint(1, 100))


def hang_up_soon(scene: Scene) -> None:
    scene.simulator.ask("drop_after", count=scene.chance.randint(1, 300))


def interrupt_people(scene: Scene) -> None:
    """Texts from people whose acknowledgement the SMSC never reads: it sends them again."""
    for _ in range(3):
        scene.people.talk(scene.simulator, stops=2, replies=3)
        time.sleep(scene.chance.uniform(0.0, 0.02))
        scene.simulator.ask("drop")
        time.sleep(scene.chance.uniform(0.1, 0.5))


def tell_unknown(scene: Scene) -> None:
    for number in range(20):
        text = f"id:ffff{number:04x} sub:001 dlvrd:001 submit date:2611301200 done date:2611301201 stat:DELIVRD err:000 text:"
        scene.simulator.ask("deliver", **{"from": "33799999999", "to": "36184", "text": text, "esm_class": 4})


def tell_again(scene: Scene) -> None:
    """Receipts of messages that have one, with another end: the first one wins."""
    for line in scene.simulator.recorded()[-30:]:
        key = scene.receipt_id(line["id"])
        text = f"id:{key} sub:001 dlvrd:000 submit date:2611301200 done date:2611301201 stat:UNDELIV err:005 text:"
        if scene.has_ended(line["to"]):
            scene.simulator.ask("deliver", **{"from": line["to"], "to": line["from"], "text": text, "esm_class": 4})


OF_THE_MACHINE: tuple[Fault, ...] = (
    kill_gateway, kill_gateway, kill_worker, kill_web, kill_web, kill_postmaster, freeze_gateway, jump_clock, jump_clock,
    fill_disk, fill_recorders,
)  # fmt: skip
OF_THE_SMSC: tuple[Fault, ...] = (
    reset, silence, answer_late, throttle, fill_queue, hang_up_soon, interrupt_people, tell_unknown, tell_again,
)  # fmt: skip


def names() -> list[str]:
    return sorted({fault.__name__ for fault in (*OF_THE_MACHINE, *OF_THE_SMSC)})


def skipped(scene: Scene) -> Mapping[str, str]:
    """What cannot be done on this machine, and why."""
    found: dict[str, str] = {}
    if not scene.stage.clock.can_jump:
        found["jump_clock"] = "needs Linux and a C compiler"
    for name, disk in (("fill_disk", scene.stage.store), ("fill_recorders", scene.stage.recorders)):
        if not disk.is_mounted:
            found[name] = "needs root and leave to mount a tmpfs"
    return found


def possible(scene: Scene, *, has_control: bool, only: list[str]) -> list[Fault]:
    every = (*OF_THE_MACHINE, *OF_THE_SMSC) if has_control else OF_THE_MACHINE
    left_out = skipped(scene)
    return [f for f in every if f.__name__ not in left_out and (not only or f.__name__ in only)]
