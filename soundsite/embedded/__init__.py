"""Private PostgreSQL and Valkey servers from wheels, for a machine that has none.

Standard library only: this runs before Django can be configured, for it makes the URLs that
the settings ask for.
"""
