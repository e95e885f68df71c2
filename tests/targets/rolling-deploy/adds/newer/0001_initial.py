from importlib import import_module

Migration = import_module("adds.migrations.0001_initial").Migration
