"""The report as one HTML file: `page.render` makes it, `data/report/` holds what it looks like."""
