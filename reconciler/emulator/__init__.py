"""An AWS to develop against: moto as the store of resources, plus the behaviour that moto lacks.

Used by `reconciler emulator`, `reconciler demo` and the tests, and by nothing else. `server.Emulator` is the way in;
`world.World` holds the virtual clock that everything here lives by; each other module is named after what it adds.
"""
