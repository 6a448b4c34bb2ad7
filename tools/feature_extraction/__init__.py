"""The parts of tools/extract_features.py."""
