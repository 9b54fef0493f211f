"""From bytes at a commit to `Desired`: parsed, layered, resolved, validated. Pure of AWS, git and the clock.

`load` is the door; the command line's `validate`, `render` and `plan`, and the engine, come through it. The kinds and
the source of the bytes are passed in.
"""
