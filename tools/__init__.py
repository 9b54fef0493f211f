"""Programs for developers of Reconciler; nothing of the product imports them."""
