"""Who may open what, as tables. A URL or an operation without a row fails test_permissions.

    yes      let in: the page, its deed, or a form's complaint about what was filled in
    sign-in  sent to the page that signs in
    no       403
    hidden   404, as if it were not there
    gone     410
    token    401, a valid token is needed
    scope    403, the token lacks the scope

Staff may enter the administration and nothing in it; a viewer may see everything in it and change
nothing. The upload, its link, its token and its e-mail address are the owner's.
"""

from __future__ import annotations

PAGES = """
method path                                 anonymous owner   other   staff   superuser
GET    /healthz                             yes       yes     yes     yes     yes
GET    /readyz                              yes       yes     yes     yes     yes
GET    /metrics                             hidden    hidden  hidden  hidden  hidden
POST   /language/                           yes       yes     yes     yes     yes
GET    /                                    yes       yes     yes     yes     yes
GET    /catalogue/                          yes       yes     yes     yes     yes
GET    /catalogue/fill/                     yes       yes     yes     yes     yes
GET    /catalogue/map/                      yes       yes     yes     yes     yes
GET    /catalogue/map.json                  yes       yes     yes     yes     yes
POST   /catalogue/pick/                     yes       yes     yes     yes     yes
GET    /catalogue/{track}/                  yes       yes     yes     yes     yes
GET    /catalogue/{track}/audio/            yes       yes     yes     yes     yes
GET    /catalogue/{track}/strip.png         yes       yes     yes     yes     yes
GET    /catalogue/{withdrawn}/              hidden    hidden  hidden  hidden  hidden
GET    /catalogue/{withdrawn}/audio/        hidden    hidden  hidden  hidden  hidden
GET    /catalogue/{withdrawn}/strip.png     hidden    hidden  hidden  hidden  hidden
POST   /catalogue/{track}/similar/          sign-in   yes     yes     yes     yes
POST   /catalogue/{withdrawn}/similar/      sign-in   hidden  hidden  hidden  hidden
GET    /seeds/                              yes       yes     yes     yes     yes
POST   /seeds/                              sign-in   yes     yes     yes     yes
GET    /uploads/                            sign-in   yes     yes     yes     yes
GET    /uploads/live/                       hidden    yes     yes     yes     yes
GET    /uploads/new/                        sign-in   yes     yes     yes     yes
POST   /uploads/new/                        sign-in   yes     yes     yes     yes
GET    /uploads/map.json                    yes       yes     yes     yes     yes
GET    /uploads/delete/                     sign-in   yes     yes     yes     yes
POST   /uploads/delete/                     sign-in   yes     yes     yes     yes
GET    /uploads/{upload}/                   sign-in   yes     hidden  hidden  hidden
GET    /uploads/{upload}/status/            hidden    yes     hidden  hidden  hidden
GET    /uploads/{upload}/audio/             sign-in   yes     hidden  hidden  hidden
GET    /uploads/{upload}/strip.png          sign-in   yes     hidden  hidden  hidden
GET    /uploads/{upload}/export.json        sign-in   yes     hidden  hidden  hidden
GET    /uploads/{upload}/delete/            sign-in   yes     hidden  hidden  hidden
POST   /uploads/{upload}/delete/            sign-in   yes     hidden  hidden  hidden
POST   /uploads/{upload}/again/             sign-in   yes     hidden  hidden  hidden
POST   /uploads/{upload}/ask/               sign-in   yes     hidden  hidden  hidden
POST   /uploads/{upload}/tell/              sign-in   yes     hidden  hidden  hidden
POST   /uploads/{upload}/feedback/          sign-in   yes     hidden  hidden  hidden
POST   /uploads/{upload}/shares/            sign-in   yes     hidden  hidden  hidden
POST   /uploads/{upload}/shares/{share}/revoke/ sign-in yes   hidden  hidden  hidden
GET    /account/                            sign-in   yes     yes     yes     yes
GET    /account/download/                   sign-in   yes     yes     yes     yes
GET    /account/delete/                     sign-in   yes     yes     yes     yes
POST   /account/delete/                     sign-in   yes     yes     yes     yes
GET    /account/tokens/                     sign-in   yes     yes     yes     yes
POST   /account/tokens/                     sign-in   yes     yes     yes     yes
POST   /account/tokens/{api_token}/revoke/  sign-in   yes     hidden  hidden  hidden
GET    /api/v1/docs                         yes       yes     yes     yes     yes
GET    /api/v1/openapi.json                 yes       yes     yes     yes     yes
GET    /api/v1/problems                     yes       yes     yes     yes     yes
GET    /accounts/email/                     sign-in   yes     yes     yes     yes
GET    /accounts/password/change/           sign-in   yes     yes     yes     yes
GET    /accounts/2fa/                       sign-in   yes     yes     yes     yes
GET    /accounts/2fa/totp/activate/         sign-in   yes     yes     yes     yes
GET    /accounts/2fa/totp/deactivate/       sign-in   hidden  hidden  hidden  hidden
GET    /accounts/2fa/recovery-codes/        sign-in   hidden  hidden  hidden  hidden
GET    /accounts/2fa/recovery-codes/download/ sign-in hidden  hidden  hidden  hidden
GET    /accounts/sessions/                  sign-in   yes     yes     yes     yes
"""

# The holder of a link is nobody in particular; the owner gets no more by it.
LINKS = """
method path                open  expired revoked unknown of-inactive
GET    /s/{link}/          yes   gone    gone    hidden  gone
GET    /s/{link}/audio/    yes   gone    gone    hidden  gone
GET    /s/{link}/strip.png yes   gone    gone    hidden  gone
"""

# `session` is signed in on the site without a token; `other` has a token of every scope.
OPERATIONS = """
method path                            nobody session read   match  admin  other  revoked expired
GET    /api/v1/tracks                  yes    yes     yes    yes    yes    yes    token   token
GET    /api/v1/tracks/{track}          yes    yes     yes    yes    yes    yes    token   token
POST   /api/v1/tracks/{track}/similar  token  token   scope  yes    scope  yes    token   token
GET    /api/v1/uploads                 token  token   yes    scope  scope  yes    token   token
POST   /api/v1/uploads                 token  token   scope  yes    scope  yes    token   token
GET    /api/v1/uploads/{upload}        token  token   yes    scope  scope  hidden token   token
DELETE /api/v1/uploads/{upload}        token  token   scope  yes    scope  hidden token   token
GET    /api/v1/uploads/{upload}/result token  token   yes    scope  scope  hidden token   token
POST   /api/v1/uploads/{upload}/ask    token  token   scope  yes    scope  hidden token   token
GET    /api/v1/versions                token  token   scope  scope  yes    scope  token   token
"""

ADMINISTRATION = """
method path                                     anonymous owner staff viewer superuser
GET    /admin/                                  sign-in   no    yes   yes    yes
GET    /admin/login/                            sign-in   no    yes   yes    yes
POST   /admin/login/                            sign-in   no    yes   yes    yes
GET    /admin/workers/                          sign-in   no    no    yes    yes
GET    /admin/search/                           sign-in   no    yes   yes    yes
GET    /admin/tracks/                           sign-in   no    hidden yes   yes
GET    /admin/tracks/track/                     sign-in   no    no    yes    yes
GET    /admin/tracks/track/add/                 sign-in   no    no    no     yes
GET    /admin/tracks/track/{track}/             sign-in   no    no    yes    yes
GET    /admin/tracks/track/{track}/change/      sign-in   no    no    yes    yes
POST   /admin/tracks/track/{track}/change/      sign-in   no    no    no     yes
GET    /admin/tracks/track/{track}/history/     sign-in   no    no    yes    yes
POST   /admin/tracks/track/{track}/delete/      sign-in   no    no    no     yes
POST   /admin/tracks/track/{track}/withdraw/    sign-in   no    no    no     yes
POST   /admin/tracks/track/{withdrawn}/restore/ sign-in   no    no    no     yes
GET    /admin/tracks/track/import-music/        sign-in   no    no    no     yes
GET    /admin/tracks/track/import/              sign-in   no    no    no     yes
POST   /admin/tracks/track/process_import/      sign-in   no    no    no     yes
GET    /admin/tracks/track/export/              sign-in   no    no    yes    yes
GET    /admin/tracks/job/                       sign-in   no    no    yes    yes
GET    /admin/tracks/job/add/                   sign-in   no    no    no     no
GET    /admin/tracks/job/import/                sign-in   no    no    no     yes
POST   /admin/tracks/job/import/                sign-in   no    no    no     yes
GET    /admin/tracks/job/import-music/          sign-in   no    no    no     yes
GET    /admin/tracks/job/{job}/                 sign-in   no    no    yes    yes
GET    /admin/tracks/job/{job}/change/          sign-in   no    no    yes    yes
GET    /admin/tracks/job/{job}/live/            sign-in   no    no    yes    yes
GET    /admin/tracks/job/{job}/history/         sign-in   no    no    yes    yes
POST   /admin/tracks/job/{job}/delete/          sign-in   no    no    no     no
POST   /admin/tracks/job/{job}/cancel/order/    sign-in   no    no    no     yes
POST   /admin/tracks/job/{job}/explode/order/   sign-in   no    no    no     hidden
GET    /admin/tracks/duplicatepair/             sign-in   no    no    yes    yes
GET    /admin/tracks/duplicatepair/add/         sign-in   no    no    no     no
GET    /admin/tracks/duplicatepair/{pair}/      sign-in   no    no    yes    yes
GET    /admin/tracks/duplicatepair/{pair}/change/  sign-in no   no    yes    yes
GET    /admin/tracks/duplicatepair/{pair}/history/ sign-in no   no    yes    yes
POST   /admin/tracks/duplicatepair/{pair}/delete/  sign-in no   no    no     no
POST   /admin/tracks/duplicatepair/{pair}/keep/ sign-in   no    no    no     yes
POST   /admin/tracks/duplicatepair/{pair}/merge/{track}/ sign-in no no no    yes
GET    /admin/tracks/indexentry/                sign-in   no    no    yes    yes
GET    /admin/tracks/indexentry/overview/       sign-in   no    no    yes    yes
GET    /admin/tracks/indexentry/overview/live/  sign-in   no    no    yes    yes
POST   /admin/tracks/indexentry/overview/{version}/again/ sign-in no no no   yes
GET    /admin/tracks/indexentry/add/            sign-in   no    no    no     no
GET    /admin/tracks/indexentry/{entry}/        sign-in   no    no    yes    yes
GET    /admin/tracks/indexentry/{entry}/change/ sign-in   no    no    yes    yes
GET    /admin/tracks/indexentry/{entry}/history/ sign-in  no    no    yes    yes
POST   /admin/tracks/indexentry/{entry}/delete/ sign-in   no    no    no     no
GET    /admin/tracks/modelversion/              sign-in   no    no    yes    yes
GET    /admin/tracks/modelversion/add/          sign-in   no    no    no     no
GET    /admin/tracks/modelversion/train/        sign-in   no    no    no     yes
POST   /admin/tracks/modelversion/train/        sign-in   no    no    no     yes
GET    /admin/tracks/modelversion/{version}/    sign-in   no    no    yes    yes
GET    /admin/tracks/modelversion/{version}/change/  sign-in no no    yes    yes
GET    /admin/tracks/modelversion/{version}/history/ sign-in no no    yes    yes
POST   /admin/tracks/modelversion/{version}/delete/  sign-in no no    no     no
POST   /admin/tracks/modelversion/{version}/rollback/order/ sign-in no no no yes
POST   /admin/tracks/modelversion/{version}/explode/order/ sign-in no no no  hidden
GET    /admin/matcher/upload/                   sign-in   no    no    yes    yes
POST   /admin/matcher/upload/                   sign-in   no    no    yes    yes
GET    /admin/matcher/upload/add/               sign-in   no    no    no     no
GET    /admin/matcher/upload/{upload}/          sign-in   no    no    yes    yes
GET    /admin/matcher/upload/{upload}/change/   sign-in   no    no    yes    yes
POST   /admin/matcher/upload/{upload}/change/   sign-in   no    no    no     no
GET    /admin/matcher/upload/{upload}/history/  sign-in   no    no    yes    yes
POST   /admin/matcher/upload/{upload}/delete/   sign-in   no    no    no     yes
GET    /admin/matcher/match/                    sign-in   no    no    yes    yes
GET    /admin/matcher/match/add/                sign-in   no    no    no     no
GET    /admin/matcher/match/{match}/            sign-in   no    no    yes    yes
GET    /admin/matcher/match/{match}/change/     sign-in   no    no    yes    yes
GET    /admin/matcher/match/{match}/history/    sign-in   no    no    yes    yes
POST   /admin/matcher/match/{match}/delete/     sign-in   no    no    no     yes
GET    /admin/matcher/feedback/                 sign-in   no    no    yes    yes
GET    /admin/matcher/feedback/export/          sign-in   no    no    yes    yes
GET    /admin/matcher/feedback/add/             sign-in   no    no    no     no
GET    /admin/matcher/feedback/{feedback}/      sign-in   no    no    yes    yes
GET    /admin/matcher/feedback/{feedback}/change/  sign-in no   no    yes    yes
GET    /admin/matcher/feedback/{feedback}/history/ sign-in no   no    yes    yes
POST   /admin/matcher/feedback/{feedback}/delete/  sign-in no   no    no     yes
GET    /admin/api/token/                        sign-in   no    no    yes    yes
GET    /admin/api/token/add/                    sign-in   no    no    no     no
GET    /admin/api/token/{api_token}/            sign-in   no    no    yes    yes
GET    /admin/api/token/{api_token}/change/     sign-in   no    no    yes    yes
GET    /admin/api/token/{api_token}/history/    sign-in   no    no    yes    yes
POST   /admin/api/token/{api_token}/delete/     sign-in   no    no    no     yes
GET    /admin/mfa/authenticator/                sign-in   no    no    yes    yes
GET    /admin/mfa/authenticator/add/            sign-in   no    no    no     no
GET    /admin/mfa/authenticator/{factor}/       sign-in   no    no    yes    yes
GET    /admin/mfa/authenticator/{factor}/change/  sign-in no    no    yes    yes
GET    /admin/mfa/authenticator/{factor}/history/ sign-in no    no    yes    yes
POST   /admin/mfa/authenticator/{factor}/delete/  sign-in no    no    no     yes
GET    /admin/auth/user/                        sign-in   no    no    yes    yes
POST   /admin/auth/user/{person}/password/      sign-in   no    no    no     yes
"""

# Trees of Django's and django-allauth's own, beyond the rows above.
OTHERS = (
    *("admin/auth/", "admin/account/", "admin/r/", "admin/logout/", "admin/password_change/"),
    *(
        "admin/autocomplete/",
        "admin/jsi18n/",
        "admin/(?P<url>",
        "admin/^(?P<app_label>",
        "accounts/",
    ),
)
