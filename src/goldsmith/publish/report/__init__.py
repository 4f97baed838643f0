"""The report: one HTML file that says what the pipelines did and what gold holds, readable offline."""

from goldsmith.publish.report.render import render
from goldsmith.publish.report.suggest import ChartSpec, chart_from, suggest_chart, suggest_charts

__all__ = ["ChartSpec", "chart_from", "render", "suggest_chart", "suggest_charts"]
