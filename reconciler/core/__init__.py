"""The pure heart of Reconciler: values in, values out.

Nothing here does I/O, reads a clock, draws random numbers or logs; import-linter holds that. The stages of a pass are
values of this package: Desired → Live → Differences → Plan → PassReport.
"""
