"""Run every code block of the documentation, each as a test."""

from code_blocks import code_blocks

pytest_collect_file = code_blocks().pytest()
