//! Words things for people and machines: terminal, JUnit, JSON lines. Pure but for a `Write`.
