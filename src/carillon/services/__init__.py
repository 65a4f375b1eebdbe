"""What one can do: one function per deed; the only place that writes the database."""
