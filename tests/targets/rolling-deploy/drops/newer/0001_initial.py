from importlib import import_module

Migration = import_module("drops.migrations.0001_initial").Migration
