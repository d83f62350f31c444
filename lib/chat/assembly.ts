import type { FailureKind } from '../errors/kinds';
import { kindOfMessage } from '../errors/http-failure';
import type { ToolCallMarkup } from '../servers/kinds/kind';
import { canonicalJson, parseObject } from '../values';
import { hasClosingTagOnItsOwnLine, ThinkSplitter } from './think-splitter';
import type { ThinkingSeen } from './thinking-habits';
import { type AssembledCall, ToolCallAssembly } from './tool-call-assembly';
import { TextToolCalls } from './text-tool-calls';
import { ownToolCallIds } from './tool-call-ids';
import type { ChatAnswer, Timings, ToolDefinition, Usage, WireChunk } from './types';

export interface AssemblyOptions {
	/** Hold text back until a closing thinking tag decides, see `ThinkSplitter`. */
	openingThinkTagMayBeMissing?: boolean;
	/** Text of a trailing assistant message: servers repeat it at the beginning of the answer. */
	prefill?: string;
	/** Tools whose calls are read out of the text, see `TextToolCalls`; without them the text stays as it is. */
	toolsInText?: readonly ToolDefinition[];
	/** Gives the calls of the answer ids of our own. Replaced in tests. */
	callIds?: (serverIds: ReadonlyArray<string | undefined>) => string[];
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

/** Reasons of an answer that failed. vLLM says `abort` when it gave the request up. */
const FAILED: ReadonlySet<string> = new Set(['content_filter', 'abort', 'error']);
/** Markup of calls in any of the forms of models: Hermes, Qwen, Llama, Mistral, Kimi, DeepSeek, GLM, MiniMax. */
const UNREAD_CALL =
	/<tool_call>|<\|tool_calls?[|_]|\[TOOL_CALLS\]|<function=|<\|python_tag\|>|<\uFF5Ctool\u2581calls?\u2581begin\uFF5C>|<minimax:tool_call>/;
const CALLS_FOLLOW = /^(?:tool_calls|function_call)$/;

const MIN_REPETITION = 20;

/**
 * Puts an answer together from wire chunks, whichever way they were cut. It has no clock, no socket and no LangChain.
 * Tool calls are kept until the end and checked there.
 */
export class Assembly {
	private readonly splitter: ThinkSplitter;
	private readonly calls = new ToolCallAssembly();
	private readonly textCalls: TextToolCalls;
	private text = '';
	private reasoning = '';
	/** What of the answer equals the prefill so far; undefined once that is settled. */
	private prefillHeld: string | undefined = '';
	/** First halves of characters whose second half has not arrived. */
	private readonly half = { text: '', reasoning: '' };
	private finishReason: string | undefined;
	/** The server went on after it had said why it stopped: then only the end of the stream is the end. */
	private finishedTooEarly = false;
	private countsAtEnd = false;
	private hasDeltas = false;
	private usage: Usage | undefined;
	private timings: Timings | undefined;
	private model: string | undefined;
	private receivedText = false;
	private done = false;
	private failed: AssemblyFailure | undefined;
	private ollama = false;

	constructor(private readonly options: AssemblyOptions = {}) {
		this.splitter = new ThinkSplitter(options.openingThinkTagMayBeMissing);
		this.textCalls = new TextToolCalls(options.toolsInText ?? []);
	}

	/** Whether anything that the model generated has arrived: then the idle limit counts, not the first-token limit. */
	get started(): boolean {
		return this.receivedText || this.calls.begun || this.finishReason !== undefined;
	}

	/**
	 * Whether the server said why it stopped and everything that it announced is there: then only counts and the end
	 * marker may still come.
	 */
	get finished(): boolean {
		if (this.finishReason === undefined || this.finishedTooEarly || this.failed !== undefined) return false;
		return this.finishReason === 'length' || (this.calls.isWhole && !this.missesItsCalls);
	}

	private get missesItsCalls(): boolean {
		return CALLS_FOLLOW.test(this.finishReason ?? '') && !this.calls.begun;
	}

	/** Whether token counts came with the end or behind it, where servers send them: then nothing can be missing. */
	get countsCameLast(): boolean {
		return this.finished && this.countsAtEnd;
	}

	/** Whether everything has been said; what follows is ignored. */
	get complete(): boolean {
		return this.done || this.failed !== undefined;
	}

	/** Whether Ollama made this answer, as far as it says so. */
	get isFromOllama(): boolean {
		return this.ollama;
	}

	/** The markup of calls that were read out of the text; undefined where there were none. */
	get markupInText(): ToolCallMarkup | undefined {
		return this.textCalls.markup;
	}

	/** What has arrived so far, for errors that come from elsewhere. */
	get partial(): { text: string; reasoning: string } {
		return { text: this.text, reasoning: this.reasoning };
	}

	/** How the model marks its thinking, as seen in this answer. */
	get thinkingSeen(): ThinkingSeen {
		const { openingTagWasMissing, foundThinking } = this.splitter;
		const markedThinking = !openingTagWasMissing && (foundThinking || this.reasoning.trim() !== '');
		return {
			markedThinking,
			openingTagMissing: openingTagWasMissing || (!markedThinking && hasClosingTagOnItsOwnLine(this.text)),
		};
	}

	push(chunk: WireChunk): AssemblyStep {
		const step: AssemblyStep = { text: '', reasoning: '' };
		if (this.complete) return step;
		if (chunk.error !== undefined) {
			this.fail(chunk.error);
			return step;
		}
		const content = this.newContent(chunk);
		if (this.finishReason !== undefined && (content.text || content.reasoning || content.toolCalls?.length))
			this.finishedTooEarly = true;
		if (content.reasoning) {
			this.splitter.thinkingArrivesApart();
			step.reasoning += this.wholeCharacters('reasoning', content.reasoning);
		}
		if (content.text || content.reasoning) this.receivedText = true;
		if (content.text) {
			const split = this.splitter.push(this.withoutPrefill(this.wholeCharacters('text', content.text)));
			step.text += this.textCalls.push(split.text);
			step.reasoning += split.reasoning;
		}
		if (content.toolCalls) this.calls.add(content.toolCalls);
		if (chunk.usage) this.usage = chunk.usage;
		if (chunk.timings) this.timings = chunk.timings;
		if (chunk.model) this.model = chunk.model;
		if (chunk.fromOllama) this.ollama = true;
		if (chunk.finishReason) this.finishReason = graver(this.finishReason, chunk.finishReason);
		if (chunk.usage) this.countsAtEnd = this.finishReason !== undefined;
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
		const text =
			this.textCalls.push(held.text + rest.text) +
			this.textCalls.end(this.finishReason === undefined || this.finishReason === 'length');
		const step = { text, reasoning: this.half.reasoning + held.reasoning + rest.reasoning };
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
		if (FAILED.has(this.finishReason))
			return this.failure('streamError', { serverText: `finish_reason: ${this.finishReason}` });
		const calls = this.calls.finish(this.finishReason === 'length');
		if ('failed' in calls) return this.failure(calls.failed.kind, calls.failed);
		const all = [...calls.calls, ...this.callsInText(calls.calls)];
		const ids = (this.options.callIds ?? ownToolCallIds)(all.map(({ id }) => id));
		const toolCalls = all.map((call, index) => ({ ...call, id: ids[index]! }));
		const answer: ChatAnswer = {
			text: this.text,
			reasoning: this.reasoning,
			toolCalls,
			finishReason: this.finishReason,
			...(this.usage === undefined ? {} : { usage: this.usage }),
			...(this.timings === undefined ? {} : { timings: this.timings }),
			...(this.model === undefined ? {} : { model: this.model }),
			notes: this.notes(toolCalls.length),
		};
		if (answer.toolCalls.length === 0 && this.text.trim() === '') {
			return this.failure(this.reasoning.trim() === '' ? 'emptyAnswer' : 'onlyThinking', {
				facts: { finishReason: this.finishReason },
			});
		}
		return { answer };
	}

	/** What a chunk adds. Some servers end a stream of deltas with the whole message, which repeats them. */
	private newContent(chunk: WireChunk): Pick<WireChunk, 'text' | 'reasoning' | 'toolCalls'> {
		if (!chunk.isMessage) {
			if (chunk.text || chunk.reasoning || chunk.toolCalls) this.hasDeltas = true;
			// Some send the whole text once more as the delta of the last chunk. A sentence is long enough to be no chance.
			const repeats =
				chunk.finishReason !== undefined && this.text.length >= MIN_REPETITION && chunk.text === this.text;
			return repeats ? { ...chunk, text: '' } : chunk;
		}
		if (!this.hasDeltas) return chunk;
		this.calls.addRepetition(chunk.toolCalls ?? []);
		return {
			text: this.receivedText ? '' : chunk.text,
			reasoning: this.receivedText ? '' : chunk.reasoning,
		};
	}

	/** Calls in the text that the server did not read as well. */
	private callsInText(read: readonly AssembledCall[]): AssembledCall[] {
		const keyOf = (call: AssembledCall) => canonicalJson([call.name, parseObject(call.arguments)]);
		const known = new Set(read.map(keyOf));
		return this.textCalls.calls.filter((call) => !known.has(keyOf(call)));
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

	private notes(calls: number): string[] {
		const notes: string[] = [];
		if (this.finishReason === 'length')
			notes.push('The answer was cut off by the token limit. Raise Maximum Tokens or the context of the server.');
		if (calls === 0 && UNREAD_CALL.test(this.text)) {
			notes.push(
				'The answer contains the markup of a tool call that the server did not recognise, so no tool was called. Use a model and chat template with tool support.',
			);
		} else if (calls === 0 && CALLS_FOLLOW.test(this.finishReason ?? ''))
			notes.push('The server said that the model called a tool, but sent no call, so no tool was called.');
		return notes;
	}
}

/** The reason that says more about the answer, where a server gives several: some send `stop` after `length`. */
function graver(before: string | undefined, next: string): string {
	return before !== undefined && gravity(before) > gravity(next) ? before : next;
}

function gravity(reason: string): number {
	if (FAILED.has(reason)) return 3;
	return reason === 'length' ? 2 : reason === 'stop' ? 0 : 1;
}
