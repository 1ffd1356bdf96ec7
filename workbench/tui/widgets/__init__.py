"""The main screen's parts. Each shows what it is given and says, by message, what a person wants."""
