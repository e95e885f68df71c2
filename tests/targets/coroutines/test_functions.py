"""Tests of pytest-asyncio."""

import asyncio

import pytest
import pytest_asyncio
from django.utils.html import format_html


@pytest_asyncio.fixture
async def number():
    await asyncio.sleep(0)
    yield 1


@pytest_asyncio.fixture
async def utc():
    from django.utils import timezone

    yield timezone.utc


@pytest.mark.asyncio
async def test_a_fixture(number):
    assert number == 1


@pytest.mark.asyncio
async def test_deprecated():
    await asyncio.sleep(0)
    assert format_html("<br>") == "<br>"


@pytest.mark.asyncio
async def test_a_task_that_warns():
    async def work():
        return format_html("<br>")

    assert await asyncio.create_task(work()) == "<br>"


@pytest.mark.asyncio
async def test_a_fixture_that_breaks(utc):
    assert utc
