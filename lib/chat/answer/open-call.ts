import { JsonEnd } from '../../http/json-end';
import { canonicalJson, parseJson, parseObject } from '../../json';
import { isRecord } from '../../values';

/** What servers send for no arguments. Some also send it before or after the real arguments. */
const NO_ARGUMENTS: ReadonlySet<string> = new Set(['', 'null', '{}', '""', '[]']);
const MAX_NO_ARGUMENTS = 16;

export function isNothing(json: string): boolean {
	return json.length <= MAX_NO_ARGUMENTS && NO_ARGUMENTS.has(json.trim());
}

/** What a piece adds to a call. */
interface CallPiece {
	id?: string;
	name?: string;
	args: string;
}

/** Whether a text is a tool's name, or the beginning of one. */
export function isBeginning(text: string, offered: readonly string[]): boolean {
	return offered.some((name) => name.startsWith(text));
}

/** A call that may get more pieces. */
export class OpenCall {
	id: string | undefined;
	name = '';
	json = '';
	/** Its pieces had different ids, so another id does not mean another call. */
	idsChange = false;
	/** Its name came once more, without arguments, when it was whole: the end of the call, or the next one begins. */
	isNamedAgain = false;
	/** Its pieces have contradicting names. */
	contradicts = false;
	private end = new JsonEnd();
	private canonical: string | undefined;

	/** @param key its index, if the server sent one */
	constructor(readonly key: string | undefined) {}

	/** Whether any arguments have arrived, even `{}`. */
	get hasArguments(): boolean {
		return this.json !== '';
	}

	/** Whether the arguments are empty so far. */
	get isEmpty(): boolean {
		return isNothing(this.json);
	}

	/** Whether the arguments are complete, judging by brackets. */
	get isClosed(): boolean {
		return this.end.isComplete;
	}

	get isWhole(): boolean {
		return this.name !== '' && this.hasArguments && (this.isClosed || this.isEmpty);
	}

	/** The name of the next call, if it came at the end of this one. */
	get announcedName(): string | undefined {
		return this.isNamedAgain ? this.name : undefined;
	}

	add({ id, name, args }: CallPiece, offered: readonly string[]): void {
		this.idsChange ||= id !== undefined && this.id !== undefined && id !== this.id;
		this.id ??= id;
		if (name !== undefined) this.addName(name, offered);
		this.isNamedAgain = name !== undefined && args === '' && this.isClosed;
		this.addArguments(args);
	}

	/**
	 * Adds a name or a piece of one. Servers send it once, with every piece, in pieces, or again in full when a parser
	 * revises it (docs/protocols/llama-server.md 3.4). The offered names tell which.
	 */
	private addName(name: string, offered: readonly string[]): void {
		if (this.hasArguments && !name.startsWith(this.name)) this.contradicts = true;
		this.name = this.isRestOfName(name, offered) ? this.name + name : name;
	}

	private isRestOfName(name: string, offered: readonly string[]): boolean {
		if (this.name === '' || this.hasArguments) return false;
		const isTool = offered.includes(name);
		if (isBeginning(this.name + name, offered)) return name !== this.name || !isTool;
		return !isTool && !name.startsWith(this.name);
	}

	private addArguments(piece: string): void {
		if (piece.trim() === '' && (this.isEmpty || this.isClosed)) return;
		if (this.isEmpty) this.begin(piece);
		else if (!this.isClosed) this.append(piece);
		else if (!isNothing(piece)) {
			// The complete arguments again, or a corrected form.
			if (parseObject(piece) === undefined) this.append(piece);
			else this.begin(piece);
		}
	}

	/** Whether the call already has these arguments, in any notation. */
	hasTheseArguments(args: string): boolean {
		const value = this.isClosed ? parseObject(args) : undefined;
		if (value === undefined) return false;
		this.canonical ??= canonicalJson(parseJson(this.json));
		return this.canonical === canonicalJson(value);
	}

	/** The arguments as JSON text of an object; undefined if they are not an object. */
	get finalArguments(): string | undefined {
		const text = this.json.trim();
		if (NO_ARGUMENTS.has(text)) return '{}';
		const value = parseJson(text);
		if (isRecord(value)) return text;
		// Some gateways encode the JSON text as a JSON string.
		return typeof value === 'string' && parseObject(value) !== undefined ? value : undefined;
	}

	private begin(piece: string): void {
		this.json = '';
		this.end = new JsonEnd();
		this.append(piece);
	}

	private append(piece: string): void {
		this.json += piece;
		this.end.push(piece);
		this.canonical = undefined;
	}
}
