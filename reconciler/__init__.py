"""Reconciler: GitOps for Amazon ECS."""
