from importlib import import_module

Migration = import_module("fails.migrations.0001_initial").Migration
