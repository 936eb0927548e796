from django.urls import path

from portal.dashboard.account import views

app_name = "account"
urlpatterns = [
    path("sign-in/", views.SignInView.as_view(), name="sign-in"),
    path("sign-out/", views.SignOutView.as_view(), name="sign-out"),
    path("project/", views.ProjectView.as_view(), name="project"),
    path("language/", views.LanguageView.as_view(), name="language"),
    path("theme/", views.ThemeView.as_view(), name="theme"),
    path("csrf/", views.CsrfView.as_view(), name="csrf"),
]
