"""Policy, pool and context give a decision. No I/O, no clock, no randomness but the seeded one.

Import what you need from the module that owns it (`decide`, `explain`, `failplan`, `transform`, `conformance`); this
package itself imports nothing, so that the command line starts without numpy.
"""
