import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The API from Java 17, with nothing but the JDK: {@code java Client.java GATEWAY CODE PHOTO}.
 *
 * <p>On Android the same requests go through OkHttp or HttpURLConnection, JSON through org.json; see README.md.
 */
public final class Client {
    private static final int HEADER_BYTES = 16;

    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final String url;
    private String token = "";

    private Client(String url) {
        this.url = url;
    }

    public static void main(String[] arguments) throws Exception {
        Client client = new Client(arguments[0]);
        byte[] photo = Files.readAllBytes(Path.of(arguments[2]));
        client.pair(arguments[1]);
        System.out.println("analyze " + member(client.post("/analyze?max_faces=1", bytes(photo)), "label"));
        System.out.println("stream " + member(client.stream(photo), "label"));
        try {
            client.post("/analyze", bytes("text".getBytes()));
        } catch (IllegalStateException problem) {
            System.out.println("problem " + problem.getMessage());
        }
    }

    /** Exchange a pairing code for a token: once; an app keeps it in its private storage. */
    private void pair(String code) throws Exception {
        String body = "{\"code\":\"" + code + "\",\"name\":\"Java\"}";
        token = member(post("/pair", BodyPublishers.ofString(body)), "token");
    }

    private String post(String path, BodyPublisher body) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + "/api/v1" + path)).POST(body);
        if (!token.isEmpty()) {
            request.header("Authorization", "Bearer " + token);
        }
        var response = http.send(request.build(), BodyHandlers.ofString());
        if (response.statusCode() >= 400) {
            throw new IllegalStateException(member(response.body(), "code"));
        }
        return response.body();
    }

    /** Send one frame through a stream; its result. */
    private String stream(byte[] photo) throws Exception {
        BlockingQueue<String> messages = new LinkedBlockingQueue<>();
        WebSocket socket = http.newWebSocketBuilder()
                .subprotocols("fer.v1")
                .buildAsync(URI.create(url.replaceFirst("^http", "ws") + "/api/v1/stream"), new Listener(messages))
                .join();
        socket.sendText("{\"type\":\"hello\",\"token\":\"" + token + "\",\"options\":{}}", true).join();
        if (expect(messages, "ready").contains("\"window\":0")) {
            expect(messages, "grant"); // a crowded gateway, or one with a cap, drops a frame without a credit
        }
        ByteBuffer frame = ByteBuffer.allocate(HEADER_BYTES + photo.length).order(ByteOrder.LITTLE_ENDIAN);
        frame.put(new byte[] {'F', 'E', 1, 0}).putInt(1).putDouble(0.0).put(photo).flip();
        // The JDK masks a little-endian buffer wrongly: it must see the same bytes in its own order.
        socket.sendBinary(frame.order(ByteOrder.BIG_ENDIAN), true).join();
        String result = expect(messages, "result");
        socket.sendClose(WebSocket.NORMAL_CLOSURE, "").join();
        return result;
    }

    /** The next message of a type; those of other types, an error apart, are left alone. */
    private static String expect(BlockingQueue<String> messages, String type) throws InterruptedException {
        while (true) {
            String message = messages.poll(60, TimeUnit.SECONDS);
            if (message == null || member(message, "type").equals("error")) {
                throw new IllegalStateException("the stream ended: " + message);
            }
            if (member(message, "type").equals(type)) {
                return message;
            }
        }
    }

    private static BodyPublisher bytes(byte[] content) {
        return BodyPublishers.ofByteArray(content);
    }

    /** The first member of this name with a text: enough here, where an app takes a JSON library. */
    private static String member(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\":\"([^\"]*)\"").matcher(json);
        if (!found.find()) {
            throw new IllegalStateException("no `" + name + "` in " + json);
        }
        return found.group(1);
    }

    /** Puts the parts of each message together. */
    private static final class Listener implements WebSocket.Listener {
        private final BlockingQueue<String> messages;
        private final StringBuilder parts = new StringBuilder();

        private Listener(BlockingQueue<String> messages) {
            this.messages = messages;
        }

        @Override
        public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
            parts.append(data);
            if (last) {
                messages.add(parts.toString());
                parts.setLength(0);
            }
            socket.request(1);
            return null;
        }
    }
}
