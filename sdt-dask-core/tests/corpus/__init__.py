"""Frames and files as they really come: each bad one with the finding that it must give."""
