"""The real tenant base: streamed from files and databases, decided once per distinct policy, never held as objects.

Owns `decide_batch`, the pure function that the command, the screen, Spark and Ray all run. Loads pyarrow when imported.
"""
