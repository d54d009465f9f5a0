"""From what the dashboards and the alert rules are made: `python -m deploy.blueprints` writes the files beside it."""
