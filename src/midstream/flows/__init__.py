"""The data model: every object that an event carries. Slotted classes, cheap to make, that know no network."""
