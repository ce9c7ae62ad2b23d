"""Where results go: one file for each form, chosen through the registry."""
