"""Lists of duties: which lines, counted by what they can be narrowed to, in which order, and one page of them."""
