import { randomBytes } from 'node:crypto';

import type { FailureKind } from '../errors/server-error';
import { kindOfMessage } from '../errors/http-failure';
import { parseObject } from '../values';
import { closingTagOnItsOwnLine, ThinkSplitter } from './think-splitter';
import type { ChatAnswer, Timings, ToolCall, ToolCallPiece, Usage, WireChunk } from './types';

export interface AssemblyOptions {
	/** Hold text back until a closing thinking tag decides, see `ThinkSplitter`. */
	openingThinkTagMayBeMissing?: boolean;
	/** Text of a trailing assistant message: servers repeat it at the beginning of the answer. */
	prefill?: string;
	/** Makes an id for a call that has none. Replaced in tests. */
	makeId?: () => string;
}

/** What a step brought: text for the reader, and thinking. */
export interface AssemblyStep {
	text: string;
	reasoning: string;
}

/** Why an answer is no answer. The caller adds URL, model and limits. */
export interface AssemblyFailure {
	kind: FailureKind;
	serverText?: string;
	status?: number;
	tool?: string;
	text: string;
	reasoning: string;
	facts?: Record<string, unknown>;
}

export type AssemblyResult = { answer: ChatAnswer } | { failed: AssemblyFailure };

interface OpenCall {
	key: string;
	id?: string;
	name: string;
	/** Pieces of JSON text, or the object that arrived whole. */
	json: string;
	whole?: Record<string, unknown>;
}

/**
 * Puts an answer together from wire chunks, whichever way they were cut. It has no clock, no socket and no LangChain.
 *
 * Tool calls are kept until the end and checked there: a call that was cut by the token limit, or whose arguments are no JSON object,
 * never leaves this class.
 */
export class Assembly {
	private readonly splitter: ThinkSplitter;
	private readonly calls: OpenCall[] = [];
	private text = '';
	private reasoning = '';
	/** What of the answer equals the prefill so far; undefined once that is settled. */
	private prefillHeld: string | undefined = '';
	/** First halves of characters whose second half has not arrived. */
	private readonly half = { text: '', reasoning: '' };
	private finishReason: string | undefined;
	private usage: Usage | undefined;
	private timings: Timings | undefined;
	private model: string | undefined;
	private done = false;
	private failed: AssemblyFailure | undefined;
	private ollama = false;

	constructor(private readonly options: AssemblyOptions = {}) {
		this.splitter = new ThinkSplitter(options.openingThinkTagMayBeMissing);
	}

	/** Whether anything that the model generated has arrived: then the idle limit counts, not the first-token limit. */
	get started(): boolean {
		return this.receivedText || this.calls.length > 0 || this.finishReason !== undefined;
	}

	private receivedText = false;

	/** Whether the server said why it stopped: then only counts and the end marker may still come. */
	get finished(): boolean {
		return this.finishReason !== undefined && this.failed === undefined;
	}

	/** Whether everything has been said; what follows is ignored. */
	get complete(): boolean {
		return this.done || this.failed !== undefined;
	}

	/** Whether Ollama made this answer, as far as it says so. */
	get isFromOllama(): boolean {
		return this.ollama;
	}

	/** What has arrived so far, for errors that come from elsewhere. */
	get partial(): { text: string; reasoning: string } {
		return { text: this.text, reasoning: this.reasoning };
	}

	/** Whether this model leaves its opening thinking tag out, as seen in this answer. */
	get openingThinkTagMissing(): boolean {
		return (
			this.splitter.openingTagWasMissing ||
			(!this.splitter.foundThinking && this.reasoning === '' && closingTagOnItsOwnLine(this.text) !== undefined)
		);
	}

	push(chunk: WireChunk): AssemblyStep {
		const step: AssemblyStep = { text: '', reasoning: '' };
		if (this.complete) return step;
		if (chunk.error !== undefined) {
			this.fail(chunk.error);
			return step;
		}
		if (chunk.reasoning) {
			this.splitter.thinkingArrivesApart();
			step.reasoning += this.wholeCharacters('reasoning', chunk.reasoning);
		}
		if (chunk.text || chunk.reasoning) this.receivedText = true;
		if (chunk.text) {
			const split = this.splitter.push(this.withoutPrefill(this.wholeCharacters('text', chunk.text)));
			step.text += split.text;
			step.reasoning += split.reasoning;
		}
		if (chunk.toolCalls) this.addToolCalls(chunk.toolCalls);
		if (chunk.usage) this.usage = chunk.usage;
		if (chunk.timings) this.timings = chunk.timings;
		if (chunk.model) this.model = chunk.model;
		if (chunk.fromOllama) this.ollama = true;
		if (chunk.finishReason) this.finishReason = chunk.finishReason;
		if (chunk.done) this.done = true;
		this.text += step.text;
		this.reasoning += step.reasoning;
		return step;
	}

	/** Text that was held back until now. To be called once, at the end of the stream and before `finish`. */
	flush(): AssemblyStep {
		const held = this.splitter.push((this.prefillHeld ?? '') + this.half.text);
		this.prefillHeld = undefined;
		const rest = this.splitter.end();
		const step = { text: held.text + rest.text, reasoning: this.half.reasoning + held.reasoning + rest.reasoning };
		this.half.text = '';
		this.half.reasoning = '';
		this.text += step.text;
		this.reasoning += step.reasoning;
		return step;
	}

	/** The answer, or why there is none. `strayLines`: lines of the body that were no events. */
	finish(strayLines: readonly string[] = []): AssemblyResult {
		if (this.failed !== undefined) return { failed: { ...this.failed, ...this.partial } };
		// [DONE] alone proves nothing: vLLM sends it after an error, and gateways after a lost backend.
		if (this.finishReason === undefined)
			return this.failure('streamEndedEarly', { serverText: strayLines.join('\n') || undefined });
		if (this.finishReason === 'content_filter') return this.failure('filtered');
		// vLLM says so when it gave the request up.
		if (this.finishReason === 'abort' || this.finishReason === 'error')
			return this.failure('streamError', { serverText: `finish_reason: ${this.finishReason}` });
		const toolCalls = this.finishedCalls();
		if ('failed' in toolCalls) return toolCalls;
		const answer: ChatAnswer = {
			text: this.text,
			reasoning: this.reasoning,
			toolCalls: toolCalls.calls,
			finishReason: this.finishReason,
			...(this.usage === undefined ? {} : { usage: this.usage }),
			...(this.timings === undefined ? {} : { timings: this.timings }),
			...(this.model === undefined ? {} : { model: this.model }),
			notes: this.notes(toolCalls.calls),
		};
		if (answer.toolCalls.length === 0 && this.text.trim() === '') {
			return this.failure(this.reasoning.trim() === '' ? 'emptyAnswer' : 'onlyThinking', {
				facts: { finishReason: this.finishReason },
			});
		}
		return { answer };
	}

	private failure(kind: FailureKind, more: Partial<AssemblyFailure> = {}): { failed: AssemblyFailure } {
		const facts = { ...(this.usage === undefined ? {} : { usage: this.usage }), ...more.facts };
		return { failed: { kind, ...more, ...this.partial, facts } };
	}

	private fail({ message, type, status }: NonNullable<WireChunk['error']>): void {
		this.failed = {
			kind: kindOfMessage(message, type) ?? 'streamError',
			serverText: message,
			...(status === undefined ? {} : { status }),
			...this.partial,
		};
	}

	/** Takes the repeated prefill off the beginning; gives everything back as soon as the answer turns out to differ. */
	private withoutPrefill(text: string): string {
		const prefill = this.options.prefill ?? '';
		if (this.prefillHeld === undefined || prefill === '') return text;
		const begin = this.prefillHeld + text;
		this.prefillHeld = prefill.startsWith(begin) && begin !== prefill ? begin : undefined;
		if (this.prefillHeld !== undefined) return '';
		return begin.startsWith(prefill) ? begin.slice(prefill.length) : begin;
	}

	/** Some servers escape an emoji as two halves in two pieces. Half a character is never given out. */
	private wholeCharacters(kind: 'text' | 'reasoning', piece: string): string {
		const all = this.half[kind] + piece;
		this.half[kind] = /[\uD800-\uDBFF]$/.exec(all)?.[0] ?? '';
		return all.slice(0, all.length - this.half[kind].length);
	}

	private addToolCalls(pieces: readonly ToolCallPiece[]): void {
		const touched = new Set<OpenCall>();
		for (const piece of pieces) touched.add(this.addToolCall(piece, touched));
	}

	/**
	 * Pieces belong together by their index on the wire, else by their id; a piece with neither continues the last call, unless it brings
	 * a name of its own. Servers that send every call whole often give all of them index 0.
	 */
	private addToolCall(piece: ToolCallPiece, touched: ReadonlySet<OpenCall>): OpenCall {
		const call = this.callOf(piece, touched);
		call.id ??= piece.id;
		// A parser that revises a name sends the full new one (contract llama-server 3.4): replace, never append.
		if (piece.name !== undefined) call.name = piece.name;
		if (typeof piece.arguments === 'string')
			call.json = isWholeAgain(call, piece.arguments) ? piece.arguments : call.json + piece.arguments;
		else if (piece.arguments !== undefined) call.whole = piece.arguments;
		return call;
	}

	private callOf(piece: ToolCallPiece, touched: ReadonlySet<OpenCall>): OpenCall {
		const { index, id, name } = piece;
		const key = index === undefined ? (id ?? '') : `#${index}`;
		if (piece.complete) return this.openCall(key);
		if (key === '') {
			const last = this.calls.at(-1);
			return last !== undefined && name === undefined ? last : this.openCall(key);
		}
		const found = this.calls.findLast((call) => call.key === key || (index === undefined && call.id === id));
		return found === undefined || isNextCall(piece, found, touched.has(found)) ? this.openCall(key) : found;
	}

	private openCall(key: string): OpenCall {
		const call: OpenCall = { key, name: '', json: '' };
		this.calls.push(call);
		return call;
	}

	private finishedCalls(): { calls: ToolCall[] } | { failed: AssemblyFailure } {
		const taken = new Set<string>();
		const calls: ToolCall[] = [];
		const named = this.calls.filter((call) => call.name !== '' || hasArguments(call));
		for (const call of named) {
			const json = argumentsOf(call);
			// `length` wins over `tool_calls` on the wire, also when the calls are complete: what counts is whether they are. Of a call
			// without any arguments only the last one can have been about to get some.
			const cut =
				this.finishReason === 'length' && !isCompleteCall(call) && (hasArguments(call) || call === named.at(-1));
			if (cut) return this.failure('toolCallCut', { tool: call.name, facts: { toolCalls: this.rawCalls() } });
			if (call.name === '' || parseObject(json) === undefined) {
				return this.failure('toolCallInvalid', { tool: call.name, facts: { toolCalls: this.rawCalls() } });
			}
			const id = call.id !== undefined && !taken.has(call.id) ? call.id : (this.options.makeId ?? makeId)();
			taken.add(id);
			calls.push({ id, name: call.name, arguments: json });
		}
		return { calls };
	}

	private rawCalls(): Array<{ name: string; arguments: string }> {
		return this.calls.map(({ name, json, whole }) => ({
			name,
			arguments: whole === undefined ? json : JSON.stringify(whole),
		}));
	}

	private notes(calls: readonly ToolCall[]): string[] {
		const notes: string[] = [];
		if (this.finishReason === 'length')
			notes.push('The answer was cut off by the token limit. Raise Maximum Tokens or the context of the server.');
		if (calls.length === 0 && /<tool_call>|<\|tool_call|\[TOOL_CALLS\]|<function=/.test(this.text)) {
			notes.push(
				'The answer contains the markup of a tool call that the server did not recognise, so no tool was called. Use a model and chat template with tool support.',
			);
		}
		return notes;
	}
}

/** Tools without parameters are called with nothing, `null`, or `{}`. */
function argumentsOf({ json, whole }: OpenCall): string {
	const text = json.trim();
	// An empty object may only hold the place of the text that follows.
	if (whole !== undefined && (text === '' || Object.keys(whole).length > 0)) return JSON.stringify(whole);
	return text === '' || text === 'null' ? '{}' : text;
}

function hasArguments({ json, whole }: OpenCall): boolean {
	return whole !== undefined || json.trim() !== '';
}

function isCompleteCall(call: OpenCall): boolean {
	return hasArguments(call) && parseObject(argumentsOf(call)) !== undefined;
}

/**
 * The same index or id again with a name, and the call before it complete: a server that numbers nothing, or gives every call the same id.
 * `together`: both came in one chunk, where a server lists different calls.
 */
function isNextCall({ id, name, arguments: args }: ToolCallPiece, before: OpenCall, together: boolean): boolean {
	if (name === undefined) return false;
	const isOtherName = name !== before.name;
	const haveIds = id !== undefined && before.id !== undefined;
	// A call without arguments, unless the name was only revised.
	if (!hasArguments(before)) return isOtherName && (together || (haveIds && id !== before.id));
	if (!isCompleteCall(before)) return false;
	if (haveIds && id !== before.id) return true;
	return args !== undefined && args !== '' && (!haveIds || isOtherName || together);
}

/** The complete arguments sent once more, as some servers do in their last piece. */
function isWholeAgain(call: OpenCall, args: string): boolean {
	return call.json !== '' && args.startsWith('{') && parseObject(args) !== undefined && isCompleteCall(call);
}

function makeId(): string {
	return `call_${randomBytes(12).toString('hex')}`;
}
