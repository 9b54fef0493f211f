"""The store: what is remembered between passes, in a database. History and a cache: control over AWS never needs it."""

from reconciler.store.database import Store, open_store

__all__ = ["Store", "open_store"]
