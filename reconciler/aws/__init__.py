"""The one way to AWS: sessions, the gate that every call passes, its limits, retries, errors, trace and caches.

The engine makes a `Session` and a `Gate` per pass and hands the gate to kinds, which see it as `core.call.Reader`.
Nothing outside this package imports boto3 or botocore.
"""
