"""`check` and `check --deploy`: every message that the two commands collect, as data."""

from django.core import checks
from django.core.management import call_command
from django.core.management.base import CommandError, SystemCheckError


def run(config, result):
    """Run both commands, and keep what they were told."""
    plainly, raised = _collected()
    deployed, _ = _collected(deploy=True)
    messages = [_message(one, result, False) for one in plainly]
    known = {_key(one) for one in messages}
    further = [_message(one, result, True) for one in deployed]
    messages += [one for one in further if _key(one) not in known]
    unique = {_key(one): one for one in messages}
    result.found["messages"] = [unique[key] for key in sorted(unique)]
    result.found["refused"] = raised


def _collected(**options):
    """Return the messages of one command, and whether it ends badly because of them."""
    found = []
    real = checks.run_checks

    def run_checks(*args, **kwargs):
        said = real(*args, **kwargs)
        found.extend(said)
        return said

    checks.run_checks = run_checks
    try:
        call_command("check", **options)
    except SystemCheckError:
        return found, True
    except CommandError:
        if not found:
            raise
        return found, True
    finally:
        checks.run_checks = real
    return found, False


def _message(one, result, deploy):
    return {
        "id": one.id or "",
        "level": one.level,
        "object": result.shortened(_name(one.obj)),
        "message": result.shortened(str(one.msg)),
        "hint": result.shortened(str(one.hint)) if one.hint else "",
        "deploy": deploy,
        "silenced": bool(one.is_silenced()),
    }


def _key(message):
    return (message["id"], message["object"], message["message"])


def _name(thing):
    """Name what a message is about as Django itself does."""
    if thing is None:
        return ""
    meta = getattr(thing, "_meta", None)
    if isinstance(thing, type) and meta is not None:
        return meta.label
    return str(thing)
