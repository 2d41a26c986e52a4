/// What the status of an answer to a create says about whether something was made.
///
/// Being wrong costs differently. "Nothing was made", said of a token that lives, is an open door that nobody looks for;
/// "unknown", said of nothing, costs a name and an hour of looking. So a status is certain only where the one who says it
/// must have refused the request as such:
///
/// | status | says | why |
/// |---|---|---|
/// | 400, 404, 405, 410, 411, 413, 414, 415, 417, 422, 428, 431 | nothing was made | the request was read and found wanting, or there is nothing at that address |
/// | 401 | nothing was made | the admin token is not accepted |
/// | 402, 403, 451 | nothing was made | refused before it was looked at: balance, capacity, address, firewall |
/// | 409 | nothing was made | it conflicts with what is there. A conflict with our own create would need a proxy that sends a POST twice, which RFC 9110 9.2.2 forbids it; the name was free a moment ago, so what stands there is likely another's, and *unknown* would make it look like ours |
/// | 421, 426 | nothing was made | the wrong server, or the wrong protocol (RFC 9110 15.5.20 and .22) |
/// | 429 | nothing was made, for now | limits stand before the deed |
/// | 301, 307, 308 | nothing was made | the request belongs elsewhere; it is not followed with the admin token |
/// | 2xx | the body decides | 202 and 204 hold no key |
/// | 302, 303 | unknown | 303 follows a deed (RFC 9110 15.4.4), and 302 has been used for it |
/// | 406 | unknown | several frameworks find out after the deed that they cannot write the answer as asked |
/// | 408, 425, 499 | unknown | said by whoever stands between, about time and replays; what was passed on may still be done |
/// | all others, every 5xx | unknown | a proxy's 502 and 504 say nothing about what the server behind it does, a 500 may come after the deed |
enum CreateStatus: Sendable, Equatable {
    case made
    case refused
    case adminRefused
    case tooMany
    case elsewhere
    case unknown

    init(_ status: Int) {
        self =
            switch status {
            case 200...299: .made
            case 301, 307, 308: .elsewhere
            case 401: .adminRefused
            case 429: .tooMany
            case 400, 402, 403, 404, 405, 409, 410, 411, 413, 414, 415, 417, 421, 422, 426, 428, 431, 451: .refused
            default: .unknown
            }
    }
}
