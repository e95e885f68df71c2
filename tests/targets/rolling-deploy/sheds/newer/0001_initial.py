from importlib import import_module

Migration = import_module("sheds.migrations.0001_initial").Migration
