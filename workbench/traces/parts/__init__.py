"""The parts that a record is made of: closed words, the population, clauses, verdicts, steps."""
