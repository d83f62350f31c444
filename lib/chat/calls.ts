/** Puts the calls of tools together that a server sends in pieces. */
import { exactJson, parseJson, parseObject } from '../json';
import { asList, isRecord, type JsonRecord, nonEmptyText, recordOf } from '../values';

/**
 * More calls in one answer come from a model that repeats itself. LangChain's work grows with their square, and blocks
 * n8n for seconds from some thousands on.
 */
const MAX_CALLS = 1000;

/** A call as it arrived. */
export interface ReadCall {
	/** The server's. */
	id?: string;
	name: string;
	/** As the model wrote them. */
	arguments: string;
}

/** Pieces belong together by index, else by id; a piece with neither continues the last call. */
export class CallAssembly {
	readonly calls: ReadCall[] = [];
	private readonly byIndex = new Map<unknown, ReadCall>();

	/** Whether there are more calls than any answer needs. */
	get isTooMany(): boolean {
		return this.calls.length > MAX_CALLS;
	}

	/** Takes `tool_calls` of a delta or a message, whatever it is. */
	add(pieces: unknown): void {
		for (const piece of asList(pieces))
			if (isRecord(piece) && !this.isTooMany) this.addPiece(piece);
	}

	private addPiece(piece: JsonRecord): void {
		const fn = isRecord(piece.function) ? piece.function : piece;
		const { index } = piece;
		const id = nonEmptyText(piece.id);
		const name = nonEmptyText(fn.name);
		const before = this.callBefore(index, id, name);
		const call = before ?? { name: '', arguments: '' };
		if (before === undefined) this.calls.push(call);
		if (index !== undefined) this.byIndex.set(String(index), call);
		call.id ??= id;
		call.name ||= cleanName(name ?? '');
		call.arguments += textOf(fn.arguments);
	}

	/** The call that a piece continues; undefined where it begins one. */
	private callBefore(index: unknown, id?: string, name?: string): ReadCall | undefined {
		const byId = id === undefined ? undefined : this.calls.find((call) => call.id === id);
		if (index === undefined) {
			if (byId !== undefined) return byId;
			return id === undefined && name === undefined ? this.calls.at(-1) : undefined;
		}
		const known = this.byIndex.get(String(index));
		// Servers that send calls whole often give all of them the same index.
		const isNext =
			known !== undefined && name !== undefined && known.arguments !== '' && id !== known.id;
		return isNext ? undefined : known;
	}
}

/** gpt-oss leaves tokens of its format in names: `ls<|channel|>commentary` (vllm-project/vllm issue 32587). */
function cleanName(name: string): string {
	return name.split('<|')[0]!.trim();
}

/** Some servers send the object itself. */
function textOf(args: unknown): string {
	if (args === undefined || args === null) return '';
	return typeof args === 'string' ? args : JSON.stringify(args);
}

/**
 * The arguments as JSON text of an object, with numbers that JavaScript cannot hold as texts; undefined where they are no
 * object.
 */
export function argumentsOf(written: string): string | undefined {
	const text = written.trim();
	if (['', 'null', '""', '[]'].includes(text)) return '{}';
	const value = parseJson(text);
	// Some gateways encode the JSON text as a JSON string.
	const json = typeof value === 'string' ? value : text;
	if (parseObject(json) === undefined) return undefined;
	const exact = exactJson(json);
	return exact.large.length === 0 ? json : JSON.stringify(exact.value);
}

/** The names of required arguments that a call lacks. */
export function missingArguments(args: string, parameters: JsonRecord): string[] {
	const given = recordOf(parseJson(args));
	const names = asList(parameters.required).filter((name) => typeof name === 'string');
	return names.filter((name) => !Object.hasOwn(given, name));
}
