"""Providers reached over HTTP: one module each (its request, its status table, its callbacks), one shell for all (client)."""
