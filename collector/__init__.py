"""Keeps the history of a Microsoft Defender exposure score."""
