"""The site on one machine: what script/server, script/manage and script/test run.

Standard library only, but for supervisor and rich once the environment has them.
"""
