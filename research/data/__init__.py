"""Data folders: opened, downloaded, split; example credit files."""
