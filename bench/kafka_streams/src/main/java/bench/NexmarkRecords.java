package bench;

/** What the topics of Nexmark hold and what its queries make of it, as JSON. Public fields, as in {@link Records}. */
final class NexmarkRecords {
    private NexmarkRecords() {
    }

    public static final class Person {
        public long id;
        public String name;
        public String emailAddress;
        public String creditCard;
        public String city;
        public String state;
        public long dateTime;
        public String extra;
    }

    public static final class Auction {
        public long id;
        public String itemName;
        public String description;
        public long initialBid;
        public long reserve;
        public long dateTime;
        public long expires;
        public long seller;
        public long category;
        public String extra;
    }

    public static final class Bid {
        public long auction;
        public long bidder;
        public long price;
        public long dateTime;
        public String extra;

        Bid inEuros() {
            Bid made = new Bid();
            made.auction = auction;
            made.bidder = bidder;
            made.price = price * 89 / 100;
            made.dateTime = dateTime;
            made.extra = extra;
            return made;
        }

        /** Of equal ones the first, in whatever order they are compared. */
        static Bid higher(Bid best, Bid other) {
            boolean isHigher =
                    other.price > best.price || (other.price == best.price && other.dateTime < best.dateTime);
            return isHigher ? other : best;
        }
    }

    public static final class AuctionPrice {
        public long auction;
        public long price;

        static AuctionPrice of(Bid bid) {
            AuctionPrice made = new AuctionPrice();
            made.auction = bid.auction;
            made.price = bid.price;
            return made;
        }
    }

    public static final class LocalItem {
        public String name;
        public String city;
        public String state;
        public long auction;

        static LocalItem of(Auction auction, Person seller) {
            LocalItem made = new LocalItem();
            made.name = seller.name;
            made.city = seller.city;
            made.state = seller.state;
            made.auction = auction.id;
            return made;
        }
    }

    /** A bid, and what its auction says of it. */
    public static final class Offer {
        public long category;
        public long seller;
        public long expires;
        public long price;
        public boolean inTime;

        static Offer of(Bid bid, Auction auction) {
            Offer made = new Offer();
            made.category = auction.category;
            made.seller = auction.seller;
            made.expires = auction.expires;
            made.price = bid.price;
            made.inTime = auction.dateTime <= bid.dateTime && bid.dateTime <= auction.expires;
            return made;
        }

        static Offer higher(Offer best, Offer other) {
            return other.price > best.price ? other : best;
        }
    }

    public static final class Totals {
        public long auctions;
        public long total;

        Totals plus(int rows, long price) {
            Totals made = new Totals();
            made.auctions = auctions + rows;
            made.total = total + price;
            return made;
        }
    }

    public static final class Price {
        public long price;

        static Price of(long price) {
            Price made = new Price();
            made.price = price;
            return made;
        }
    }

    public static final class AuctionBids {
        public long auction;
        public long bids;

        static AuctionBids of(long auction, long bids) {
            AuctionBids made = new AuctionBids();
            made.auction = auction;
            made.bids = bids;
            return made;
        }
    }

    public static final class HotItems {
        public long bids;
        public long[] auctions = {};

        HotItems with(AuctionBids other) {
            if (other.bids < bids) {
                return this;
            }
            HotItems made = new HotItems();
            int tied = other.bids == bids ? auctions.length : 0;
            made.bids = other.bids;
            made.auctions = java.util.Arrays.copyOf(auctions, tied + 1);
            made.auctions[tied] = other.auction;
            return made;
        }
    }

    public static final class Sale implements Comparable<Sale> {
        public long expires;
        public long auction;
        public long price;
        public long seller;

        static Sale of(long auction, Offer offer) {
            Sale made = new Sale();
            made.expires = offer.expires;
            made.auction = auction;
            made.price = offer.price;
            made.seller = offer.seller;
            return made;
        }

        @Override
        public int compareTo(Sale other) {
            int byTime = Long.compare(expires, other.expires);
            return byTime != 0 ? byTime : Long.compare(auction, other.auction);
        }
    }

    public static final class NewSeller {
        public long id;
        public String name;
        public long reserve;
        public long joined;
        public long opened;

        static NewSeller of(Person person, Auction auction) {
            NewSeller made = new NewSeller();
            made.id = person.id;
            made.name = person.name;
            made.reserve = auction.reserve;
            made.joined = person.dateTime;
            made.opened = auction.dateTime;
            return made;
        }
    }
}
