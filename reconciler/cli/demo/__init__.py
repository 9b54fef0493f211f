"""The demo: a tour through Reconciler on an embedded AWS, with a real git repository, live in the terminal.

    failure     what a step that did not happen raises
    nobody      a process without this machine's AWS configuration
    shop        the repository, made and changed with git as its owners would
    stage       the emulated AWS, the controller, and virtual time
    glance      what AWS says between two passes: counts, deployments, targets, events
    tree        the resources with their sync and health, as lines
    screens     where the tour is shown: a live terminal, or plain lines
    tour        what steps work with, and their playing
    steps       the six steps; `hand` and `search` have what they need
    play        from the raising of the curtain to its fall
    stay        what comes after them: it watches, until Ctrl-C

`reconciler.cli.commands.demo` starts it. Everything that the tour shows is done by the parts that also run against the
real AWS, over HTTP; only the clock is virtual.
"""
