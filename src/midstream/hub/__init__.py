"""The addon machinery: events, options, commands, addon manager, script loader, master, log and config files."""
