"""Carillon: a self-hosted platform for SMS and voicemail-drop campaigns."""

__version__ = "0.1.0"
