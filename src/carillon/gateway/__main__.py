"""`python -m carillon.gateway [CONNECTOR …]`: as `carillon gateway`, for a database that is already running."""

import os
import sys

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "carillon.config.settings")
    django.setup()
    from carillon.gateway.main import run

    raise SystemExit(run(only=sys.argv[1:] or None))
