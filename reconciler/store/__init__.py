"""The store: what is remembered between passes, in a database. History and a cache: control over AWS never needs it."""

from reconciler.store.database import Store, StoreError, open_store
from reconciler.store.forgiving import Forgiving

__all__ = ["Forgiving", "Store", "StoreError", "open_store"]
