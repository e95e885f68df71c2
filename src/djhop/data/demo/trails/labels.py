"""Small pieces of text and HTML."""

import inflection
from django.utils.html import format_html


def count(number, noun):
    """A number and its noun: "1 walk", "3 walks"."""
    return f"{number} {noun if number == 1 else inflection.pluralize(noun)}"


def slug(name):
    return inflection.parameterize(name)


def link(trail):
    return format_html('<a href="{}">{}</a>', trail.get_absolute_url(), trail.name)


def closed_badge():
    return format_html('<span class="badge">closed</span>')
