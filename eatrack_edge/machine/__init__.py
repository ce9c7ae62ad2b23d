"""Board, clocks, power, temperature and memory of this machine, read from sysfs and /proc.

Every reader takes ``root``, the folder that stands for ``/``. A value that cannot be read is absent from the
result; no reader raises for it. What has not been confirmed on a board is noted where it is read.
"""
