"""The main screen's parts. Each shows the view it is given and says, by message, what a person wants."""
