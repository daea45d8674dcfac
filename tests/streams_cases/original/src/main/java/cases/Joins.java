package cases;

import java.time.Duration;
import java.util.function.BiFunction;
import org.apache.kafka.streams.kstream.GlobalKTable;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.KeyValueMapper;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.ValueJoiner;
import org.apache.kafka.streams.kstream.ValueJoinerWithKey;

/** Joins. Which one an op means, the kinds of its two sides say. */
@SuppressWarnings({"rawtypes", "unchecked"}) // what the sides are of, only the case knows
final class Joins {
    private Joins() {
    }

    static Object joined(Op op) {
        Object right = op.handle("right");
        if (op.handle("left") instanceof KTable left) {
            return tables(op, left, (KTable) right);
        }
        KStream left = op.handle("left");
        if (right instanceof GlobalKTable table) {
            return withGlobalTable(op, left, table);
        }
        return right instanceof KStream stream ? streams(op, left, stream) : withTable(op, left, (KTable) right);
    }

    private static ValueJoinerWithKey<Object, Object, Object, Object> joiner(Op op) {
        return Vocabulary.joiner(op.text("joiner", "pair"))::apply;
    }

    /** Of tables, whose joiners are not given the key. */
    private static ValueJoiner<Object, Object, Object> joinerOfValues(Op op) {
        if (op.text("joiner", "pair").equals("key_pair")) {
            throw new UnsupportedOperationException("a joiner with the key in a join of tables");
        }
        Vocabulary.Joiner joiner = Vocabulary.joiner(op.text("joiner", "pair"));
        return (left, right) -> joiner.apply(null, left, right);
    }

    private static Object tables(Op op, KTable left, KTable right) {
        ValueJoiner<Object, Object, Object> joiner = joinerOfValues(op);
        if (op.asksForStore()) {
            Materialized kept = op.materialized();
            return switch (op.name()) {
                case "join" -> left.join(right, joiner, kept);
                case "left_join" -> left.leftJoin(right, joiner, kept);
                default -> left.outerJoin(right, joiner, kept);
            };
        }
        return switch (op.name()) {
            case "join" -> left.join(right, joiner);
            case "left_join" -> left.leftJoin(right, joiner);
            default -> left.outerJoin(right, joiner);
        };
    }

    static Object joinedByForeignKey(Op op) {
        KTable left = op.handle("left");
        KTable right = op.handle("right");
        BiFunction<Object, Object, Object> foreignKey = Vocabulary.key(op.text("fk"));
        Materialized kept = op.materialized();
        return op.name().equals("fk_join")
            ? left.join(right, foreignKey, joinerOfValues(op), kept)
            : left.leftJoin(right, foreignKey, joinerOfValues(op), kept);
    }

    private static Object withGlobalTable(Op op, KStream left, GlobalKTable right) {
        KeyValueMapper<Object, Object, Object> key = Vocabulary.key(op.text("key_fn"))::apply;
        return op.name().equals("join")
            ? left.join(right, key, joiner(op))
            : left.leftJoin(right, key, joiner(op));
    }

    private static Object withTable(Op op, KStream left, KTable right) {
        Joined how = Joined.with(null, new Formats.Values(), null);
        if (op.has("grace")) {
            how = how.withGracePeriod(op.ms("grace"));
        }
        return switch (op.name()) {
            case "join" -> left.join(right, joiner(op), how);
            case "left_join" -> left.leftJoin(right, joiner(op), how);
            default -> throw new UnsupportedOperationException("outer join of a stream with a table");
        };
    }

    private static Object streams(Op op, KStream left, KStream right) {
        StreamJoined how = StreamJoined.with(null, new Formats.Values(), new Formats.Values());
        return switch (op.name()) {
            case "join" -> left.join(right, joiner(op), windows(op), how);
            case "left_join" -> left.leftJoin(right, joiner(op), windows(op), how);
            default -> left.outerJoin(right, joiner(op), windows(op), how);
        };
    }

    private static JoinWindows windows(Op op) {
        if (op.has("difference")) {
            return JoinWindows.ofTimeDifferenceAndGrace(op.ms("difference"), op.ms("grace"));
        }
        Duration before = op.ms("before");
        Duration after = op.ms("after");
        Duration widest = before.compareTo(after) > 0 ? before : after;
        JoinWindows windows =
            JoinWindows.ofTimeDifferenceAndGrace(widest.isNegative() ? Duration.ZERO : widest, op.ms("grace"));
        // Each call checks that the window does not end before it starts: the bound that is not negative comes first.
        return after.isNegative() ? windows.before(before).after(after) : windows.after(after).before(before);
    }
}
