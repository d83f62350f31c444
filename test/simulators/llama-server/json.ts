/**
 * JSON of llama-server's library (nlohmann): doubles keep their decimal point (`0.0`, not `0`), and parse errors have the
 * library's texts, compared with the recorded `parse-errors.json`.
 */

/** A floating-point number, which is written with a decimal point. */
export class Float {
	constructor(readonly value: number) {}
}

/** A C++ `float` widened to double: 0.95 becomes 0.949999988079071. */
export const single = (value: number): Float => new Float(Math.fround(value));
export const double = (value: number): Float => new Float(value);

const floatText = (value: number): string => {
	if (!Number.isFinite(value)) return 'null';
	const magnitude = Math.abs(value);
	if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e15)) {
		const [digits = '', exponent = '0'] = value.toExponential().split('e');
		const power = Number(exponent);
		return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
	}
	return Number.isInteger(value) ? `${Object.is(value, -0) ? '-0' : value}.0` : String(value);
};

/** Compact JSON; `undefined` members are left out. */
export const stringify = (value: unknown): string => {
	if (value instanceof Float) return floatText(value.value);
	if (Array.isArray(value)) return `[${value.map(stringify).join(',')}]`;
	if (value !== null && typeof value === 'object') {
		const members = Object.entries(value)
			.filter(([, member]) => member !== undefined)
			.map(([key, member]) => `${JSON.stringify(key)}:${stringify(member)}`);
		return `{${members.join(',')}}`;
	}
	return JSON.stringify(value) ?? 'null';
};

/** nlohmann's name for the type of a value, as in `type must be number, but is string`. */
export const typeName = (value: unknown): string => {
	if (value === null) return 'null';
	if (Array.isArray(value)) return 'array';
	return typeof value === 'object' ? 'object' : typeof value;
};

type Token =
	| 'string literal'
	| 'number literal'
	| 'true literal'
	| 'false literal'
	| 'null literal'
	| "'['"
	| "']'"
	| "'{'"
	| "'}'"
	| "':'"
	| "','"
	| 'end of input'
	| 'error';

const CHECK_INPUT = 'check that your input string or stream contains the expected JSON';
const LITERAL_OR_VALUE = "'[', '{', or a literal";
const CONTROL_NAMES = (
	'NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI ' +
	'DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US'
).split(' ');
const SHORT_ESCAPES: Record<number, string> = {
	8: '\\b',
	9: '\\t',
	10: '\\n',
	12: '\\f',
	13: '\\r',
};
const LONE_HIGH = 'invalid string: surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF';
const LONE_LOW = 'invalid string: surrogate U+DC00..U+DFFF must follow U+D800..U+DBFF';
const BAD_UNICODE = "invalid string: '\\u' must be followed by 4 hex digits";

const hex4 = (code: number): string => code.toString(16).toUpperCase().padStart(4, '0');

/** Scans bytes (as latin1 text): like in the library, positions count bytes. */
class Lexer {
	message = '';
	private at = 0;
	private readTotal = 0;
	private readLine = 0;
	private lines = 0;
	private read = '';
	private current = '';

	constructor(private readonly text: string) {}

	get position(): string {
		return `line ${this.lines + 1}, column ${this.readLine}`;
	}

	get empty(): boolean {
		return this.readTotal === 1;
	}

	get lastRead(): string {
		const escaped = [...this.read]
			.map((char) => (char < ' ' ? `<U+${hex4(char.charCodeAt(0))}>` : char))
			.join('');
		return Buffer.from(escaped, 'latin1').toString('utf8');
	}

	/** The next character; '' at the end, which counts as a column. */
	private get(): string {
		this.readTotal += 1;
		this.readLine += 1;
		this.current = this.text.charAt(this.at);
		this.at += 1;
		this.read += this.current;
		if (this.current === '\n') {
			this.lines += 1;
			this.readLine = 0;
		}
		return this.current;
	}

	private unget(): void {
		this.readTotal -= 1;
		this.at -= 1;
		if (this.readLine === 0) this.lines -= 1;
		else this.readLine -= 1;
		if (this.current !== '') this.read = this.read.slice(0, -1);
	}

	private fail(message: string): Token {
		this.message = message;
		return 'error';
	}

	scan(): Token {
		do this.get();
		while (this.current !== '' && ' \t\n\r'.includes(this.current));
		switch (this.current) {
			case '':
				return 'end of input';
			case '[':
			case ']':
			case '{':
			case '}':
			case ':':
			case ',':
				return `'${this.current}'` as Token;
			case 't':
				return this.literal('true');
			case 'f':
				return this.literal('false');
			case 'n':
				return this.literal('null');
			case '"':
				return this.string();
			default:
				return /[-0-9]/.test(this.current) ? this.number() : this.fail('invalid literal');
		}
	}

	private literal(word: 'true' | 'false' | 'null'): Token {
		for (const char of word.slice(1)) {
			if (this.get() !== char) return this.fail('invalid literal');
		}
		return `${word} literal`;
	}

	private string(): Token {
		this.read = this.current;
		for (;;) {
			const char = this.get();
			if (char === '') return this.fail('invalid string: missing closing quote');
			if (char === '"') return 'string literal';
			if (char < ' ') {
				const code = char.charCodeAt(0);
				const escapes = [`\\u${hex4(code)}`, SHORT_ESCAPES[code]].filter(Boolean).join(' or ');
				const name = `U+${hex4(code)} (${CONTROL_NAMES[code]})`;
				return this.fail(`invalid string: control character ${name} must be escaped to ${escapes}`);
			}
			if (char === '\\') {
				const problem = this.escape();
				if (problem) return this.fail(problem);
			}
		}
	}

	private escape(): string | undefined {
		const char = this.get();
		if (char !== '' && '"\\/bfnrt'.includes(char)) return undefined;
		if (char !== 'u') return 'invalid string: forbidden character after backslash';
		const code = this.codeUnit();
		if (code === undefined) return BAD_UNICODE;
		if (code >= 0xdc00 && code <= 0xdfff) return LONE_LOW;
		if (code < 0xd800 || code > 0xdbff) return undefined;
		if (this.get() !== '\\' || this.get() !== 'u') return LONE_HIGH;
		const low = this.codeUnit();
		if (low === undefined) return BAD_UNICODE;
		return low >= 0xdc00 && low <= 0xdfff ? undefined : LONE_HIGH;
	}

	private codeUnit(): number | undefined {
		let code = 0;
		for (let digit = 0; digit < 4; digit++) {
			const char = this.get();
			if (!/[0-9a-fA-F]/.test(char)) return undefined;
			code = code * 16 + Number.parseInt(char, 16);
		}
		return code;
	}

	private digits(): void {
		while (/[0-9]/.test(this.get()));
	}

	private number(): Token {
		this.read = this.current;
		if (this.current === '-' && !/[0-9]/.test(this.get()))
			return this.fail("invalid number; expected digit after '-'");
		if (this.current === '0') this.get();
		else this.digits();
		if (this.current === '.') {
			if (!/[0-9]/.test(this.get())) return this.fail("invalid number; expected digit after '.'");
			this.digits();
		}
		if (this.current === 'e' || this.current === 'E') {
			const sign = this.get();
			if (sign === '+' || sign === '-') {
				if (!/[0-9]/.test(this.get()))
					return this.fail('invalid number; expected digit after exponent sign');
			} else if (!/[0-9]/.test(sign)) {
				return this.fail("invalid number; expected '+', '-', or digit after exponent");
			}
			this.digits();
		}
		this.unget();
		return 'number literal';
	}
}

/** The error text of nlohmann's parser; undefined if the text is JSON. */
export const parseError = (text: string): string | undefined => {
	const lexer = new Lexer(Buffer.from(text, 'utf8').toString('latin1'));
	const open: Array<'array' | 'object'> = [];
	let token = lexer.scan();

	const at = (): string => `[json.exception.parse_error.101] parse error at ${lexer.position}:`;
	const problem = (context: string, expected?: string): string => {
		const what =
			token === 'error'
				? `${lexer.message}; last read: '${lexer.lastRead}'`
				: `unexpected ${token}`;
		const expectation = expected === undefined ? '' : `; expected ${expected}`;
		return `${at()} syntax error while parsing ${context} - ${what}${expectation}`;
	};
	/** Reads key and colon, up to the first token of the value. */
	const key = (): string | undefined => {
		if (token !== 'string literal') return problem('object key', 'string literal');
		token = lexer.scan();
		if (token !== "':'") return problem('object separator', "':'");
		token = lexer.scan();
		return undefined;
	};

	for (;;) {
		let complete = true;
		if (token === "'{'" || token === "'['") {
			const kind = token === "'{'" ? 'object' : 'array';
			token = lexer.scan();
			if (token !== (kind === 'object' ? "'}'" : "']'")) {
				open.push(kind);
				complete = false;
				const wrong = kind === 'object' ? key() : undefined;
				if (wrong) return wrong;
			}
		} else if (!token.endsWith('literal')) {
			if (token === 'end of input' && lexer.empty) {
				return `${at()} attempting to parse an empty input; ${CHECK_INPUT}`;
			}
			return problem('value', token === 'error' ? undefined : LITERAL_OR_VALUE);
		}
		while (complete) {
			const parent = open.at(-1);
			token = lexer.scan();
			if (parent === undefined)
				return token === 'end of input' ? undefined : problem('value', 'end of input');
			if (token === "','") {
				token = lexer.scan();
				const wrong = parent === 'object' ? key() : undefined;
				if (wrong) return wrong;
				complete = false;
			} else if (token === (parent === 'object' ? "'}'" : "']'")) {
				open.pop();
			} else {
				return problem(parent, parent === 'object' ? "'}'" : "']'");
			}
		}
	}
};
