"""Limits hold exactly: slots under a rush, requests per second, and one principal's flood beside another."""
