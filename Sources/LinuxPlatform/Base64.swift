/// Bytes as text (RFC 4648, section 4), as HTTP's headers have them.
func base64(_ bytes: [UInt8]) -> [UInt8] {
  let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  var text: [UInt8] = []
  var start = 0
  while start < bytes.count {
    var group = 0
    for index in start..<(start + 3) { group = group << 8 | (index < bytes.count ? Int(bytes[index]) : 0) }
    for place in 0..<4 {
      let isPadding = start + place > bytes.count
      text.append(isPadding ? 0x3D : alphabet.utf8Start[group >> (18 - 6 * place) & 63])
    }
    start += 3
  }
  return text
}
