package import KeyturnCore
package import KeyturnEngine
import Mustache
import SystemPackage

/// `template`: the file is made from a Mustache text with `{{secret}}` in it, nothing escaped.
///
/// A template says names and comments and nothing else, `{{secret}}`, `{{token}}`, `{{environment}}`, `{{! why }}`: Mustache
/// renders a misspelt name, section or partial as nothing, silently, and a consumer would read half a file.
package struct TemplateFile: Delivery {
    private let file: AtomicFile
    private let template: Format.Template
    private let context: TargetContext

    package static let mostBytes = 1 << 20
    private static let names = ["secret", "token", "environment"]

    package init(_ target: TargetPolicy, template: Format.Template, context: TargetContext) {
        file = AtomicFile(target)
        self.template = template
        self.context = context
    }

    package func preflight() throws(DeliveryError) {
        let content = try render(Secret.sample)
        try file.rehearse { _ in content }
    }

    package func publish(_ secret: borrowing Secret) throws(DeliveryError) {
        let content = try render(secret.plainBytes)
        try file.rewrite { _ in content }
    }

    package func holds(_ secret: borrowing Secret) throws(DeliveryError) -> Bool {
        guard let content = try file.read() else { return false }
        return Secret(bytes: content).matches(Secret(bytes: try render(secret.plainBytes)))
    }

    package func published() throws(DeliveryError) -> Secret? {
        throw DeliveryError("\(file.path): is made from a template, from which the secret cannot be told; name another file")
    }

    package func remove() throws(DeliveryError) {
        try file.rewrite { _ in nil }
    }

    private func render(_ secret: [UInt8]) throws(DeliveryError) -> [UInt8] {
        guard let secret = String(validating: secret, as: UTF8.self) else {
            throw DeliveryError("\(file.path): the secret is no UTF-8, which a template cannot hold; use the format raw")
        }
        let text = try text()
        try check(text)
        do {
            let shown = try TemplateFile.rendered(text, secret: secret, token: context.token.text, environment: context.environment)
            return Array(shown.utf8)
        } catch {
            throw DeliveryError("\(source): is no template that can be read; expected {{secret}} in a text")
        }
    }

    package static func rendered(_ text: String, secret: String, token: String, environment: String) throws -> String {
        // swift-mustache drops white space that ends a text without a line end.
        let rest = String(text.reversed().prefix { $0 == " " || $0 == "\t" }.reversed())
        let template = try MustacheTemplate(string: "{{% CONTENT_TYPE:TEXT}}\n" + text.dropLast(rest.count))
        return template.render(["secret": secret, "token": token, "environment": environment]) + rest
    }

    /// What the template is called in messages.
    private var source: String {
        if case .file(let path) = template { path } else { "\(file.path): its template" }
    }

    private func text() throws(DeliveryError) -> String {
        guard case .file(let path) = template else {
            guard case .text(let text) = template else { return "" }
            return text
        }
        do {
            let file = try OwnedDescriptor.open(toRead: path)
            guard try file.status().type == .regular else {
                throw DeliveryError("\(path): is no regular file, no template can be read from it")
            }
            guard let bytes = try file.readAll(upTo: TemplateFile.mostBytes) else {
                throw DeliveryError("\(path): is larger than \(TemplateFile.mostBytes >> 20) MiB, too large for a template")
            }
            guard let text = String(validating: bytes, as: UTF8.self) else { throw DeliveryError("\(path): is no UTF-8") }
            return text
        } catch let error as DeliveryError {
            throw error
        } catch {
            throw DeliveryError("\(path): the template cannot be read: \(Errno(caught: error))")
        }
    }

    /// Only names that are known, and the secret among them.
    private func check(_ text: String) throws(DeliveryError) {
        var rest = text[...]
        var saysSecret = false
        while let open = rest.firstRange(of: "{{") {
            rest = rest[open.upperBound...]
            let isTriple = rest.hasPrefix("{")
            guard let close = rest.firstRange(of: isTriple ? "}}}" : "}}") else { throw DeliveryError("\(source): {{ without }}") }
            var tag = rest[..<close.lowerBound]
            rest = rest[close.upperBound...]
            if tag.hasPrefix("!") { continue }
            if isTriple || tag.hasPrefix("&") { tag.removeFirst() }
            let name = String(tag.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
            guard TemplateFile.names.contains(name) else {
                throw DeliveryError("\(source): {{\(name)}} is unknown; expected one of \(TemplateFile.names.joined(separator: ", "))")
            }
            saysSecret = saysSecret || name == "secret"
        }
        guard saysSecret else { throw DeliveryError("\(source): never says {{secret}}") }
    }
}
