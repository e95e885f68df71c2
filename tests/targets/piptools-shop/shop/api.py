import django_filters
from rest_framework import serializers, viewsets

from shop.models import Product


class ProductFilter(django_filters.FilterSet):
    dearer_than = django_filters.NumberFilter(field_name="price", lookup_expr="gt")

    class Meta:
        model = Product
        fields = ["name"]


class ProductSerializer(serializers.ModelSerializer):
    class Meta:
        model = Product
        fields = ["name", "price"]


class ProductViewSet(viewsets.ReadOnlyModelViewSet):
    queryset = Product.objects.all()
    serializer_class = ProductSerializer
    filterset_class = ProductFilter
