"""Bulk API 2.0: jobs that outlive requests and restarts."""
