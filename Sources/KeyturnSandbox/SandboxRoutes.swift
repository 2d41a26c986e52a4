import Hummingbird

/// The paths of the document, and the only place where HTTP is read and written.
struct SandboxRoutes: Sendable {
    /// A create is a few hundred bytes; whoever sends more gets 413.
    private static let longestBody = 64 * 1024

    let latency: Duration
    let receive: @Sendable (Visit) -> Reply

    func response(to request: Request, over connection: SandboxConnection) async -> Response {
        guard let (operation, id) = route(request) else { return response(.error(404, "No such path")) }
        var request = request
        guard let body = try? await request.collectBody(upTo: Self.longestBody) else {
            return response(.error(413, "The body is longer than 64 KiB"))
        }
        let query = request.uri.queryParameters.map { (String($0.key), String($0.value)) }
        let visit = Visit(
            operation: operation,
            bearer: bearer(request.headers[.authorization]),
            id: id,
            query: Dictionary(query) { first, _ in first },
            body: Array(body.readableBytesView)
        )
        var reply = receive(visit)
        // A server that is told to stop while it waits says nothing any more, as one that is killed.
        if latency > .zero, (try? await Task.sleep(for: latency)) == nil { reply = .cut }
        return await send(reply, to: request, over: connection)
    }

    /// What a method and a path ask for, with the last part of the path where it says which.
    private func route(_ request: Request) -> (SandboxOperation, id: String?)? {
        let path = request.uri.path
        switch (request.method, path) {
        case (.post, "/v1/api-keys"): return (.create, nil)
        case (.get, "/v1/api-keys"): return (.list, nil)
        case (.get, "/v1/models"): return (.models, nil)
        case (.get, "/v1/usage"): return (.usage, nil)
        case (.get, "/v1/usage/logs"): return (.usage, "logs")
        case (.post, "/v1/chat/completions"): return (.chat, nil)
        case (.delete, _) where path.hasPrefix("/v1/api-keys/"): return (.revoke, String(path.dropFirst(13)))
        default: return nil
        }
    }

    private func bearer(_ header: String?) -> String? {
        guard let parts = header?.split(separator: " ", maxSplits: 1), parts.count == 2 else { return nil }
        return parts[0].lowercased() == "bearer" ? String(parts[1]) : nil
    }

    private func send(_ reply: Reply, to request: Request, over connection: SandboxConnection) async -> Response {
        switch reply {
        case .answer(let answer): return response(answer)
        case .bytes(let bytes, let announced): return response(bytes, announced: announced, over: connection)
        case .flood: return flood()
        case .cut: await connection.close()
        case .reset: await connection.reset()
        case .hang:
            // Ends when the client closes its side or the server's task is cancelled.
            try? await request.body.consumeWithCancellationOnInboundClose { _ in try await Task.sleep(for: .seconds(86_400)) }
            await connection.close()
        }
        // The connection is closed: this is for the compiler and reaches nobody.
        return Response(status: .internalServerError)
    }

    private func response(_ answer: Answer) -> Response {
        var headers: HTTPFields = [.contentType: "application/json"]
        if let seconds = answer.retryAfter { headers[.retryAfter] = String(seconds) }
        return Response(
            status: HTTPResponse.Status(code: answer.status),
            headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body.bytes()))
        )
    }

    private func response(_ bytes: [UInt8], announced: Int, over connection: SandboxConnection) -> Response {
        let body = ResponseBody(contentLength: announced) { writer in
            try await writer.write(ByteBuffer(bytes: bytes))
            if announced > bytes.count { await connection.close() }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/json"], body: body)
    }

    private func flood() -> Response {
        let body = ResponseBody { writer in
            try await writer.write(ByteBuffer(string: #"{"data":["#))
            let blanks = ByteBuffer(repeating: UInt8(ascii: " "), count: 64 * 1024)
            for _ in 0..<1024 { try await writer.write(blanks) }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/json"], body: body)
    }
}
