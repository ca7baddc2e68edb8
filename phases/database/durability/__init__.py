"""The part `durability`: the settings that decide whether a committed write survives a crash."""
