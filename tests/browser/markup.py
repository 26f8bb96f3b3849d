"""What strangers may write: markup that would run, marks that would turn or tower over the page, words without an end."""

RUN = "window.__ran=1"
_TAGS = (
    f"<script>{RUN}</script>",
    f"<ScRiPt>{RUN}</sCrIpT>",
    f"<script/x>{RUN}</script>",
    f"<script\n>{RUN}</script\n>",
    f"<<script>{RUN}//<</script>",
    f"</script><script>{RUN}</script>",
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    f"<script>{RUN}<!--",
    "<script src=data:text/javascript,window.__ran=1></script>",
    "<script src=//127.0.0.1:1/x.js></script>",
    f"<script type=module>{RUN}</script>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg><script href=data:,{RUN} /></svg>",
    f"<math><mtext><script>{RUN}</script></mtext></math>",
    f"<template><script>{RUN}</script></template>",
    f"<noscript><p title='</noscript><img src=x onerror={RUN}>'>",
    f"<textarea></textarea><img src=x onerror={RUN}>",
    f"<title></title><img src=x onerror={RUN}>",
    f"<style></style><img src=x onerror={RUN}>",
    f"<xmp></xmp><img src=x onerror={RUN}>",
    f"<iframe src=javascript:parent.{RUN}></iframe>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<object data=javascript:{RUN}></object>",
    f"<embed src=javascript:{RUN}>",
    f"<base href=javascript:{RUN}//>",
    f"<link rel=stylesheet href=javascript:{RUN}>",
    "<link rel=import href=data:text/html,x>",
    f"<meta http-equiv=refresh content='0;url=javascript:{RUN}'>",
    f"<form action=javascript:{RUN}><button>눌러 보세요</button></form>",
    f"<a href=javascript:{RUN}>링크</a>",
    f"<a href='java\tscript:{RUN}'>링크</a>",
    f"<a href='&#106;avascript:{RUN}'>링크</a>",
    f"[링크](javascript:{RUN})",
    f"<isindex type=image src=x onerror={RUN}>",
    f"<math href=javascript:{RUN}>눌러 보세요</math>",
)
_ELEMENTS = (
    "img src=x",
    "svg",
    "body",
    "input autofocus",
    "video src=x",
    "audio src=x",
    "details open",
    "marquee",
    "select autofocus",
)
_EVENTS = "onerror onload onfocus ontoggle onstart onanimationstart onpointerenter".split()
_HANDLERS = tuple(f"<{element} {event}={RUN}>" for element in _ELEMENTS for event in _EVENTS)
_CONTEXTS = (
    f'" onmouseover="{RUN}',
    f"' onfocus='{RUN}' autofocus='",
    f'"><img src=x onerror={RUN}>',
    f"'-{RUN}-'",
    f'\\";{RUN};//',
    f"${{{RUN}}}",
    f"`${{{RUN}}}`",
    f"{{{{constructor.constructor('{RUN}')()}}}}",
    f"<!--><img src=x onerror={RUN}>-->",
    f"<![CDATA[<img src=x onerror={RUN}>]]>",
    f"&lt;script&gt;{RUN}&lt;/script&gt;",
    f"%3Cscript%3E{RUN}%3C/script%3E",
    f"\\u003cscript\\u003e{RUN}\\u003c/script\\u003e",
    f"\ufeff<script>{RUN}</script>",
    f"＜script＞{RUN}＜/script＞",
    "<img src=x:x onerror=&#119;indow.__ran=1>",
    f"<svg/onload={RUN}//",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
    f"<svg><set onbegin={RUN} attributeName=x>",
    f"<svg><a xlink:href=javascript:{RUN}><text y=20>눌러 보세요</text></a></svg>",
    f"<div style=background:url(javascript:{RUN})>",
    f"<div style=width:expression({RUN})>",
    "<style>*{background:url(http://127.0.0.1:1/x)}</style>",
    "<style>body{display:none}</style>",
    "__proto__",
    "constructor",
    '{"k":"gone","id":1}',
    "]]>\u2028\u2029]",
)
_TURNS = (
    "\u202e거꾸로 쓴 글\u202c 그 뒤",
    "\u202e" * 50 + "끝나지 않는 방향 바꿈",
    "\u2067שלום\u2069 \u200fمرحبا\u200e",
    "가\u061c\u2066나\u2067다\u2068라",
    "\u202d\u202e\u202a\u202b섞인 방향",
)
_TOWERS = (
    "".join(letter + "\u0301\u0336\u0489\u20dd" * 4 for letter in "높이쌓은글자입니다"),
    "Z" + "\u0351\u0301\u0300\u0302" * 60 + "algo",
    "ก" + "็" * 200,
    "𒐫" * 40,
    "﷽" * 20,
    "꧅" * 40,
)
_ENDLESS = (
    "W" * 300,
    "가" * 300,
    "https://example.invalid/" + "a" * 270,
    "👨‍👩‍👧‍👦" * 40,
    "줄\n" * 100 + "바꿈",
    "-" * 300,
    "ㅋ" * 300,
)

CORPUS = tuple(dict.fromkeys((*_TAGS, *_HANDLERS, *_CONTEXTS, *_TURNS, *_TOWERS, *_ENDLESS)))
SHORT = f"<script>{RUN}</script>"
"""Fits into a name."""
PICTURE = f"<img src=x onerror={RUN}>"
