"""Settings, composition root, command line, the roles' loops."""
