/** Reads the answer of a chat: one reader for OpenAI's chunks, onto which Ollama's are mapped. */
import { classifyStreamError, hasError } from '../errors/classify-error';
import type { ErrorType } from '../errors/error-types';
import { TextCount } from '../http/response-body';
import { parseExactJson, parseJson } from '../json';
import {
	asArray,
	isNonEmpty,
	isRecord,
	type JsonRecord,
	asNonEmptyString,
	omitUndefined,
	asRecord,
	asString,
} from '../values';
import { ToolCallAccumulator, parseArguments, type RawToolCall } from './tool-calls';
import {
	parseTextToolCalls,
	getDisplayableLength,
	MAX_UNDECIDED_LENGTH,
	type RejectedTextCall,
} from './text-tool-calls';
import { type TextAndReasoning, ReasoningSplitter } from './reasoning';
import type { Timings, Usage } from './types';
import { parseOpenAiUsage, parseTimings, usageFromTimings } from './usage';

/** A whole answer. */
export interface Completion extends TextAndReasoning {
	toolCalls: RawToolCall[];
	finishReason: string;
	usage?: Usage;
	timings?: Timings;
	/** As the server names it. */
	model?: string;
	/** The calls stood in the text. */
	hasCallsFromText?: true;
	/** What looks like a call in the text, and is none. */
	rejectedCall?: RejectedTextCall;
}

/** Why an answer cannot be used, with what had arrived. The caller adds the address. */
export interface FailedCompletion extends TextAndReasoning {
	type: ErrorType;
	serverText?: string;
	status?: number;
	/** The tool of a call that is broken. */
	tool?: string;
	/** All calls as they arrived. */
	toolCalls?: RawToolCall[];
	finishReason?: string;
	usage?: Usage;
	timings?: Timings;
}

export interface AccumulatorOptions {
	/** Names of the tools that a call in the text may have; none where such calls are left. */
	offeredTools?: readonly string[];
	/** Whether a call stands in what was sent, and is a quotation. */
	isQuoted?(call: RawToolCall): boolean;
	/** The opening tag of the thinking may stand in the prompt. */
	mayStartInReasoning?: boolean;
	/** The begun answer that some servers repeat. */
	prefill?: string;
	/** Maps an event of another API onto OpenAI's chunk. */
	decode?(event: JsonRecord): JsonRecord;
}

const DONE_MARKER = /^\[?DONE\]?$/i;
/** Finish reasons of failed answers. */
const FAILED_FINISH_REASONS: ReadonlyArray<readonly [ErrorType, RegExp]> = [
	['contentFiltered', /^(?:content_filter(?:ed)?|safety)$/i],
	['streamError', /^(?:abort|error|timeout|cancell?ed)$/i],
];

/** Collects an answer from its events, and gives out what can be shown of it. */
export class CompletionAccumulator {
	private readonly split: ReasoningSplitter;
	private readonly count = new TextCount();
	private readonly assembly = new ToolCallAccumulator(this.count);
	/** How many events brought text, thinking or calls. */
	contentEvents = 0;
	private shown = '';
	/** What may become a call. It is apart, so that a piece is looked at without all of the text before it. */
	private undecidedText = '';
	/** Nothing more is shown before the end tells whether it is a call. */
	private isHoldingToolCall = false;
	private reasoning = '';
	private finishReason: string | undefined;
	private isDone = false;
	/** Of the choice that is read. */
	private choiceIndex: number | undefined;
	/** Sent no finish reason, not even null: then only the end of the body tells. */
	private lacksFinishReason = true;
	private failure: Pick<FailedCompletion, 'type' | 'serverText' | 'status'> | undefined;
	private counts: { usage?: Usage; timings?: Timings; model?: string } = {};

	constructor(private readonly options: AccumulatorOptions = {}) {
		this.split = new ReasoningSplitter(options.mayStartInReasoning === true);
	}

	/** Whether only counts and an end marker may follow. */
	get isFinished(): boolean {
		return this.finishReason !== undefined && this.failure === undefined;
	}

	/** Whether further events mean nothing. */
	get isOver(): boolean {
		return this.isDone || this.failure !== undefined || this.assembly.hasTooMany;
	}

	/** What has arrived so far. */
	get partial(): TextAndReasoning {
		const { text: rest, reasoning } = this.split.rest;
		return { text: this.shown + this.undecidedText + rest, reasoning: this.reasoning + reasoning };
	}

	/**
	 * @returns what can be shown now
	 * @throws {TooMuchTextError}
	 */
	push(data: string): TextAndReasoning {
		if (DONE_MARKER.test(data.trim())) this.isDone = true;
		if (this.isOver) return { text: '', reasoning: '' };
		const parsed = parseJson(data);
		// Only arguments of calls have numbers that must not lose a digit. Python writes `NaN`, too.
		const isExact = parsed !== undefined && !data.includes('"tool_calls"');
		const event = isExact ? parsed : parseExactJson(data, parsed).value;
		if (!isRecord(event)) return this.fail('invalidResponse', data);
		const error = errorIn(event);
		if (error !== undefined) return this.failWithServerError(error);
		return this.applyChunk(this.options.decode?.(event) ?? event);
	}

	/**
	 * At the end of the body.
	 *
	 * @param strayLines lines of the body that were no events
	 * @returns what was held back, and the answer or why it cannot be used
	 */
	end(
		strayLines: readonly string[] = [],
	): { rest: TextAndReasoning } & ({ answer: Completion } | { failure: FailedCompletion }) {
		const last = this.split.end();
		this.addText(last.text);
		this.reasoning += last.reasoning;
		const { inText, unrun: rejectedCall } = this.findCallsInText();
		const answerText = inText?.text ?? this.partial.text;
		const rest = { text: answerText.slice(this.shown.length), reasoning: last.reasoning };
		[this.shown, this.undecidedText] = [answerText, ''];
		const calls = inText?.calls ?? this.assembly.calls;
		const failure = this.failureIn(calls, strayLines);
		if (failure !== undefined)
			return { rest, failure: { ...this.partial, ...this.countsField(), ...failure } };
		const toolCalls = calls.map((call) => ({
			...call,
			arguments: parseArguments(call.arguments)!,
		}));
		const { finishReason = 'unknown' } = this;
		const { model } = this.counts;
		const hasCallsFromText = inText === undefined ? undefined : (true as const);
		const facts = omitUndefined({ model, hasCallsFromText, rejectedCall });
		return {
			rest,
			answer: { ...this.partial, toolCalls, finishReason, ...this.countsField(), ...facts },
		};
	}

	/** Calls that stand in the text, where no others came, and the one that is not run. */
	private findCallsInText() {
		const { offeredTools = [], isQuoted = () => false } = this.options;
		if (this.assembly.calls.length > 0 || offeredTools.length === 0) return {};
		const found = parseTextToolCalls(this.partial.text, offeredTools, isQuoted);
		if (found === undefined) return {};
		return 'calls' in found ? { inText: found } : { unrun: found.unrun };
	}

	private applyChunk(chunk: JsonRecord): TextAndReasoning {
		this.takeCounts(chunk);
		const choice = this.choiceIn(chunk);
		if ('finish_reason' in choice) this.lacksFinishReason = false;
		this.finishReason = asNonEmptyString(choice.finish_reason) ?? this.finishReason;
		const message = asRecord(choice.delta ?? choice.message);
		this.assembly.add(message.tool_calls);
		const reasoning = this.takeReasoning(message);
		const content = extractContent(message, choice);
		if (content !== '' || reasoning !== '' || isNonEmpty(message.tool_calls))
			this.contentEvents += 1;
		const { text: shownText, reasoning: split } = this.takeText(content);
		this.count.add(reasoning.length + content.length);
		return { text: shownText, reasoning: reasoning + split };
	}

	/** Only one choice is requested: the first index that comes counts, since some servers count from 1. */
	private choiceIn({ choices }: JsonRecord): JsonRecord {
		const choice = asArray(choices).find((one) => {
			const index = Number(asRecord(one).index ?? 0);
			this.choiceIndex ??= index;
			return index === this.choiceIndex;
		});
		return asRecord(choice);
	}

	/** The field names of llama-server and vLLM, of newer vLLM and Ollama, and of Ollama's own API. */
	private takeReasoning({ reasoning_content, reasoning: newer, thinking }: JsonRecord): string {
		const reasoning =
			asNonEmptyString(reasoning_content) ?? asNonEmptyString(newer) ?? asNonEmptyString(thinking);
		if (reasoning === undefined) return '';
		this.split.ignoreTags();
		// vLLM leaves the opening tag in (seen: 0.32.0).
		const piece = this.reasoning === '' ? reasoning.replace(/^\s*<think>/, '') : reasoning;
		this.reasoning += piece;
		return piece;
	}

	private takeText(piece: string): TextAndReasoning {
		if (piece === '') return { text: '', reasoning: '' };
		const { text: more, reasoning } = this.split.push(this.withoutPrefill(piece));
		this.addText(more);
		this.reasoning += reasoning;
		return { text: this.showable(), reasoning };
	}

	private get hasText(): boolean {
		return this.shown !== '' || this.undecidedText !== '';
	}

	private addText(more: string): void {
		this.undecidedText += this.hasText ? more : more.replace(/^\n+/, '');
	}

	/** Some servers repeat a begun answer; the first piece tells. */
	private withoutPrefill(piece: string): string {
		const { prefill = '' } = this.options;
		const isFirst = !this.hasText && this.reasoning === '';
		return isFirst && prefill !== '' && piece.startsWith(prefill)
			? piece.slice(prefill.length)
			: piece;
	}

	private showable(): string {
		if (this.isHoldingToolCall) return '';
		const { offeredTools = [] } = this.options;
		const to =
			offeredTools.length === 0
				? this.undecidedText.length
				: getDisplayableLength(this.undecidedText, this.shown === '');
		const piece = this.undecidedText.slice(0, to);
		this.undecidedText = this.undecidedText.slice(to);
		this.isHoldingToolCall = to === 0 && this.undecidedText.length > MAX_UNDECIDED_LENGTH;
		this.shown += piece;
		return piece;
	}

	private takeCounts({ usage, timings, model }: JsonRecord): void {
		const counted = parseOpenAiUsage(usage);
		if (counted !== undefined) this.counts.usage = counted;
		if (isRecord(timings)) this.counts.timings = parseTimings(timings);
		this.counts.model = asNonEmptyString(model) ?? this.counts.model;
	}

	private countsField(): { usage?: Usage; timings?: Timings } {
		const { usage, timings } = this.counts;
		return omitUndefined({ usage: usage ?? usageFromTimings(timings), timings });
	}

	private fail(type: ErrorType, serverText: string): TextAndReasoning {
		this.failure = { type, serverText };
		return { text: '', reasoning: '' };
	}

	private failWithServerError(error: string): TextAndReasoning {
		const { type, serverText, status } = classifyStreamError(error);
		this.failure = { type, ...omitUndefined({ serverText, status }) };
		return { text: '', reasoning: '' };
	}

	/** Why the answer cannot be used; undefined for a good one. */
	private failureIn(
		calls: readonly RawToolCall[],
		strayLines: readonly string[],
	): Omit<FailedCompletion, keyof TextAndReasoning> | undefined {
		if (this.failure !== undefined) return this.failure;
		if (this.assembly.hasTooMany) return tooManyCalls(calls);
		return (
			this.failureOfEnd(calls, strayLines) ??
			this.failureOfCalls(calls) ??
			this.failureOfNothing(calls)
		);
	}

	private failureOfEnd(
		calls: readonly RawToolCall[],
		strayLines: readonly string[],
	): Omit<FailedCompletion, keyof TextAndReasoning> | undefined {
		const { finishReason } = this;
		if (finishReason === undefined && !this.canEndWithoutReason(calls, strayLines))
			return { type: 'streamEndedEarly', ...strayFailure(strayLines) };
		const type = FAILED_FINISH_REASONS.find(([, says]) => says.test(finishReason ?? ''))?.[0];
		return type && { type, serverText: `finish_reason: ${finishReason}` };
	}

	/** A server of one's own may tell no reason, only its end. */
	private canEndWithoutReason(
		calls: readonly RawToolCall[],
		strayLines: readonly string[],
	): boolean {
		const hasContent = calls.length > 0 || this.partial.text.trim() !== '';
		return hasContent && strayLines.length === 0 && (this.isDone || this.lacksFinishReason);
	}

	/** A call is run whole or not at all. */
	private failureOfCalls(
		calls: readonly RawToolCall[],
	): Omit<FailedCompletion, keyof TextAndReasoning> | undefined {
		const broken = calls.find(
			(call) => call.name === '' || parseArguments(call.arguments) === undefined,
		);
		if (broken === undefined) return undefined;
		const type = this.finishReason === 'length' ? 'toolCallTruncated' : 'invalidToolCall';
		return { type, tool: broken.name, toolCalls: [...calls] };
	}

	private failureOfNothing(
		calls: readonly RawToolCall[],
	): Omit<FailedCompletion, keyof TextAndReasoning> | undefined {
		if (calls.length > 0 || this.partial.text.trim() !== '') return undefined;
		const type = this.reasoning.trim() === '' ? 'emptyResponse' : 'onlyThinking';
		return { type, ...omitUndefined({ finishReason: this.finishReason }) };
	}
}

function tooManyCalls(
	calls: readonly RawToolCall[],
): Omit<FailedCompletion, keyof TextAndReasoning> {
	const serverText = `more than ${calls.length - 1} tool calls in one response`;
	return { type: 'invalidToolCall', serverText, ...omitUndefined({ tool: calls.at(-1)?.name }) };
}

/** The error in a chunk, as the body of a refusal. */
function errorIn(chunk: JsonRecord): string | undefined {
	const { error, object, detail, choices } = chunk;
	if (hasError(error)) return JSON.stringify({ error });
	if (object === 'error' || (choices === undefined && hasError(detail)))
		return JSON.stringify(chunk);
	// GPUStack in the middle of a stream.
	const { code, message, reason } = chunk;
	const isEnvelope = choices === undefined && typeof code === 'number' && code >= 400;
	return isEnvelope && isText(message ?? reason) ? JSON.stringify(chunk) : undefined;
}

function isText(value: unknown): boolean {
	return asString(value) !== undefined;
}

/** The text of a message, also in parts. */
function extractContent({ content }: JsonRecord, { text: ofCompletion }: JsonRecord): string {
	if (Array.isArray(content))
		return content.map((part: unknown) => asString(asRecord(part).text) ?? '').join('');
	return asString(content) ?? asString(ofCompletion) ?? '';
}

/** The failure in lines of a stream that are no events: the router of llama-server writes `proxy error: …`. */
function strayFailure(
	lines: readonly string[],
): Pick<FailedCompletion, 'serverText'> & { type?: ErrorType } {
	const error = lines.find((line) => {
		const json = parseJson(line);
		return isRecord(json) && errorIn(json) !== undefined;
	});
	if (error === undefined) return omitUndefined({ serverText: lines.join('\n') || undefined });
	const { type, serverText } = classifyStreamError(error);
	return { type, ...omitUndefined({ serverText }) };
}
