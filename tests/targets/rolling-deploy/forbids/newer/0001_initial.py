from importlib import import_module

Migration = import_module("forbids.migrations.0001_initial").Migration
