"""The rules of the trade: pure Python, no Django, no clock, no network."""
