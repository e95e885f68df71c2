from importlib import import_module

Migration = import_module("grows.migrations.0001_initial").Migration
