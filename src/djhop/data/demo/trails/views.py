from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from trails import exports
from trails.models import Trail, Walk


def trail_list(request):
    return render(request, "trails/list.html", {"trails": Trail.objects.filter(open=True)})


def trail_detail(request, slug):
    trail = get_object_or_404(Trail, slug=slug)
    return render(request, "trails/detail.html", {"trail": trail, "walks": trail.walks.all()})


def trail_calendar(request, slug):
    trail = get_object_or_404(Trail, slug=slug)
    return HttpResponse(exports.calendar(trail), content_type="text/calendar")


def walks_csv(request):
    walks = Walk.objects.select_related("trail")
    return HttpResponse(exports.spreadsheet(walks), content_type="text/csv")
