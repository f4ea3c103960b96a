"""An addon that raises at import."""

raise RuntimeError("no message broker")
