"""The table of mistakes at the end of a test run: conftest.py imports the hook from here."""


def pytest_terminal_summary(terminalreporter):
    """One line per exercise and verdict, from what the tests of the checks recorded."""
    stats, verdicts = terminalreporter.stats, {}
    for report in stats.get("passed", []) + stats.get("failed", []):
        for key, value in report.user_properties:
            if key == "verdict":
                exercise, solution, verdict = value
                verdicts.setdefault(exercise, []).append((solution, verdict))
    if not verdicts:
        return
    terminalreporter.section("What the checks say to known mistakes and to other right solutions")
    for exercise, rows in verdicts.items():
        terminalreporter.line(f"{exercise}")
        for solution, verdict in rows:
            terminalreporter.line(f"    {solution:<58} {verdict}")
