"""Recipient lists: CSV, TXT, XLSX and XLS files read as a stream, judged line by line, analysed as they go.

layout = inspect(path)                     charset, delimiter, header, mobile column; or InvalidInput saying what to do
judge, analysis = Judge(layout), Analysis(layout)
with Reader(path, layout) as reader:
    for rows in reader:
        judged = judge.judge(rows)
        analysis.add(judged)
analysis.to_json()
"""

from carillon.domain.recipients.analysis import Analysis
from carillon.domain.recipients.judging import DUPLICATE, MALFORMED, VALID, Judge, Judged
from carillon.domain.recipients.layout import Layout, is_mobile_name
from carillon.domain.recipients.reading import Reader, Rows, inspect

__all__ = [
    "DUPLICATE",
    "MALFORMED",
    "VALID",
    "Analysis",
    "Judge",
    "Judged",
    "Layout",
    "Reader",
    "Rows",
    "inspect",
    "is_mobile_name",
]
