"""The feed holds what was monitored, for a day as for a minute, and passes each reading on."""

from campaign.monitor.feed import MOST_POINTS, MOST_SERIES, Feed


def test_it_gives_series_with_their_gaps():
    feed = Feed()
    for at, value in enumerate([1.0, None, 3.0]):
        feed.hear(float(at), {"m": (value, "B")})
    assert feed.names() == ("m",)
    assert feed.latest() == {"m": (3.0, "B")}
    series = feed.series("m")
    assert (series.unit, series.times, series.values) == ("B", (0.0, 1.0, 2.0), (1.0, None, 3.0))
    assert feed.series("n") is None


def test_a_day_takes_no_more_than_an_hour_and_loses_no_peak():
    feed = Feed()
    for at in range(86_400):
        feed.hear(float(at), {"m": (1000.0 if at == 777 else float(at % 10), "B")})
    series = feed.series("m")
    assert len(series.times) <= MOST_POINTS
    assert max(series.values) == 1000.0
    assert list(series.times) == sorted(series.times)
    assert series.times[-1] == 86_399


def test_names_beyond_the_most_are_passed_on_and_not_kept():
    feed, heard = Feed(), []
    with feed.listen(lambda at, reading: heard.append((at, len(reading)))):
        feed.hear(0.0, {f"n{i}": (1.0, "") for i in range(MOST_SERIES + 5)})
    feed.hear(1.0, {})
    assert len(feed.names()) == MOST_SERIES
    assert heard == [(0.0, MOST_SERIES + 5)]
