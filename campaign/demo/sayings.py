"""What was said in the seeded conversations: each a child's line and the teddy's answer."""

EXCHANGES: tuple[tuple[str, str], ...] = (
    (
        "Tell me a story about a dragon who could not fly.",
        (
            "Once there was a small dragon called Pip, who lived on a hill behind the mill. All the "
            "other dragons could fly, and every morning Pip climbed to the very top, counted to three, "
            "spread both wings and jumped. And every morning Pip landed in the same big heap of leaves, "
            "with the same soft thump, and the hedgehog who slept there said good morning. Shall I tell "
            "you what the hedgehog knew about the wind?"
        ),
    ),
    (
        "Yes! What did the hedgehog know?",
        (
            "The hedgehog knew that the wind comes up the hill when the sun has warmed the valley, not "
            "in the cold of the morning. So the next day they waited together. They ate an apple, they "
            "sang all the songs they knew, and at noon the leaves began to dance. Now, said the "
            "hedgehog. Pip jumped, the wind came, and the small dragon flew once around the mill and "
            "back, and was late for supper."
        ),
    ),
    (
        "Help me with my homework. What is seven times eight?",
        (
            "Let us find it together. Seven times seven is forty-nine, you know that one already. Seven "
            "times eight is one more seven, so we count on from forty-nine: fifty, fifty-one, fifty- "
            "two, fifty-three, fifty-four, fifty-five, fifty-six. So seven times eight makes fifty-six. "
            "A nice way to keep it is five, six, seven, eight. Would you like to try nine times eight "
            "by yourself?"
        ),
    ),
    (
        "Can we play a game?",
        (
            "Oh yes. Let us play I see something that you do not see. I look around the room, and I see "
            "something that is as blue as the sea and as round as a plate. It does not roll, it does "
            "not bounce, and you look at it when you want to know whether it is time for supper. Take "
            "as many guesses as you like, and if it is too hard just say so and I will give you another "
            "hint about where it hangs."
        ),
    ),
)
"""No apostrophes: the lines are written into an SQL statement as they are."""
