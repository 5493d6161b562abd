"""Release tooling of this repository: the gate, the plan, and the bills of materials."""
