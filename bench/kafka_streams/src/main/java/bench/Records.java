package bench;

/** What the topics hold, as JSON. Public fields: what Jackson reads and writes with the least work. */
final class Records {
    private Records() {
    }

    public static final class Event {
        public String user;
        public double amount;
        public long ts;
    }

    public static final class User {
        public String name;
        public String city;
    }

    public static final class Cents {
        public String user;
        public int cents;
        public long ts;

        static Cents of(Event event) {
            return of(event.user, cents(event), event.ts);
        }

        /** Of two events that met. */
        static Cents of(Event left, Event right) {
            return of(left.user, cents(left) + cents(right), left.ts);
        }

        static Cents of(Event event, User user) {
            return of(user.name, cents(event), event.ts);
        }

        private static int cents(Event event) {
            return (int) (event.amount * 100);
        }

        private static Cents of(String user, int cents, long ts) {
            Cents made = new Cents();
            made.user = user;
            made.cents = cents;
            made.ts = ts;
            return made;
        }
    }

    public static final class Flight {
        public long ts;
        public String origin;
        public String destination;
        public int delay;
        public int distance;
    }

    public static final class Airport {
        public String iata;
        public String city;
        public String state;
    }

    public static final class Delay {
        public String state;
        public int minutes;

        static Delay of(Flight flight, Airport airport) {
            Delay made = new Delay();
            made.state = airport.state;
            made.minutes = flight.delay;
            return made;
        }
    }

    /** What is kept of a state's day. */
    public static final class DelaySums {
        public long flights;
        public long minutes;
        public int worst = Integer.MIN_VALUE;

        DelaySums plus(Delay delay) {
            flights++;
            minutes += delay.minutes;
            worst = Math.max(worst, delay.minutes);
            return this;
        }
    }

    public static final class Delays {
        public long flights;
        public double mean_delay;
        public int worst;

        static Delays of(DelaySums sums) {
            Delays made = new Delays();
            made.flights = sums.flights;
            made.mean_delay = (double) sums.minutes / sums.flights;
            made.worst = sums.worst;
            return made;
        }
    }

    public static final class Count {
        public long count;

        /** Null stays null: a session that was taken into another. */
        static Count of(Long number) {
            if (number == null) {
                return null;
            }
            Count made = new Count();
            made.count = number;
            return made;
        }
    }
}
