import Testing

struct BadSyntaxTests {
  @Test(arguments: syntaxInputs)
  func `what is no YAML, or more YAML than a device file needs, is refused`(input: BadInput) {
    #expect(errors(input.text) == input.errors)
  }

  static let syntaxInputs = [
    BadInput(
      "an empty file", "",
      "1:1: the file is empty"),
    BadInput(
      "nothing but comments", "# nothing\n\n",
      "1:1: the file is empty"),
    BadInput(
      "a document without anything in it", "---\n",
      "2:1: expected keys like 'device: greenhouse', not nothing"),
    BadInput(
      "a word", "hello\n",
      "1:1: expected keys like 'device: greenhouse', not 'hello'"),
    BadInput(
      "a list", "- device: d\n",
      "1:1: expected keys like 'device: greenhouse', not a list"),
    BadInput(
      "a tab as indentation", device("  - relay: fan\n\tline: GPIO17\n"),
      "6:1: a tab; YAML is indented with spaces"),
    BadInput(
      "a tab before the first key", device("\t- relay: fan\n"),
      "5:1: a tab; YAML is indented with spaces"),
    BadInput(
      "a no-break space in the indentation",
      device("  - relay: fan\n    line: GPIO17\n\u{A0}   active: high\n"),
      "7:1: key '\u{A0}   active' has an invisible character"),
    BadInput(
      "a space without width in a key", modules("- relay: fan", "  line: GPIO17", "  acti\u{200B}ve: high"),
      "7:5: key 'acti\u{200B}ve' has an invisible character"),
    BadInput(
      "a key given twice", relay("line: GPIO27"),
      "7:5: key 'line' is given twice, first in line 6"),
    BadInput(
      "a quote without its end", modules("- relay: 'fan", "  line: GPIO17"),
      "7:1: not YAML: found unexpected end of stream (while scanning a quoted scalar that begins in line 5); look at the indentation, quotes and colons before it"
    ),
    BadInput(
      "a bracket without its end", modules("- { relay: fan, line: GPIO17"),
      "6:1: not YAML: did not find expected ',' or '}' (while parsing a flow mapping that begins in line 5); look at the indentation, quotes and colons before it"
    ),
    BadInput(
      "a key without a colon", modules("- relay: fan", "  line GPIO17", "  active: low"),
      "7:5: not YAML: could not find expected ':' (while scanning a simple key that begins in line 6); look at the indentation, quotes and colons before it"
    ),
    BadInput(
      "a wrong indentation", modules("- relay: fan", "   line: GPIO17", "  active: low"),
      "6:10: not YAML: mapping values are not allowed in this context; look at the indentation, quotes and colons before it"
    ),
    BadInput(
      "an anchor", modules("- &fan", "  relay: fan", "  line: GPIO17"),
      "5:5: anchors ('&name') are not supported; write the value out where it is needed"),
    BadInput(
      "an alias", modules("- relay: fan", "  line: *gpio"),
      "6:11: aliases ('*name') are not supported; write the value out"),
    BadInput(
      "an alias as a key", relay("*gpio : 1"),
      "7:5: aliases ('*name') are not supported; write the value out"),
    BadInput(
      "a tag", modules("- relay: !!str fan", "  line: GPIO17"),
      "5:12: unknown tag 'tag:yaml.org,2002:str'; the only one is '!secret NAME'"),
    BadInput(
      "an unknown tag", modules("- relay: fan", "  line: !include line.yaml"),
      "6:11: unknown tag '!include'; the only one is '!secret NAME'"),
    BadInput(
      "a secret that is a list", modules("- relay: fan", "  line: !secret [a]"),
      "6:11: '!secret' without a name; for example !secret mqtt_password"),
    BadInput(
      "a second document", device("  []\n---\ndevice: e\n"),
      "6:1: a second document begins here; keep one document in a file"),
    BadInput(
      "a list as a key", relay("[a, b]: c"),
      "7:5: a key must be a word, not a list"),
    BadInput(
      "a NUL character", modules("- relay: \"f\\0n\"", "  line: GPIO17"),
      "5:12: a text with a NUL character"),
    BadInput(
      "a control character", device("  - relay: fan\u{7}\n"),
      "5:15: not YAML: control characters are not allowed; look at the indentation, quotes and colons before it"
    ),
    BadInput(
      "sixty levels", device("  " + String(repeating: "[", count: 60) + "\n"),
      "5:19: nested deeper than 16 levels"),
    BadInput(
      "an endless text", device("  - relay: " + String(repeating: "x", count: 5000) + "\n    line: GPIO17\n"),
      "5:12: a text longer than 4096 bytes"),
    BadInput(
      "a list of thousands", device("  - [" + String(repeating: "1,", count: 5000) + "]\n"),
      "5:8178: more than 4096 values in one file"),
    BadInput(
      "hundreds of keys", (0..<300).map { "k\($0): v\n" }.joined(),
      "257:1: more than 256 keys in one mapping"),
    BadInput(
      "a file of a megabyte", "#" + String(repeating: "x", count: 1 << 20),
      "1:1: the file is larger than 256 KiB"),
  ]
}
