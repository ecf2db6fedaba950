//! Plans trials, runs each in a clone of its host's template, and emits events; it never prints.
