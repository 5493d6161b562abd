"""Makes the locks below ``3rdparty``, and notices in ``lint`` when one is stale."""
