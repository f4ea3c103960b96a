"""Raises at import."""

raise RuntimeError("no licence file in the home folder")
