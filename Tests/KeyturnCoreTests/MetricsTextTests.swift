import KeyturnCore
import Testing

struct MetricsTextTests {
    @Test func `a family is told once, with its series, escaped`() {
        var metrics = MetricsText()
        metrics.add("a_total", .counter, "What \\ it\nis.", [([("x", "a\"b\\c\nd"), ("y", "")], 3), ([], 1.5)])
        metrics.add("b", .gauge, "B.", 1_795_548_785)
        metrics.add("c", .gauge, "C.", nil)
        metrics.add("d", .gauge, "D.", [])
        #expect(
            metrics.text == """
                # HELP a_total What \\\\ it\\nis.
                # TYPE a_total counter
                a_total{x="a\\"b\\\\c\\nd",y=""} 3
                a_total 1.5
                # HELP b B.
                # TYPE b gauge
                b 1795548785

                """)
    }
}
