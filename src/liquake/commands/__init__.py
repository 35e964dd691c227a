"""What each command does, a module each. The command line imports the one that was asked for, and nothing of the others."""
