"""The parts of tools/report.py: sections of a page, and how it is written."""
