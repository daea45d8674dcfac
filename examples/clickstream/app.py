"""Clicks with what they mean: the product's name, category and price, the campaign that brought the visitor.

    clicks ──> join by product ──> left join by campaign ──┬──> enriched-clicks
    products ──(global)┘                        │          └──> group by campaign ──> count, carts, value
    campaigns ─(global)─────────────────────────┘                [campaigns-so-far]   ──> campaign-results

Products and campaigns are global tables: each worker has all of their rows. So a click is looked up by any field of
it, and stays where it is: by an ordinary table it would go through a topic by product, then through another by
campaign. That is for tables that fit into each worker and change slowly; a click meets the row as the worker has it
at the moment.

    python -m examples.clickstream                an hour of clicks, and which campaign was worth its money

or live:

    headrace dev examples/clickstream/app.py:app
    headrace produce products '{"name": "Tent", "category": "outdoor", "cents": 19900}' --key p1
    headrace produce clicks '{"product": "p1", "action": "cart", "campaign": null}' --key visitor-1
    headrace consume enriched-clicks
"""

from __future__ import annotations

import msgspec

from streams import App, F, count, sum_


class Click(msgspec.Struct):
    product: str
    action: str
    campaign: str | None = None


class Product(msgspec.Struct):
    name: str
    category: str
    cents: int


class Campaign(msgspec.Struct):
    name: str
    channel: str


class ProductClick(msgspec.Struct):
    action: str
    product: str
    category: str
    cents: int
    campaign: str | None


class EnrichedClick(msgspec.Struct):
    action: str
    product: str
    category: str
    cents: int
    campaign: str
    channel: str


def with_product(click: Click, product: Product) -> ProductClick:
    return ProductClick(click.action, product.name, product.category, product.cents, click.campaign)


def with_campaign(click: ProductClick, campaign: Campaign | None) -> EnrichedClick:
    """Most visitors come by themselves: a left join keeps them."""
    name, channel = (campaign.name, campaign.channel) if campaign else ("no campaign", "direct")
    return EnrichedClick(click.action, click.product, click.category, click.cents, name, channel)


app = App("clickstream")

products = app.global_table("products", key=str, value=Product)
campaigns = app.global_table("campaigns", key=str, value=Campaign)

enriched = (
    app.stream("clicks", key=str, value=Click)
    # `on` says what to look up. Clicks on products that are gone from the shop are left out.
    .join(products, with_product, on=F.product)
    .left_join(campaigns, with_campaign, on=F.campaign)
)
enriched.to("enriched-clicks")
(
    enriched.group_by(F.campaign)
    .aggregate(
        clicks=count(),
        carts=sum_((F.action == "cart").cast(int)),
        cents=sum_((F.action == "cart").then(F.cents, 0)),
        store="campaigns-so-far",
    )
    .to_stream()
    .to("campaign-results")
)

if __name__ == "__main__":
    app.run()
