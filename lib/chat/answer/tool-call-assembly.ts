import { failure } from '../../errors/failure';
import { exactJson } from '../../json';
import { append } from '../../values';
import type { ToolCallPiece } from '../types';
import { Comparison, isNextCall } from './next-call';
import { OpenCall } from './open-call';

/**
 * More calls in one answer come from a model that repeats itself. LangChain's work grows with their square, and blocks n8n
 * for seconds from some thousands on.
 */
const MAX_CALLS = 1000;

/** A complete call. `id`: the server's; undefined if it sent none, or the same one twice in this answer. */
export interface AssembledCall {
	id?: string;
	name: string;
	/** JSON text of an object. */
	arguments: string;
}

interface FinishedCalls {
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

	/** @throws {ServerError} for more calls than any answer needs */
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

	/**
	 * The checked calls, or the failure of one. Yields between the calls: all together may have megabytes of arguments.
	 *
	 * @param isCut the token limit ended the answer
	 */
	*finish(isCut: boolean): Generator<void, FinishedCalls | { failed: CallFailure }> {
		const calls = this.calls.filter(
			(call) => (call.name !== '' || call.hasArguments) && !this.isEcho(call),
		);
		const finished = new FinishedList();
		for (const call of calls) {
			yield;
			const args = call.finalArguments;
			const kind = faultIn(call, args, isCut, call === calls.at(-1));
			if (kind !== undefined) return this.failure(kind, call);
			finished.add(call, args);
		}
		return finished;
	}

	private failure(kind: CallFailure['kind'], { name }: OpenCall): { failed: CallFailure } {
		const toolCalls = this.calls.map((call) => ({ name: call.name, arguments: call.json }));
		return { failed: { kind, tool: name, facts: { toolCalls } } };
	}

	private addPiece(piece: ToolCallPiece, touched: ReadonlySet<OpenCall>): OpenCall {
		const args = argumentsText(piece);
		const before = piece.complete ? undefined : this.callBefore(piece);
		const isNext =
			before === undefined ||
			isNextCall(new Comparison(piece, args, before, touched.has(before), this.offered));
		const call = isNext ? this.open(piece) : before;
		const name = piece.name ?? (isNext ? before?.announcedName : undefined);
		call.add({ id: piece.id, name, args }, this.offered);
		if (piece.id !== undefined) this.byId.set(piece.id, call);
		if (call.isWhole) this.unfinished.delete(call);
		else this.unfinished.add(call);
		return call;
	}

	/** The call that a piece may continue; `isNextCall` decides. */
	private callBefore(piece: ToolCallPiece): OpenCall | undefined {
		const last = this.calls.at(-1);
		if (piece.index !== undefined) return this.callAt(keyOf(piece.index), piece);
		if (piece.id === undefined) return last;
		const known = this.byId.get(piece.id);
		if (known !== undefined || piece.name !== undefined) return known;
		// An id alone begins no call: SGLang gives every piece a new one (sgl-project/sglang issue 6310).
		return last?.isWhole === false ? last : undefined;
	}

	private callAt(key: string, { id, name }: ToolCallPiece): OpenCall | undefined {
		const known = this.byIndex.get(key);
		if (known !== undefined || name !== undefined) return known;
		// The first piece had no index.
		const last = id === undefined ? this.calls.at(-1) : this.byId.get(id);
		return last?.key === undefined ? last : undefined;
	}

	/**
	 * Whether a call with only a name repeats its neighbour: MiniMax on NVIDIA NIM ends a call with such a piece, and
	 * servers that give every piece an id begin a call with one.
	 */
	private isEcho(call: OpenCall): boolean {
		if (call.hasArguments) return false;
		const at = this.calls.indexOf(call);
		const neighbours = [this.calls[at - 1], this.calls[at + 1]];
		const { key, name } = call;
		return neighbours.some((one) => one?.key === key && one?.name === name && !one.isEmpty);
	}

	private open({ index }: ToolCallPiece): OpenCall {
		if (this.calls.length >= MAX_CALLS) throw tooManyCalls(this.calls.at(-1)!);
		const call = new OpenCall(index === undefined ? undefined : keyOf(index));
		this.calls.push(call);
		if (index !== undefined) this.byIndex.set(keyOf(index), call);
		return call;
	}
}

function tooManyCalls({ name }: OpenCall) {
	const count = MAX_CALLS.toLocaleString('en');
	return failure(
		'toolCallInvalid',
		{},
		{
			message: `The model called tools more than ${count} times in one answer`,
			meaning: `The model called tools more than ${count} times in one answer, the last time "${name}". The answer was ended there, and none of the calls was run`,
			remedy:
				'The model repeats itself: ask again, set Maximum Tokens, raise the repetition penalty, or use a model with better tool support.',
		},
	);
}

/**
 * Why a call cannot be used.
 *
 * @param args its final arguments
 * @param isLast only the last call can have been cut before its arguments
 */
function faultIn(
	call: OpenCall,
	args: string | undefined,
	isCut: boolean,
	isLast: boolean,
): CallFailure['kind'] | undefined {
	// Servers send `length`, not `tool_calls`, even if all calls are complete.
	const isIncomplete = call.hasArguments ? args === undefined : isLast;
	if (isCut && isIncomplete) return 'toolCallCut';
	const isUsable = call.name !== '' && args !== undefined && !call.contradicts;
	return isUsable ? undefined : 'toolCallInvalid';
}

class FinishedList implements FinishedCalls {
	readonly calls: AssembledCall[] = [];
	readonly largeNumbers: string[] = [];
	private readonly ids = new Set<string>();

	add({ id, name }: OpenCall, args = '{}'): void {
		const { large, value } = exactJson(args);
		append(this.largeNumbers, large);
		const json = large.length === 0 ? args : JSON.stringify(value);
		const isOwnId = id !== undefined && !this.ids.has(id);
		this.calls.push(isOwnId ? { id, name, arguments: json } : { name, arguments: json });
		if (id !== undefined) this.ids.add(id);
	}
}

/** `0` and `"0"` are the same index. */
function keyOf(index: number | string): string {
	return String(index).trim();
}

function argumentsText({ arguments: args = '' }: ToolCallPiece): string {
	return typeof args === 'string' ? args : JSON.stringify(args);
}
