from django.urls import include, path
from rest_framework.routers import DefaultRouter

from shop.api import ProductViewSet

router = DefaultRouter()
router.register("products", ProductViewSet)
urlpatterns = [path("api/", include(router.urls))]
