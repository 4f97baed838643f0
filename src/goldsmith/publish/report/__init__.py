"""The report: one HTML file, readable offline, with the runs of the pipelines and the content of gold.

`collect` reads the tables, `model` has the data, `render` writes the page. Charts are declared, else suggested.
"""

from goldsmith.publish.report.render import render
from goldsmith.publish.report.suggest import ChartSpec, chart_from, suggest_chart, suggest_charts

__all__ = ["ChartSpec", "chart_from", "render", "suggest_chart", "suggest_charts"]
