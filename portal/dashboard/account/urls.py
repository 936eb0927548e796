from django.urls import path

from portal.dashboard.account import security, sign_in, views

app_name = "account"
urlpatterns = [
    path("", security.AccountPage.as_view(), name="page"),
    path("password/", security.PasswordView.as_view(), name="password"),
    path("second-factor/", security.FactorOnView.as_view(), name="factor-on"),
    path("second-factor/off/", security.FactorOffView.as_view(), name="factor-off"),
    path("second-factor/recovery-codes/", security.RecoveryCodesView.as_view(), name="recovery-codes"),
    path("sessions/end/", security.SessionEndView.as_view(), name="sessions-end"),
    path("sessions/<slug:handle>/end/", security.SessionEndView.as_view(), name="session-end"),
    path("sign-in/", sign_in.SignInView.as_view(), name="sign-in"),
    path("sign-in/code/", sign_in.CodeView.as_view(), name="code"),
    path("sign-in/password/", sign_in.NewPasswordView.as_view(), name="new-password"),
    path("sign-out/", sign_in.SignOutView.as_view(), name="sign-out"),
    path("project/", views.ProjectView.as_view(), name="project"),
    path("language/", views.LanguageView.as_view(), name="language"),
    path("theme/", views.ThemeView.as_view(), name="theme"),
    path("csrf/", views.CsrfView.as_view(), name="csrf"),
]
