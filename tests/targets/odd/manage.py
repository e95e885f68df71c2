import multiprocessing
import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    if "START_METHOD" in os.environ:
        multiprocessing.set_start_method(os.environ["START_METHOD"])
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    execute_from_command_line(sys.argv)
