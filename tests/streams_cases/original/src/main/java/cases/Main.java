package cases;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * Answers cases until its input ends: a line of JSON for each, with what Kafka Streams makes of it.
 *
 * <p>An answer has `expected` and `stores`, or `expected_error`, as a recorded case has them; or `unsupported`, where
 * the case asks for what there is no translation of.
 */
public final class Main {
    private Main() {
    }

    public static void main(String[] arguments) throws IOException {
        PrintStream answers = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        System.setOut(System.err); // what libraries print must not come between the answers
        BufferedReader cases = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = cases.readLine()) != null; ) {
            answers.println(Formats.JSON.writeValueAsString(answer(Formats.JSON.readTree(line))));
        }
    }

    private static Map<String, Object> answer(JsonNode declared) throws IOException {
        try (Case running = Case.build(declared)) {
            return running.play(declared.get("inputs"));
        } catch (Case.Rejected rejected) {
            Throwable why = rejected.getCause();
            Map<String, String> told = Map.of(
                "kind", why.getClass().getSimpleName(), "message", String.valueOf(why.getMessage()));
            return Map.of("expected_error", told);
        } catch (UnsupportedOperationException error) {
            return Map.of("unsupported", String.valueOf(error.getMessage()));
        }
    }
}
