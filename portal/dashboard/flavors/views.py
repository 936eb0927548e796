"""The list of flavors, each with how many more of it the quota allows."""

from django.http import HttpRequest
from django.shortcuts import render

from portal.dashboard.instances.launch import launch_verdict, sizes
from portal.dashboard.kit.pages import PageResponse, PageView


class ListView(PageView):
    def get(self, request: HttpRequest) -> PageResponse:
        return render(request, "flavors/list.html", {"sizes": sizes(self.ctx, None), "launch": launch_verdict(self.ctx)})
