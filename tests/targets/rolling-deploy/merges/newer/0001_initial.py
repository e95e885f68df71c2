from importlib import import_module

Migration = import_module("merges.migrations.0001_initial").Migration
