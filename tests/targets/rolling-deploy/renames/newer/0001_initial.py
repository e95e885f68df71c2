from importlib import import_module

Migration = import_module("renames.migrations.0001_initial").Migration
