"""The online notice, for everybody: what is collected, what for, for how long, and who else gets it."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from campaign.demo.housekeeping import KEPT_MS
from campaign.demo.insights import PARTNER

router = APIRouter(tags=["notice"])

DAYS = KEPT_MS // 86_400_000
NOTICE = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Teddy: privacy notice</title></head><body>
<h1>What Teddy does with your child's data</h1>
<p><b>What we collect.</b> Your name and e-mail address; your child's first name, year of birth and interests;
what your child says and does with Teddy. Nothing of it is collected before you consent.</p>
<p><b>What we use it for.</b> To answer your child, and to show you what was said.</p>
<p><b>Audio recordings</b> are turned into words and deleted at once; only the words are stored.</p>
<p><b>How long.</b> Activities are deleted after {DAYS} days, everything else when you delete your child or
your account.</p>
<p><b>Third parties.</b> {PARTNER} learns what your child says, to find out what children like to talk about,
if you consent to that; you need not, and Teddy works as well without. Nobody else is given any of it. You may
invite a guardian, who then sees what you see; our operators see it when you ask them for help.</p>
<p><b>Your rights.</b> You can see, export and delete all of it, and end your consent, at any time.</p>
</body></html>
"""


@router.get("/privacy", response_class=HTMLResponse)
async def notice() -> HTMLResponse:
    """The notice."""
    return HTMLResponse(NOTICE)
