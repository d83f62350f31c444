import { canonicalJson, exactJson, parseJson, parseObject, isRecord } from '../../values';
import { JsonEnd } from '../../http/json-end';
import type { ToolCallPiece } from '../types';

/** A complete call. `id`: the server's; undefined if it sent none, or the same one twice in this answer. */
export interface AssembledCall {
	id?: string;
	name: string;
	/** JSON text of an object. */
	arguments: string;
}

export interface FinishedCalls {
	calls: AssembledCall[];
	/** Numbers that are kept as text, because JavaScript cannot represent them. */
	largeNumbers: string[];
}

export interface CallFailure {
	kind: 'toolCallCut' | 'toolCallInvalid';
	tool: string;
	/** All calls, as far as they had arrived. */
	facts: { toolCalls: Array<{ name: string; arguments: string }> };
}

/** What servers send for no arguments. Some also send it before or after the real arguments. */
const NO_ARGUMENTS: ReadonlySet<string> = new Set(['', 'null', '{}', '""', '[]']);
const MAX_NO_ARGUMENTS = 16;

function isNothing(json: string): boolean {
	return json.length <= MAX_NO_ARGUMENTS && NO_ARGUMENTS.has(json.trim());
}

/** A call that may get more pieces. */
class OpenCall {
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

	/**
	 * Adds a name or a piece of one. Servers send it once, with every piece, in pieces, or again in full when a parser
	 * revises it (docs/protocols/llama-server.md 3.4). The offered names tell which.
	 */
	addName(name: string, offered: readonly string[]): void {
		if (this.name === '' || this.name === name) {
			const isFirst = this.name === '' || offered.includes(name) || this.hasArguments;
			if (!isFirst && offered.some((one) => one.startsWith(this.name + name))) this.name += name;
			else this.name = name;
			return;
		}
		if (this.hasArguments) this.contradicts ||= !name.startsWith(this.name);
		const isPiece = offered.some((one) => one.startsWith(this.name + name));
		const isWhole = offered.includes(name) || name.startsWith(this.name);
		this.name = !this.hasArguments && (isPiece || !isWhole) ? this.name + name : name;
	}

	addArguments(piece: string): void {
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
		const given = this.isClosed ? parseObject(args) : undefined;
		if (given === undefined) return false;
		this.canonical ??= canonicalJson(parseJson(this.json));
		return this.canonical === canonicalJson(given);
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

/**
 * Assembles tool calls from pieces, in all the ways in which servers split and mark them, and checks them at the end: a
 * call that was cut by the token limit, or whose arguments are no JSON object, is never returned.
 *
 * Pieces belong together by index, else by id; a piece with neither continues the last call. Servers that send calls
 * whole often give all of them the same index; others repeat name, id or arguments in every piece.
 */
export class ToolCallAssembly {
	private calls: OpenCall[] = [];
	private readonly byIndex = new Map<string, OpenCall>();
	private readonly byId = new Map<string, OpenCall>();
	private readonly unfinished = new Set<OpenCall>();

	/** @param offered the names of all offered tools */
	constructor(private readonly offered: readonly string[] = []) {}

	/** Whether any call has begun. */
	get begun(): boolean {
		return this.calls.length > 0;
	}

	/** Whether all calls have a name and complete arguments. */
	get isWhole(): boolean {
		return [...this.unfinished].every((call) => this.isEcho(call));
	}

	add(pieces: readonly ToolCallPiece[]): void {
		const touched = new Set<OpenCall>();
		for (const piece of pieces) touched.add(this.addPiece(piece, touched));
	}

	/** Adds the calls of a whole message after their pieces. It replaces them if they were incomplete. */
	addRepetition(pieces: readonly ToolCallPiece[]): void {
		if (pieces.length === 0 || (this.begun && this.isWhole)) return;
		this.calls = [];
		this.byIndex.clear();
		this.byId.clear();
		this.unfinished.clear();
		this.add(pieces);
	}

	/** The checked calls, or the failure of one. `isCut`: the token limit ended the answer. */
	finish(isCut: boolean): FinishedCalls | { failed: CallFailure } {
		const taken = new Set<string>();
		const calls: AssembledCall[] = [];
		const largeNumbers: string[] = [];
		const named = this.calls.filter(
			(call) => (call.name !== '' || call.hasArguments) && !this.isEcho(call),
		);
		for (const call of named) {
			const args = call.finalArguments;
			// Servers send `length`, not `tool_calls`, even if all calls are complete, so that is checked here. Of the calls
			// without arguments, only the last one can be incomplete.
			const incomplete = !call.hasArguments ? call === named.at(-1) : args === undefined;
			if (isCut && incomplete) return this.failure('toolCallCut', call);
			if (call.name === '' || args === undefined || call.contradicts)
				return this.failure('toolCallInvalid', call);
			const { id } = call;
			const isOwn = id !== undefined && !taken.has(id);
			if (isOwn) taken.add(id);
			const exact = exactJson(args);
			for (const number of exact.large) largeNumbers.push(number);
			const json = exact.large.length === 0 ? args : JSON.stringify(exact.value);
			calls.push({ ...(isOwn ? { id } : {}), name: call.name, arguments: json });
		}
		return { calls, largeNumbers };
	}

	private failure(kind: CallFailure['kind'], { name }: OpenCall): { failed: CallFailure } {
		const toolCalls = this.calls.map((call) => ({ name: call.name, arguments: call.json }));
		return { failed: { kind, tool: name, facts: { toolCalls } } };
	}

	private addPiece(piece: ToolCallPiece, touched: ReadonlySet<OpenCall>): OpenCall {
		const args = argumentsText(piece);
		const before = piece.complete ? undefined : this.callBefore(piece);
		const call =
			before === undefined || this.isNextCall(piece, args, before, touched.has(before))
				? this.open(piece)
				: before;
		if (call.id === undefined) call.id = piece.id;
		else if (piece.id !== undefined && piece.id !== call.id) call.idsChange = true;
		if (piece.id !== undefined) this.byId.set(piece.id, call);
		const name = piece.name ?? (call !== before && before?.isNamedAgain ? before.name : undefined);
		if (name !== undefined) call.addName(name, this.offered);
		call.isNamedAgain = piece.name !== undefined && args === '' && call.isClosed;
		call.addArguments(args);
		if (call.isWhole) this.unfinished.delete(call);
		else this.unfinished.add(call);
		return call;
	}

	/** The call that a piece may continue; `isNextCall` decides. */
	private callBefore({ index, id, name }: ToolCallPiece): OpenCall | undefined {
		if (index !== undefined) {
			const known = this.byIndex.get(keyOf(index));
			if (known !== undefined || name !== undefined) return known;
			// The first piece had no index.
			const last = id === undefined ? this.calls.at(-1) : this.byId.get(id);
			return last !== undefined && last.key === undefined ? last : undefined;
		}
		const last = this.calls.at(-1);
		if (id === undefined) return last;
		// An id alone begins no call: SGLang gives every piece a new one (sgl-project/sglang issue 6310).
		return this.byId.get(id) ?? (name === undefined && last?.isWhole === false ? last : undefined);
	}

	/**
	 * Whether a call with only a name repeats its neighbour: MiniMax on NVIDIA NIM ends a call with such a piece, and
	 * servers that give every piece an id begin a call with one.
	 */
	private isEcho(call: OpenCall): boolean {
		if (call.hasArguments) return false;
		const at = this.calls.indexOf(call);
		return [this.calls[at - 1], this.calls[at + 1]].some(
			(other) =>
				other !== undefined && other.key === call.key && other.name === call.name && !other.isEmpty,
		);
	}

	private open({ index }: ToolCallPiece): OpenCall {
		const call = new OpenCall(index === undefined ? undefined : keyOf(index));
		this.calls.push(call);
		if (index !== undefined) this.byIndex.set(keyOf(index), call);
		return call;
	}

	/** Whether a piece with the index or the id of `before` begins a new call: the first rule that applies says so. */
	private isNextCall(
		piece: ToolCallPiece,
		args: string,
		before: OpenCall,
		together: boolean,
	): boolean {
		const comparison = new Comparison(piece, args, before, together, this.offered);
		const [, isNext] = NEXT_CALL_RULES.find(([applies]) => applies(comparison))!;
		return isNext(comparison);
	}
}

/** A piece, and the call that it may continue. */
class Comparison {
	readonly isOtherName: boolean;
	/** Both have an id that can be compared. */
	readonly haveIds: boolean;
	readonly isOtherId: boolean;

	/** @param together both came in one chunk, in which servers list different calls */
	constructor(
		readonly piece: ToolCallPiece,
		readonly args: string,
		readonly before: OpenCall,
		readonly together: boolean,
		private readonly offered: readonly string[],
	) {
		const { id, name } = piece;
		this.isOtherName = name !== undefined && name !== before.name && before.name !== '';
		this.haveIds = id !== undefined && before.id !== undefined && !before.idsChange;
		this.isOtherId = this.haveIds && id !== before.id;
	}

	/** The piece has arguments that the call does not have yet. */
	get hasNewArguments(): boolean {
		return !isNothing(this.args) && !this.before.hasTheseArguments(this.args);
	}

	/** Whether another name is a tool of its own, and not the rest of a name that comes in pieces. */
	get isToolOfItsOwn(): boolean {
		const { piece, before, offered } = this;
		const { name = '', index, id } = piece;
		const hasKey = index !== undefined || id !== undefined;
		const areTools = offered.includes(name) && offered.includes(before.name);
		if (hasKey && !areTools) return false;
		const isRest = offered.some((one) => one.startsWith(before.name + name));
		return !isRest && !name.startsWith(before.name);
	}
}

type Rule = (comparison: Comparison) => boolean;

const NEXT_CALL_RULES: ReadonlyArray<[applies: Rule, isNext: Rule]> = [
	// An id with a name begins a call, whatever the index is (InternLM/lmdeploy issue 3412 numbers every call 0).
	[
		({ before, isOtherId, piece }) => !before.hasArguments && isOtherId && piece.name !== undefined,
		() => true,
	],
	[
		({ before }) => !before.hasArguments,
		({ isOtherName, together, isToolOfItsOwn }) => isOtherName && (together || isToolOfItsOwn),
	],
	// In the middle of the arguments.
	[({ before }) => !before.isClosed && !before.isEmpty, () => false],
	// Home-made servers give all calls one index, and send each name first.
	[
		({ piece, before }) => piece.name === undefined && before.isNamedAgain,
		({ args, hasNewArguments }) => args.trimStart().startsWith('{') && hasNewArguments,
	],
	[
		({ piece }) => piece.name === undefined,
		({ isOtherId, hasNewArguments }) => isOtherId && hasNewArguments,
	],
	[
		({ args }) => args.trim() === '',
		({ isOtherName, isOtherId, before }) => isOtherName || (isOtherId && !before.isEmpty),
	],
	[({ isOtherId, isOtherName, together }) => isOtherId || isOtherName || together, () => true],
	// The same name again. `{}` before or after the arguments is a placeholder (Bedrock behind gateways).
	[
		() => true,
		({ haveIds, before, hasNewArguments }) => !haveIds && !before.isEmpty && hasNewArguments,
	],
];

/** `0` and `"0"` are the same index. */
function keyOf(index: number | string): string {
	return String(index).trim();
}

function argumentsText({ arguments: args = '' }: ToolCallPiece): string {
	return typeof args === 'string' ? args : JSON.stringify(args);
}
