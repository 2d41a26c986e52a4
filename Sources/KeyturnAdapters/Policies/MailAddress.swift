/// What is taken for a mail address: nothing in which a program's option, a second header or a shell's word could hide.
package enum MailAddress {
    package static func isPlausible(_ text: String) -> Bool {
        text.utf8.count <= 254
            && text.wholeMatch(of: /[A-Za-z0-9_.!#$%&'*+\/=?^`{|}~][A-Za-z0-9_.!#$%&'*+\/=?^`{|}~-]*@[A-Za-z0-9][A-Za-z0-9.-]*/) != nil
    }
}
