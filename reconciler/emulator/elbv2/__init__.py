"""Elastic Load Balancing v2, in place of moto's: nothing lost on the way, AWS's echoes, defaults and refusals, health.

`targets` is what the ECS part calls; `server` installs and resets the package.
"""
