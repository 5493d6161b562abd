"""Security gate of this repository: scanners, and the findings we have accepted for now."""
