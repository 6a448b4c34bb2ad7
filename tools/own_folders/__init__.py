"""A study of two folders of images: what `mmgh study folders` is besides."""
