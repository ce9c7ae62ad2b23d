"""What this machine is and how it is doing, read from sysfs and /proc; standard library only.

Every reader takes ``root``, the folder that stands for ``/``. A value that is missing, unreadable or asleep is absent
from the result; no reader raises for it. What no board has confirmed yet is said where it is read.
"""
