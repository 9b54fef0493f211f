"""One pass over one environment: it ties manifests, kinds and AWS together, and never waits for a rollout.

Called by the command line and the controller. The order of the files is the order of a pass: `render`, `observe`,
(`core.planner`), `execute`, `assess`, and `passes` around them.
"""
