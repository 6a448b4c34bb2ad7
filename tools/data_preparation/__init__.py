"""What ``tools/prepare_data.py`` is made of.

``data_sets`` says what is published where, and what it holds; everything else
reads these records. Data sets consist of parts: image folders, lists of
images, and files of digits. A part finds itself in a tree of folders and
says what is wrong with it.
"""
