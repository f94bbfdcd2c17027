/// First in, first out, in amortised constant time.
struct Fifo<Element> {
  private var elements: [Element] = []
  private var head = 0

  var count: Int { elements.count - head }
  var isEmpty: Bool { count == 0 }
  var first: Element? { isEmpty ? nil : elements[head] }

  mutating func append(_ element: Element) {
    elements.append(element)
  }

  mutating func popFirst() -> Element? {
    guard !isEmpty else { return nil }
    let element = elements[head]
    head += 1
    if head * 2 >= elements.count {
      elements.removeFirst(head)
      head = 0
    }
    return element
  }

  mutating func change(_ body: (inout Element) -> Void) {
    for index in elements.indices.dropFirst(head) { body(&elements[index]) }
  }

  mutating func remove(where isUnwanted: (Element) -> Bool) {
    elements = elements[head...].filter { !isUnwanted($0) }
    head = 0
  }
}

extension Fifo: Sendable where Element: Sendable {}
