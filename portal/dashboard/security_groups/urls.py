from django.urls import include, path

from portal.dashboard.security_groups import views

app_name = "security-groups"
rule_patterns = [
    path("<uuid:pk>/actions/<slug:name>/", views.RuleActionView.as_view(), name="action"),
    path("<uuid:pk>/actions/<slug:name>/why/", views.RuleWhyView.as_view(), name="why"),
    path("<uuid:pk>/actions/<slug:name>/command/", views.RuleCommandView.as_view(), name="command"),
]
urlpatterns = [
    path("", views.ListView.as_view(), name="list"),
    path("new/", views.NewView.as_view(), name="new"),
    path("new/why/", views.WhyNewView.as_view(), name="why-new"),
    path("rules/", include((rule_patterns, "rules"))),
    path("<uuid:pk>/", views.DetailView.as_view(), name="detail"),
    path("<uuid:pk>/rules/new/", views.NewRuleView.as_view(), name="new-rule"),
    path("<uuid:pk>/rules/preview/", views.RulePreviewView.as_view(), name="preview"),
    path("<uuid:pk>/actions/<slug:name>/", views.GroupActionView.as_view(), name="action"),
    path("<uuid:pk>/actions/<slug:name>/why/", views.GroupWhyView.as_view(), name="why"),
    path("<uuid:pk>/actions/<slug:name>/command/", views.GroupCommandView.as_view(), name="command"),
]
