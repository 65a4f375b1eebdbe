"""Background jobs: which modules hold the tasks of the Procrastinate application."""

from __future__ import annotations

import importlib
import pkgutil

import carillon.jobs


def load_jobs() -> None:
    """Import every module of `carillon.jobs`: only the worker needs their tasks, the others defer them by name."""
    for module in pkgutil.iter_modules(carillon.jobs.__path__, prefix="carillon.jobs."):
        importlib.import_module(module.name)
