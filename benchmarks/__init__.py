"""What a plan without changes costs: a repository for N services, a server that answers as AWS does, and the meter.

`python -m benchmarks.plan` prints the table. Nothing of the product imports this package.
"""
