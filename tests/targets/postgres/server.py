"""Starts, asks and stops a PostgreSQL of one's own: `server.py start|ready|stop FOLDER PORT`.

Its programs are on PATH or where Debian puts them. PostgreSQL refuses to be run by root: then it
is run by the user `postgres`, who gets the folder.
"""

import glob
import os
import pwd
import shutil
import subprocess
import sys


def program(name):
    """Return the path of a program; "" where there is none."""
    debian = glob.glob("/usr/lib/postgresql/*/bin/" + name)
    newest = sorted(debian, key=lambda path: float(path.split("/")[4]))
    return shutil.which(name) or (newest[-1] if newest else "")


def become_postgres(folder):
    if os.getuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        os.initgroups(user.pw_name, user.pw_gid)
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)


def main():
    what, folder, port = sys.argv[1:]
    if what not in ("start", "ready", "stop"):
        sys.exit(__doc__)
    data = os.path.join(folder, "data")
    if what == "ready":
        ask = [program("pg_isready"), "-h", "127.0.0.1", "-p", port, "-U", "shop", "-d", "postgres"]
        sys.exit(subprocess.call(ask))
    become_postgres(folder)
    os.chdir(folder)
    if what == "stop":
        sys.exit(subprocess.call([program("pg_ctl"), "stop", "-D", data, "-m", "fast"]))
    init = [program("initdb"), "-D", data, "-U", "shop", "--auth=trust", "--no-sync"]
    subprocess.check_call(init, stdout=subprocess.DEVNULL)
    options = ["-D", data, "-k", "", "-p", port, "-h", "127.0.0.1", "-F"]
    os.execv(program("postgres"), ["postgres"] + options + ["-c", "log_statement=ddl"])


if __name__ == "__main__":
    main()
