import math

import pytest

from ui import answers, charts, client, risk_scale
from ui.model_charts import calibration_chart
from ui.model_facts import CalibrationGroup, Interval


@pytest.fixture
def explained(service):
    with client.connect(service.url, 5) as connection:
        return client.explain(connection, {})


@pytest.fixture
def decided(service):
    with client.connect(service.url, 5) as connection:
        return client.decide(connection, {}, "key", "Zoé")


@pytest.mark.parametrize("steps_of", [charts.group_steps, charts.feature_steps])
def test_the_bars_add_up_from_the_base_value_to_the_log_odds(explained, steps_of):
    trace = charts.waterfall("fr", explained, steps_of("fr", explained)).data[0]

    assert trace.base == explained.base_value
    assert trace.base + math.fsum(trace.x) == pytest.approx(explained.log_odds)
    assert trace.measure[-1] == "total"
    assert set(trace.measure[:-1]) == {"relative"}


def test_every_bar_and_the_threshold_stand_inside_the_axis(explained):
    figure = charts.waterfall("en", explained, charts.group_steps("en", explained))

    left, right = figure.layout.xaxis.range
    path = [explained.base_value]
    for contribution in figure.data[0].x:
        path.append(path[-1] + contribution)
    assert left < min(path)
    assert max(path) < right
    assert left < figure.layout.shapes[0].x0 < right


def test_labels_are_in_the_chosen_language_and_harmless(explained):
    steps = [charts.Step("<b>5 < 6</b>", 1.0)]

    french, english = (charts.waterfall(language, explained, steps).layout.yaxis.ticktext for language in ("fr", "en"))

    assert french == (
        "Point de départ\xa0: risque de\xa07,6\u202f%",
        "&lt;b&gt;5 &lt; 6&lt;/b&gt;",
        "Ce client\xa0: risque de\xa018,2\u202f%",
    )
    assert english[0] == "Starting point: risk of\xa07.6%"


def test_small_effects_look_small(explained):
    quiet = explained.model_copy(update={"base_value": -2.4, "log_odds": -2.39, "threshold": 0.0832})
    steps = [charts.Step("more", 0.012), charts.Step("less", -0.002), charts.Step("nothing", 0.0)]

    figure = charts.waterfall("en", quiet, steps)

    left, right = figure.layout.xaxis.range
    assert right - left == pytest.approx(charts.MIN_AXIS_LENGTH)
    assert figure.data[0].text == ("", "▲\xa0\u00d7\xa01.01", "=\xa0\u00d7\xa01.00", "=\xa0\u00d7\xa01.00", "")


def test_the_strongest_items_come_first_and_the_others_are_added_up(explained):
    steps = charts.feature_steps("en", explained, count=10)

    assert steps[0] == charts.Step("Mean of the external scores", 1.25, "0.31", "0.52")
    assert steps[0].label("en") == "Mean of the external scores: 0.31"
    assert len(steps) == 11
    assert steps[-1].label("en") == "7 other data points"
    assert steps[-1].contribution == pytest.approx(-7 * 0.25 / 16)


def test_few_items_leave_no_others(explained):
    assert len(charts.feature_steps("en", explained, count=17)) == 17


@pytest.mark.parametrize("probability", [0.0, 0.02, 0.0909, 0.5, 1.0])
def test_the_risk_scale_is_the_same_for_every_client(decided, probability):
    figure = risk_scale.risk_scale("en", decided.model_copy(update={"probability": probability}))

    left, right = figure.layout.xaxis.range
    assert (left, right) == pytest.approx((math.log(0.005 / 0.995), math.log(0.95 / 0.05)))
    assert left <= figure.data[0].x[0] <= right


def test_review_band_is_a_zone_of_the_scale(decided):
    band = answers.ReviewBand(low=0.05, high=0.2)

    figure = risk_scale.risk_scale("en", decided.model_copy(update={"decision": "review", "review_band": band}))

    zones = [(shape.x0, shape.x1) for shape in figure.layout.shapes if shape.type == "rect"]
    assert zones[1] == pytest.approx((math.log(0.05 / 0.95), math.log(0.2 / 0.8)))
    assert (zones[0][1], zones[2][0]) == zones[1]
    assert [note.text for note in figure.layout.annotations[:3]] == ["granted", "to be reviewed", "refused"]


def test_a_zone_too_narrow_for_its_name_goes_without(decided):
    band = answers.ReviewBand(low=0.085, high=0.095)

    figure = risk_scale.risk_scale("en", decided.model_copy(update={"review_band": band}))

    assert "to be reviewed" not in [note.text for note in figure.layout.annotations]


def test_no_tick_is_written_over_the_threshold(decided):
    figure = risk_scale.risk_scale("en", decided.model_copy(update={"threshold": 0.0909}))

    ticks = [note.text for note in figure.layout.annotations if note.y == -0.3]
    assert ticks == ["1%", "2%", "5%", "20%", "50%", "80%"]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_calibration_chart_has_the_groups_and_their_intervals(language: str):
    groups = [
        CalibrationGroup(clients=50, predicted=predicted, observed=Interval(value=value, low=low, high=high))
        for predicted, value, low, high in ((0.02, 0.03, 0.01, 0.06), (0.3, 0.25, 0.2, 0.31))
    ]

    figure = calibration_chart(language, groups)

    equal, curve = figure.data
    assert list(equal.x) == list(equal.y)
    assert list(curve.x) == pytest.approx([2, 30])
    assert list(curve.y) == pytest.approx([3, 25])
    assert list(curve.error_y.array) == pytest.approx([3, 6])
    assert list(curve.error_y.arrayminus) == pytest.approx([2, 5])
    assert figure.layout.xaxis.range[1] > 31
