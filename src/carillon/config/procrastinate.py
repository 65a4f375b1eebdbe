"""Background jobs: which modules hold the tasks of the Procrastinate application."""

from __future__ import annotations

import importlib
import pkgutil

import carillon.jobs


def load_jobs() -> None:
    """Import every module of `carillon.jobs`, so that whoever runs or defers their tasks knows them."""
    for module in pkgutil.iter_modules(carillon.jobs.__path__, prefix="carillon.jobs."):
        importlib.import_module(module.name)
