"""The parts of tools/study.py: the runs of a study, and what they gave."""
