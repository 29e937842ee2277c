"""Text for people: escaping for terminals, sizes, times, URLs and suggestions. The ground floor; imports nothing."""
