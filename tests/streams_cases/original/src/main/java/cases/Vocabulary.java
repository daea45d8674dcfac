package cases;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.BiPredicate;
import java.util.stream.LongStream;
import org.apache.kafka.streams.kstream.Windowed;

/** The functions that cases name, as tests/conformance/vocabulary.py has them. Integers are of type Long. */
final class Vocabulary {
    private Vocabulary() {
    }

    interface Joiner {
        Object apply(Object key, Object left, Object right);
    }

    /** NAME or NAME:ARGUMENT. */
    private record Word(String name, String argument) {
        static Word of(String text) {
            int colon = text.indexOf(':');
            return colon < 0 ? new Word(text, "") : new Word(text.substring(0, colon), text.substring(colon + 1));
        }

        long number() {
            return Long.parseLong(argument);
        }

        UnsupportedOperationException unknown(String kind) {
            return new UnsupportedOperationException(kind + " " + name);
        }
    }

    static long num(Object x) {
        if (x == null) {
            return 0;
        }
        return x instanceof Long number ? number : ((String) x).length();
    }

    static String text(Object x) {
        if (x instanceof Windowed<?> windowed) {
            return windowed.key() + "@" + windowed.window().start() + "/" + windowed.window().end();
        }
        return Objects.toString(x);
    }

    private static boolean odd(Object x) {
        return Math.floorMod(num(x), 2L) == 1;
    }

    static BiPredicate<Object, Object> predicate(String text) {
        Word word = Word.of(text);
        return switch (word.name) {
            case "true" -> (k, v) -> true;
            case "false" -> (k, v) -> false;
            case "even" -> (k, v) -> !odd(v);
            case "gt" -> (k, v) -> num(v) > word.number();
            case "lt" -> (k, v) -> num(v) < word.number();
            case "mod" -> {
                String[] numbers = word.argument.split("=");
                long modulus = Long.parseLong(numbers[0]);
                long rest = Long.parseLong(numbers[1]);
                yield (k, v) -> Math.floorMod(num(v), modulus) == rest;
            }
            case "not_null" -> (k, v) -> v != null;
            case "key_is" -> (k, v) -> k != null && text(k).equals(word.argument);
            case "key_null" -> (k, v) -> k == null;
            default -> throw word.unknown("predicate");
        };
    }

    static BiFunction<Object, Object, Object> value(String text) {
        Word word = Word.of(text);
        return switch (word.name) {
            case "identity" -> (k, v) -> v;
            case "num" -> (k, v) -> num(v);
            case "times" -> (k, v) -> num(v) * word.number();
            case "plus" -> (k, v) -> num(v) + word.number();
            case "rem" -> (k, v) -> Math.floorMod(num(v), word.number());
            case "text" -> (k, v) -> text(v);
            case "append" -> (k, v) -> text(v) + word.argument;
            case "with_key" -> (k, v) -> text(k) + "=" + text(v);
            case "null_if_odd" -> (k, v) -> odd(v) ? null : v;
            case "null" -> (k, v) -> null;
            default -> throw word.unknown("value function");
        };
    }

    static BiFunction<Object, Object, Object> key(String text) {
        Word word = Word.of(text);
        return switch (word.name) {
            case "identity" -> (k, v) -> k;
            case "key_mod" -> (k, v) -> Long.toString(Math.floorMod(num(v), word.number()));
            case "value_text" -> (k, v) -> v == null ? null : text(v);
            case "key_text" -> (k, v) -> k == null ? null : text(k);
            case "window_key" -> (k, v) -> k instanceof Windowed<?> windowed ? windowed.key() : k;
            case "prefix" -> (k, v) ->
                k == null ? null : text(k).substring(0, (int) Math.min(word.number(), text(k).length()));
            case "const" -> (k, v) -> word.argument;
            case "null" -> (k, v) -> null;
            case "null_if_odd" -> (k, v) -> odd(v) ? null : k;
            case "before_colon" -> (k, v) -> {
                int colon = v == null ? -1 : text(v).indexOf(':');
                return colon <= 0 ? null : text(v).substring(0, colon);
            };
            default -> throw word.unknown("key function");
        };
    }

    static BiFunction<Object, Object, List<Object>> flat(String text) {
        Word word = Word.of(text);
        return switch (word.name) {
            case "none" -> (k, v) -> List.of();
            case "repeat" -> (k, v) -> Collections.nCopies((int) word.number(), v);
            case "steps" -> (k, v) ->
                new ArrayList<>(LongStream.range(num(v), num(v) + word.number()).boxed().toList());
            case "split" -> (k, v) -> v == null
                ? List.of()
                : new ArrayList<>(Arrays.stream(text(v).split(",")).filter(part -> !part.isEmpty()).toList());
            default -> throw word.unknown("flat function");
        };
    }

    /** Of an aggregate, or what there was before, and a value. */
    static BiFunction<Object, Object, Object> binary(String name) {
        return switch (name) {
            case "sum" -> (a, v) -> num(a) + num(v);
            case "subtract" -> (a, v) -> num(a) - num(v);
            case "count" -> (a, v) -> num(a) + 1;
            case "uncount" -> (a, v) -> num(a) - 1;
            case "concat" -> (a, v) -> text(a) + "+" + text(v);
            case "remove" -> (a, v) -> text(a) + "-" + text(v);
            case "merge" -> (a, v) -> text(a) + "|" + text(v);
            case "csv" -> (a, v) -> text(a) + "," + text(v);
            case "min" -> (a, v) -> a == null ? v : v == null || num(a) <= num(v) ? a : v;
            case "max" -> (a, v) -> a == null ? v : v == null || num(a) >= num(v) ? a : v;
            case "first" -> (a, v) -> a;
            case "last" -> (a, v) -> v;
            case "sum_or_null" -> (a, v) -> nullIfZero(num(a) + num(v));
            case "subtract_or_null" -> (a, v) -> nullIfZero(num(a) - num(v));
            default -> throw new UnsupportedOperationException("binary function " + name);
        };
    }

    private static Object nullIfZero(long number) {
        return number == 0 ? null : number;
    }

    static Joiner joiner(String name) {
        return switch (name) {
            case "pair" -> (k, l, r) -> text(l) + "-" + text(r);
            case "key_pair" -> (k, l, r) -> text(k) + ":" + text(l) + "-" + text(r);
            case "sum" -> (k, l, r) -> num(l) + num(r);
            case "left" -> (k, l, r) -> l;
            case "right" -> (k, l, r) -> r;
            case "pair_or_null" -> (k, l, r) -> num(l) == num(r) ? null : text(l) + "-" + text(r);
            default -> throw new UnsupportedOperationException("joiner " + name);
        };
    }

    static BiFunction<Object, Object, String> topic(String text) {
        Word word = Word.of(text);
        return switch (word.name) {
            case "parity" -> (k, v) -> word.argument + (odd(v) ? "odd" : "even");
            case "by_key" -> (k, v) -> word.argument + text(k);
            default -> throw word.unknown("topic function");
        };
    }
}
