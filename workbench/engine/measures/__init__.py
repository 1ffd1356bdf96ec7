"""What calls measure of providers, as averages that fade."""
