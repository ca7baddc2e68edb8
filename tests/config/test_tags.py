"""What a choice of tags leaves out, beside tasks: nothing is asked of regions that nobody is in any more."""

from campaign.config.tags import TagChoice, with_tags


def test_regions_without_users_are_left_out(good, read_text, monkeypatch):
    text = (
        good.replace("    wait: 1s..3s\n", "    region: eu\n    wait: 1s..3s\n")
        .replace(
            "data:\n",
            "  far: {region: {us: 1, eu: 1}, tasks: {slow: {tags: [far], steps: [converse]}}}\n"
            "regions: {eu: 20ms, us: 90ms}\ndata:\n",
        )
        .replace("tasks: {converse: 5, login: 1}", "tasks: {near: {tags: [near], steps: [converse]}}")
    )
    campaign = read_text(text)
    seen = []
    settings = type(campaign.phases[0].settings)
    monkeypatch.setattr(settings, "without", lambda self, left: seen.append(left) or self)
    with_tags(campaign, TagChoice(frozenset({"near"})))
    with_tags(campaign, TagChoice(frozenset({"far"})))
    assert [each.regions for each in seen] == [{"us"}, frozenset()]
