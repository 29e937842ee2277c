"""What panes are made of: painting by cells, tables, the body viewer, the line editor. No widget here knows a pane."""
