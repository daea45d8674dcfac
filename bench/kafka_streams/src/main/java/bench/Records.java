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
