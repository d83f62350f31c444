/** Reads a streamed chat completion from OpenAI's chunks, to which Ollama's are mapped. */
import type { PartialOutput } from '../../exchange/attempt';
import { TextCount } from '../../http/body-limits';
import { withoutEndMarks } from '../../text/end-marks';
import type { TextAndReasoning } from '../../text/reasoning';
import { ReasoningSplitter } from '../../text/reasoning';
import { ReasoningField } from '../../text/reasoning-field';
import { RunawayDetector } from '../../text/runaway';
import { decideTextCalls } from '../../text/calls/decide-text-calls';
import type { TextCallDecision } from '../../text/calls/decide-text-calls';
import { getDisplayableLength, MAX_UNDECIDED_LENGTH } from '../../text/calls/displayable-length';
import type { QuotationCheck } from '../../text/calls/quotations';
import { withoutStrayEnds } from '../../text/calls/stray-ends';
import type { RawToolCall } from '../../text/calls/types';
import { findIgnoredCall } from '../../text/calls/unread-calls';
import type { JsonRecord } from '../../values/records';
import { asArray, asNonEmptyString, asRecord, isNonEmpty, isRecord } from '../../values/records';
import { parseCutJson } from '../../values/cut-json';
import { parseJson } from '../../values/json';
import {
	extractMessage,
	extractReasoning,
	findEventFailure,
	findFinishFailure,
	flattenText,
	parseEvent,
	toContentText,
	parseFinishReason,
} from './parse-chunk';
import { LogprobList } from './logprobs';
import { MAX_TOOL_CALLS, ToolCallAccumulator } from './tool-call-accumulator';
import { normalizeArguments } from '../tools/arguments';
import type { Completion, CompletionFailure } from '../completion';
import type { Timings, Usage } from '../chat-result';
import { parseOpenAiUsage, parseTimings, usageFromTimings } from './usage';

/** What is known about a response before it arrives. */
export interface AccumulatorOptions {
	/**
	 * Names by which a text may call tools, also unoffered ones and without the prefix of an MCP client; empty if calls in
	 * text are ignored.
	 */
	callableNames?: readonly string[];
	/** Whether a call is quoted from the request. Default: none is. */
	findQuotation?: QuotationCheck;
	/** Whether the prompt may contain the opening tag of the thinking. */
	mayStartInReasoning?: boolean;
	/** Whether the request mentions the tags of thinking. Then a tag after separate thinking is text. */
	mentionsTags?: boolean;
	/** Start of the response in the request, which some servers repeat. */
	prefill?: string;
	/** For requests without a chat template: the text contains no thinking, and may be empty. */
	isRaw?: boolean;
	/** Whether the text is to be JSON. */
	isJson?: boolean;
	/** Whether the probabilities of the tokens were requested. Otherwise they are not kept. */
	keepsLogprobs?: boolean;
	/** Maximum tokens of the response; 0 or less for no limit. */
	maxTokens?: number;
	/** Maps an event of another API to OpenAI's chunk. */
	decode?(event: JsonRecord): JsonRecord;
}

/** A response that has ended. */
export interface EndedResponse {
	/** Output that has not been returned by `push`. */
	rest: TextAndReasoning;
	completion: Completion;
}

/** What is known of the whole body when it has ended. */
export interface ResponseBody {
	/** Lines that are not events. Default: none. */
	nonEventLines?: readonly string[];
	/** Whether it was one JSON document: then its last bracket is its end. Default: false. */
	isDocument?: boolean;
}

const NO_OUTPUT: TextAndReasoning = { text: '', reasoning: '' };

/** Between events that no blank line separates. */
const EVENT_LINE = /[\r\n]+(?:data:\s*)*/;

/** Each costs an exception. */
const MAX_UNREADABLE_LINES = 100;

/** Brackets and a quotation mark, before any name or value. */
const BEGUN_JSON = /^[[{][[{\s]*"?$/;

const DONE_MARKER = /^"?\[?DONE\]?"?$/i;

/** Collects a completion from events, and returns the text that can be shown. */
export class CompletionAccumulator {
	/**
	 * Splits the text of deltas into thinking and text. Owns what may still be either: the beginning of a tag, or thinking
	 * whose opening tag is in the prompt and which only its end will prove.
	 */
	private readonly reasoningSplitter: ReasoningSplitter;
	/** Takes the tags out of thinking that has a field of its own, where vLLM leaves them. Owns a tag that is not complete. */
	private readonly reasoningField = new ReasoningField();
	/** Counts all that is kept of the response, so that a server without an end cannot fill the memory. */
	private readonly textCount = new TextCount();
	/**
	 * The calls that the server sends apart from the text. Once there is one, calls in the text do not run: a server that
	 * parses them leaves only mistakes there.
	 */
	private readonly toolCalls = new ToolCallAccumulator(this.textCount);
	/** Number of events with text, thinking or tool calls: the speed of a response, and whether a broken stream had begun. */
	contentEvents = 0;
	/**
	 * Text as it arrived, before anything was split. Perplexity sends the text so far beside each delta, which is told apart
	 * by what was received; an error shows it if only marks are left of it.
	 */
	private receivedText = '';
	/** The same for thinking in a field of its own. */
	private receivedReasoning = '';
	/** Whether a part of the text is in the field for refusals. With other text it is an answer that begins with one. */
	private hasRefusal = false;
	/** Whether a part of the text is in its own field, so that the response is more than a refusal. */
	private hasOwnContent = false;
	/** Text that `push` has returned. It is shown, so that nothing that comes later may change it. */
	private releasedText = '';
	/**
	 * Text after it that may become a call or a mark at the end. It is kept apart, so that a delta is read without all of the
	 * text before it.
	 */
	private undecidedText = '';
	/** A text has arrived, if only the prefill. */
	private hasBegun = false;
	/**
	 * Whether the undecided text is so long that no more of it is searched: it is a call, or a response that begins like one,
	 * and only its end shows which. Without this, each delta would read it again.
	 */
	private isHoldingToolCall = false;
	/** Thinking from both sources, in the order in which it was shown. */
	private reasoning = '';
	/** Notices a text that repeats itself without end, which would cost hours on a slow machine. */
	private readonly textRunaway: RunawayDetector;
	/** The same for thinking: a repetition in one is none in the other. */
	private readonly reasoningRunaway = new RunawayDetector();
	/** Why the server ended the response. Undefined: it has not, even if nothing more arrives. */
	private finishReason: string | undefined;
	/** Whether the marker of the end has arrived, after which a gateway may still write lines of its own. */
	private isDone = false;
	/** Index of the choice that is read: the first one that arrives, because some servers count from 1. */
	private choiceIndex: number | undefined;
	/** Whether no event has had a finish reason, not even null: then only the end of the body can say that it is complete. */
	private lacksFinishReason = true;
	/** The first failure that the server reported. What follows it is not read. */
	private failure: CompletionFailure | undefined;
	/** All calls of the ended response, those of the text included: empty before its end, since only the end decides. */
	private calls: RawToolCall[] = [];
	/** Arguments by their text: they are asked for several times at the end, and a long text is normalized once. */
	private readonly normalized = new Map<string, string | undefined>();
	/** The last data that is not JSON: a ping of a gateway, or an error as text, which only an early end makes one. */
	private strayTexts: string[] = [];
	/** Probabilities of the tokens, if they were asked for. */
	private readonly logprobs = new LogprobList();
	/** The last token counts, since some servers send them with each event. */
	private usage: Usage | undefined;
	/** The last times that llama-server measured; they stand in for missing token counts. */
	private timings: Timings | undefined;
	/** The model that answered, which may be another one than was asked for. */
	private model: string | undefined;
	/** The first fingerprint of the server's configuration. */
	private fingerprint: string | undefined;

	constructor(private readonly options: AccumulatorOptions = {}) {
		this.reasoningSplitter = new ReasoningSplitter(options.mayStartInReasoning);
		if (options.isRaw) this.reasoningSplitter.ignoreTags();
		this.textRunaway = new RunawayDetector(options.isJson);
	}

	/** Whether only token counts and an end marker may follow. */
	get isFinished(): boolean {
		return this.finishReason !== undefined && this.failure === undefined;
	}

	/** Whether further events are ignored. */
	get isOver(): boolean {
		return this.isDone || this.failure !== undefined || this.toolCalls.hasTooMany;
	}

	/** Whether all output came in the field for thinking. */
	get hasOnlyReasoningField(): boolean {
		return this.receivedReasoning !== '' && this.receivedText.trim() === '';
	}

	/** Whether the output is so long that each step of the work on it counts. */
	get isLong(): boolean {
		return this.textCount.isLong;
	}

	/** Text and thinking until now: at the end, all of them. */
	get output(): TextAndReasoning {
		const { text: rest, reasoning } = this.reasoningSplitter.rest;
		return {
			text: this.releasedText + this.undecidedText + rest,
			reasoning: this.reasoning + reasoning,
		};
	}

	/** The same for the error of a response that fails: with the marks of thinking if there is nothing else, and the calls. */
	get partialOutput(): PartialOutput {
		const { output, receivedText, receivedReasoning } = this;
		const isOnlyMarks = (output.text + output.reasoning).trim() === '';
		return {
			...(isOnlyMarks ? { text: '', reasoning: receivedReasoning + receivedText } : output),
			toolCalls: this.toolCalls.calls.map(({ name, arguments: args }) => ({
				name,
				arguments: args,
			})),
		};
	}

	/**
	 * @returns the output that can be shown now
	 * @throws {TooMuchTextError}
	 */
	push(data: string): TextAndReasoning {
		if (DONE_MARKER.test(data.trim())) this.isDone = true;
		if (this.isOver) return NO_OUTPUT;
		const event = parseEvent(data);
		if (!event) {
			// After output, the address is that of the API: the stream broke.
			const errorType = this.contentEvents > 0 ? 'streamBroken' : 'invalidResponse';
			if (/^\s*[{[]/.test(data)) this.failure = { errorType, serverText: data };
			else this.strayTexts = [data];
			return NO_OUTPUT;
		}
		this.failure = findEventFailure(event);
		if (this.failure) return NO_OUTPUT;
		return this.applyChunk(this.options.decode?.(event) ?? event);
	}

	/**
	 * Adds the output in the beginning of a document, or of events of which one is too large, so that an error contains it.
	 * A document over many lines is one value: its lines are none.
	 */
	pushBeginning(received: string): void {
		const document = parseCutJson(received);
		if (isRecord(document)) {
			this.applyBeginning(document);
			return;
		}
		let unreadableLines = 0;
		for (const line of received.split(EVENT_LINE)) {
			if (!/^\s{0,99}\{/.test(line)) continue;
			const event = parseCutJson(line);
			if (isRecord(event) && isNonEmpty(event)) this.applyBeginning(event);
			else if (++unreadableLines === MAX_UNREADABLE_LINES) return;
		}
	}

	private applyBeginning(event: JsonRecord): void {
		this.applyChunk(this.options.decode?.(event) ?? event);
	}

	/** Reads the request in steps if calls in the text may have to be compared with it, before `end` compares them. */
	*prepareEnd(): Generator<undefined, void> {
		const { callableNames = [], findQuotation } = this.options;
		const { text, reasoning } = this.output;
		const mayCall = callableNames.some((name) => text.includes(name) || reasoning.includes(name));
		if (mayCall && this.toolCalls.calls.length === 0) yield* findQuotation?.prepare?.() ?? [];
	}

	/** Ends the response. */
	end(body: ResponseBody = {}): EndedResponse {
		const remainder = this.reasoningSplitter.end();
		this.addText(remainder.text);
		const lastReasoning = this.reasoningField.end() + remainder.reasoning;
		this.reasoning += lastReasoning;
		const { text, calls: textCalls, rejectedCall } = this.parseTextCalls(body);
		const rest = { text: text.slice(this.releasedText.length), reasoning: lastReasoning };
		this.releasedText = text;
		this.undecidedText = '';
		const ended = this.toolCalls.end((args) => this.normalize(args));
		const receivedCalls = [...ended, ...textCalls];
		this.calls = receivedCalls.filter((call) => !this.isEmptyCall(call));
		const { usage = usageFromTimings(this.timings), timings, model } = this;
		const completion: Completion = {
			...this.output,
			usage,
			timings,
			model,
			fingerprint: this.fingerprint,
			logprobs: this.logprobs.tokens,
			failure: this.findFailure(body),
			toolCalls: this.calls.map((call) => ({
				...call,
				arguments: this.normalize(call.arguments) ?? call.arguments,
			})),
			finishReason: this.finishReason ?? 'unknown',
			hasEmptyReasoning: this.reasoningSplitter.hasEmptyReasoning,
			isCutOff: this.isTruncated,
			isRefusal: this.hasRefusal && !this.hasOwnContent,
			hasEmptyCall: this.calls.length < receivedCalls.length,
			rejectedCall,
		};
		return { rest, completion };
	}

	/** Once for each text, which may be long. */
	private normalize(args: string) {
		if (!this.normalized.has(args)) this.normalized.set(args, normalizeArguments(args));
		return this.normalized.get(args);
	}

	/** Whether a call beside text has neither a name nor arguments: then it is not a call. */
	private isEmptyCall({ name, arguments: args }: RawToolCall) {
		const isBlank = name === '' && args === '';
		return isBlank && !this.isTruncated && this.output.text.trim() !== '';
	}

	/** Parses tool calls in the text if the response contains no others. */
	private parseTextCalls({ isDocument = false }: ResponseBody): TextCallDecision {
		const { callableNames: tools = [], findQuotation = () => undefined } = this.options;
		const { output, toolCalls, reasoning, isTruncated: isCutOff } = this;
		const text = this.options.isRaw ? output.text : withoutEndMarks(output.text);
		if (toolCalls.calls.length > 0) {
			const name = findIgnoredCall(text, tools, toolCalls.calls);
			const rejectedCall =
				name === undefined ? undefined : ({ name, reason: 'otherCalls' } as const);
			return { text, calls: [], rejectedCall };
		}
		if (tools.length === 0) return { text, calls: [] };
		const hasEnded = this.finishReason !== undefined || this.isDone || isDocument;
		const response = { tools, isCutOff, hasEnded, findQuotation };
		if (text.trim() !== '') {
			const decision = decideTextCalls({ ...response, text });
			const hasNoCall = decision.calls.length === 0 && decision.rejectedCall === undefined;
			return hasNoCall ? { ...decision, text: withoutStrayEnds(text) } : decision;
		}
		// Qwen3.5 calls before its thinking has ended, which vLLM does not expect (vLLM 39056).
		const decision = decideTextCalls({ ...response, text: reasoning });
		return { ...decision, text };
	}

	private applyChunk(chunk: JsonRecord): TextAndReasoning {
		this.applyMetadata(chunk);
		const choice = this.selectChoice(chunk);
		if ('finish_reason' in choice) this.lacksFinishReason = false;
		this.finishReason = parseFinishReason(choice.finish_reason) ?? this.finishReason;
		if (this.options.keepsLogprobs) this.logprobs.add(choice.logprobs);
		const message = extractMessage(choice, this.receivedText);
		const calls = message.tool_calls ?? message.function_call;
		const hasCalls = isNonEmpty(calls);
		if (hasCalls) this.toolCalls.add(calls);
		const ownContent =
			toContentText(message.content, this.options.isJson) || flattenText(message.text);
		const refusal = ownContent ? '' : flattenText(message.refusal);
		this.hasRefusal ||= refusal !== '';
		this.hasOwnContent ||= ownContent !== '';
		const content = ownContent || refusal;
		this.receivedText += content;
		const receivedReasoning = extractReasoning(message);
		this.receivedReasoning += receivedReasoning;
		const reasoning = this.appendReasoning(receivedReasoning, content !== '' || hasCalls);
		if (content || receivedReasoning || hasCalls) this.contentEvents += 1;
		const { text: displayableText, reasoning: textReasoning } = this.appendText(content);
		this.textCount.add(receivedReasoning.length + content.length);
		this.stopRunaway({ text: content, reasoning: receivedReasoning });
		return { text: displayableText, reasoning: reasoning + textReasoning };
	}

	private applyMetadata({ usage, timings, model, system_fingerprint: fingerprint }: JsonRecord) {
		this.fingerprint ??= asNonEmptyString(fingerprint);
		this.usage = parseOpenAiUsage(usage) ?? this.usage;
		if (isRecord(timings)) this.timings = parseTimings(timings);
		this.model = asNonEmptyString(model) ?? this.model;
	}

	private get detectors() {
		return [this.textRunaway, this.reasoningRunaway, this.toolCalls.runaway];
	}

	/** Ends the response if it repeats itself without end, or has only blanks after its JSON. */
	private stopRunaway({ text, reasoning }: TextAndReasoning) {
		this.textRunaway.push(text);
		this.reasoningRunaway.push(reasoning);
		if (this.finishReason !== undefined) return;
		const states = this.detectors.map(({ state }) => state);
		if (states.includes('runaway')) this.failure = { errorType: 'runawayOutput' };
		else if (states.includes('complete')) {
			this.finishReason = 'stop';
			this.isDone = true;
		}
	}

	/**
	 * Only one choice is requested. The first index counts, because some servers count from 1. Custom servers stream their
	 * text without choices.
	 */
	private selectChoice(chunk: JsonRecord) {
		const { choices = [chunk] } = chunk;
		const choice = asArray(choices).find((candidate) => {
			const index = Number(asRecord(candidate).index ?? 0);
			this.choiceIndex ??= index;
			return index === this.choiceIndex;
		});
		return asRecord(choice);
	}

	/** @param isLast - Whether text or calls follow, so that the thinking has ended */
	private appendReasoning(reasoning: string, isLast: boolean) {
		const delta = this.readReasoning(reasoning) + (isLast ? this.reasoningField.end() : '');
		this.reasoning += delta;
		return delta;
	}

	private readReasoning(reasoning: string) {
		if (reasoning === '') return '';
		if (this.options.mentionsTags) {
			this.reasoningSplitter.ignoreTags();
			return reasoning;
		}
		this.reasoningSplitter.expectSplit();
		return this.reasoningField.push(reasoning);
	}

	private appendText(delta: string) {
		if (!delta) return NO_OUTPUT;
		const { text, reasoning } = this.reasoningSplitter.push(this.withoutPrefill(delta));
		this.addText(text);
		this.reasoning += reasoning;
		return { text: this.takeDisplayableText(), reasoning };
	}

	private get hasText() {
		return this.releasedText !== '' || this.undecidedText !== '';
	}

	private addText(text: string) {
		const isStart = !this.hasText && !this.options.isRaw;
		this.undecidedText += isStart ? text.replace(/^\n+/, '') : text;
	}

	/** Some servers repeat the prefill at the start of the response. */
	private withoutPrefill(delta: string) {
		const { prefill = '' } = this.options;
		const isFirst = !this.hasBegun && this.reasoning === '';
		this.hasBegun = true;
		return isFirst && delta.startsWith(prefill) ? delta.slice(prefill.length) : delta;
	}

	private takeDisplayableText() {
		if (this.isHoldingToolCall) return '';
		const isFirst = this.releasedText === '';
		if (isFirst && !this.options.isRaw && BEGUN_JSON.test(this.undecidedText)) return '';
		const hasTools = isNonEmpty(this.options.callableNames);
		const length = getDisplayableLength(this.undecidedText, { isFirst, hasTools });
		const text = this.undecidedText.slice(0, length);
		this.undecidedText = this.undecidedText.slice(length);
		this.isHoldingToolCall = length === 0 && this.undecidedText.length > MAX_UNDECIDED_LENGTH;
		this.releasedText += text;
		return text;
	}

	/** Why the response cannot be used; undefined for a usable one. */
	private findFailure(body: ResponseBody): CompletionFailure | undefined {
		if (this.failure) return this.failure;
		if (this.toolCalls.hasTooMany) {
			const title = `The model called more than ${MAX_TOOL_CALLS} tools in one response, so none was executed`;
			const suggestion =
				'The model repeats itself: lower the temperature, set Maximum Tokens, or use a model with better tool support.';
			return { errorType: 'invalidToolCall', title, suggestion, tool: this.calls.at(-1)?.name };
		}
		return (
			this.findEndFailure(body) ??
			this.findRepetition() ??
			this.findToolCallFailure() ??
			this.findEmptyFailure()
		);
	}

	/** A repetition that the token limit ended first. Blanks after a text do no harm. */
	private findRepetition(): CompletionFailure | undefined {
		const isRepetition =
			this.isTruncated &&
			this.detectors.some(
				(detector) => (detector.isJson || !this.hasContent) && detector.endsInRepetition(),
			);
		return isRepetition ? { errorType: 'runawayOutput' } : undefined;
	}

	private findEndFailure({
		nonEventLines = [],
		isDocument = false,
	}: ResponseBody): CompletionFailure | undefined {
		if (this.finishReason !== undefined) return findFinishFailure(this.finishReason);
		// Custom servers may report no finish reason, only the end.
		const hasEnded = this.isDone || this.lacksFinishReason || isDocument;
		if (nonEventLines.length === 0 && hasEnded && this.hasContent) return undefined;
		const lines = [...nonEventLines, ...this.strayTexts];
		// The router of llama-server writes `proxy error: …`, llama-server `error: {…}`.
		const [failure] = lines.flatMap(
			(line) => findEventFailure(asRecord(parseJson(line.replace(/^error: */, '')))) ?? [],
		);
		return failure ?? { errorType: 'streamEndedEarly', serverText: lines.join('\n') || undefined };
	}

	/** A text without a chat template may be empty. */
	private get hasContent() {
		return this.options.isRaw || this.calls.length > 0 || this.output.text.trim() !== '';
	}

	/** Whether a model that was not cut off wrote the beginning of JSON and nothing else. */
	private get isBegunJson() {
		const { isRaw = false } = this.options;
		const isAlone = this.calls.length === 0 && BEGUN_JSON.test(this.output.text.trim());
		return isAlone && !isRaw && !this.isTruncated;
	}

	/** vLLM reports `tool_calls` for a call that the token limit cut off. */
	private get isTruncated() {
		const { maxTokens = 0 } = this.options;
		const { completionTokens = 0 } = this.usage ?? {};
		return this.finishReason === 'length' || (maxTokens > 0 && completionTokens >= maxTokens);
	}

	/**
	 * A single invalid call fails the response: no tool is executed. Where the token limit ended the response, arguments that
	 * are empty did not arrive.
	 */
	private findToolCallFailure(): CompletionFailure | undefined {
		const invalidCall = this.calls.find(
			({ name, arguments: args }) =>
				name === '' ||
				this.normalize(args) === undefined ||
				(this.isTruncated && !args.trim().startsWith('{')),
		);
		if (!invalidCall) return undefined;
		const { name: tool } = invalidCall;
		return this.isTruncated
			? { errorType: 'toolCallTruncated', tool }
			: { errorType: 'invalidToolCall', tool, isCorrectable: true };
	}

	private findEmptyFailure(): CompletionFailure | undefined {
		if (this.isBegunJson) {
			const title = 'The model stopped right after it had begun a JSON value';
			return { errorType: 'emptyResponse', title, facts: { finishReason: this.finishReason } };
		}
		if (this.hasContent) return undefined;
		const errorType = this.reasoning.trim() ? 'onlyThinking' : 'emptyResponse';
		const finishReason = this.isTruncated ? 'length' : this.finishReason;
		return { errorType, serverText: this.strayTexts[0], facts: { finishReason } };
	}
}
