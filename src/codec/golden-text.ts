/* Test support: JSON cut up without being parsed, so that digits, member order and spelling stay as they were. */

/** The members of an object's text, names parsed, values as raw text. */
export function membersOf(text: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  let at = 1;
  while (text[at] !== '}') {
    if (text[at] === ',') at++;
    const nameEnd = endOf(text, at);
    const end = endOf(text, nameEnd + 1);
    members.set(String(JSON.parse(text.slice(at, nameEnd))), text.slice(nameEnd + 1, end));
    at = end;
  }
  return members;
}

/** The elements of an array's text, as raw text. */
export function elementsOf(text: string): readonly string[] {
  const elements: string[] = [];
  for (let at = 1; at < text.length - 1;) {
    const end = endOf(text, at);
    elements.push(text.slice(at, end));
    at = end + 1;
  }
  return elements;
}

/** Where the value that begins at `at` ends. */
function endOf(text: string, at: number): number {
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    const character = text[i];
    if (character === '"') {
      for (i++; text[i] !== '"'; i++) if (text[i] === '\\') i++;
    } else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    if (depth === 0 && (i + 1 === text.length || /[,:}\]]/.test(text[i + 1] ?? ''))) return i + 1;
  }
  return text.length;
}
