"""What a script can do to the world."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from local.rds.model.errors import invalid
from local.rds.model.estates import Estate
from local.rds.model.script import Effect, Rule
from local.rds.model.sources import MemorySource

_LINE = b"growing while it is read\n"


def _rotate(estate: Estate, _: Rule, instance: str, file: str, now: datetime) -> None:
    estate.instance(instance).log_of(file).rotate(now)


def _purge(estate: Estate, _: Rule, instance: str, file: str, now: datetime) -> None:
    estate.purge(instance, file, now)


def _reboot(estate: Estate, _: Rule, instance: str, __: str, now: datetime) -> None:
    estate.reboot(instance, now)


def _fail_over(estate: Estate, _: Rule, instance: str, __: str, now: datetime) -> None:
    estate.failover(instance, now)


def _pause(estate: Estate, rule: Rule, instance: str, _: str, now: datetime) -> None:
    estate.pause(instance, now, paused=rule.effect is Effect.PAUSE)


def _delete(estate: Estate, _: Rule, instance: str, __: str, now: datetime) -> None:
    estate.delete(instance, now)


def _recreate(estate: Estate, _: Rule, instance: str, __: str, now: datetime) -> None:
    estate.recreate(instance, now)


def _grow(estate: Estate, rule: Rule, instance: str, file: str, _: datetime) -> None:
    source = estate.instance(instance).log_of(file).source
    if not isinstance(source, MemorySource):
        raise invalid(f"{file} of {instance} is written by itself: only a log in memory can be made to grow.")
    source.write(_LINE * -(-rule.amount // len(_LINE)))


HAPPENINGS: Final[dict[Effect, Callable[[Estate, Rule, str, str, datetime], None]]] = {
    Effect.ROTATE: _rotate,
    Effect.PURGE: _purge,
    Effect.REBOOT: _reboot,
    Effect.FAILOVER: _fail_over,
    Effect.PAUSE: _pause,
    Effect.RESUME: _pause,
    Effect.DELETE: _delete,
    Effect.RECREATE: _recreate,
    Effect.GROW: _grow,
}
