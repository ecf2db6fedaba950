# The root shell that the machine of a test has; nothing here depends on it.
{ }
