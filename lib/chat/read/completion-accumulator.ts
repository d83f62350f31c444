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
import type { StreamPart } from '../../http/types';
import { StrayLines } from '../../http/stray-lines';
import type { ReceivedResponse, SentRequest } from './judge-response';
import { BEGUN_JSON, isCompleteReason, judgeResponse } from './judge-response';
import {
	extractMessage,
	extractReasoning,
	findEventFailure,
	flattenText,
	isCompletionObject,
	parseEvent,
	toContentText,
	parseFinishReason,
} from './parse-chunk';
import { LogprobList } from './logprobs';
import { ToolCallAccumulator } from './tool-call-accumulator';
import { normalizeArguments } from '../tools/arguments';
import type { Completion, CompletionFailure } from '../completion';
import type { Timings, Usage } from '../chat-result';
import { parseOpenAiUsage, parseTimings, usageFromTimings } from './usage';

/** What is known about a response before it arrives. */
export interface AccumulatorOptions extends SentRequest {
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
	/** Whether the text is to be JSON. */
	isJson?: boolean;
	/** Whether the probabilities of the tokens were requested. Otherwise they are not kept. */
	keepsLogprobs?: boolean;
	/** Maps an event of another API to OpenAI's chunk. */
	decode?(event: JsonRecord): JsonRecord;
}

/** A response that has ended. */
export interface EndedResponse {
	/** Output that has not been returned by `push`. */
	rest: TextAndReasoning;
	completion: Completion;
}

const NO_OUTPUT: TextAndReasoning = { text: '', reasoning: '' };

/** Between events that no blank line separates. */
const EVENT_LINE = /[\r\n]+(?:data:\s*)*/;

/** Each costs an exception. */
const MAX_UNREADABLE_LINES = 100;

/** A line that a gateway may have taken out of its event: an object with a name. */
const OBJECT_START = /^\s*\{\s*"/;

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
	/** Whether the body is one document, and not the first event of a stream that the server never closed. */
	private isDocument = false;
	/** The first failure that the server reported before the end of the response. What follows it is not read. */
	private failure: CompletionFailure | undefined;
	/** The first one after the end. It takes nothing from a complete response. */
	private lateFailure: CompletionFailure | undefined;
	/** Whether an event could not be read: after the end, it takes nothing either. */
	private hasUnreadableEvent = false;
	/** All calls of the ended response, those of the text included: empty before its end, since only the end decides. */
	private calls: RawToolCall[] = [];
	/** Arguments by their text: they are asked for several times at the end, and a long text is normalized once. */
	private readonly normalized = new Map<string, string | undefined>();
	/** The last data that is not JSON: a ping of a gateway, or an error as text, which only an early end makes one. */
	private strayData: string | undefined;
	/** Lines that are not events: a ping, a log, or an error, which only an early end makes one. */
	private readonly strayLines = new StrayLines();
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

	/** Whether the response is whole, although its stream has not said so. */
	isWhole(): boolean {
		const { text } = this.output;
		return this.toolCalls.calls.length === 0 && this.options.fitsSchema?.(text) === true;
	}

	/**
	 * @param data - The text of a part of the stream.
	 * @param type - How it was framed. A line is an event if it is the object that was expected: GPUStack 2.0 omits the
	 *   `data: ` of lines that its gateway rewrites (gpustack issues 3950, 6155).
	 * @returns the output that can be shown now
	 * @throws {TooMuchTextError}
	 */
	push(data: string, type: StreamPart['type'] = 'event'): TextAndReasoning {
		if (DONE_MARKER.test(data.trim())) this.isDone = true;
		if (this.isOver) return NO_OUTPUT;
		const event = type === 'line' && !OBJECT_START.test(data) ? undefined : parseEvent(data);
		if (event === undefined) this.noteUnreadable(data, type);
		else if (type === 'line' && !isCompletionObject(event)) this.strayLines.add(data);
		else return this.applyEvent(event, type);
		return NO_OUTPUT;
	}

	private applyEvent(event: JsonRecord, type: StreamPart['type']) {
		const failure = findEventFailure(event);
		if (failure && isCompleteReason(this.finishReason)) this.lateFailure ??= failure;
		else this.failure = failure;
		if (failure) return NO_OUTPUT;
		const chunk = this.options.decode?.(event) ?? event;
		if (type === 'document') this.isDocument = !isChunk(this.selectChoice(chunk));
		return this.applyChunk(chunk);
	}

	/** A text may have been in what begins like JSON, unless the response was complete. */
	private noteUnreadable(data: string, type: StreamPart['type']) {
		const isBroken = type === 'line' ? OBJECT_START.test(data) : /^\s*[{[]/.test(data);
		this.hasUnreadableEvent ||= isBroken;
		if (!isBroken && type === 'line') this.strayLines.add(data);
		else if (!isBroken) this.strayData = data;
		else if (!isCompleteReason(this.finishReason)) {
			// After output, the address is that of the API: the stream broke.
			const errorType = this.contentEvents > 0 ? 'streamBroken' : 'invalidResponse';
			this.failure = { errorType, serverText: data };
		}
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
	end(): EndedResponse {
		const remainder = this.reasoningSplitter.end();
		this.addText(remainder.text);
		const lastReasoning = this.reasoningField.end() + remainder.reasoning;
		this.reasoning += lastReasoning;
		const { text, calls: textCalls, rejectedCall } = this.parseTextCalls();
		const rest = { text: text.slice(this.releasedText.length), reasoning: lastReasoning };
		this.releasedText = text;
		this.undecidedText = '';
		const ended = this.toolCalls.end((args) => this.normalize(args));
		const receivedCalls = [...ended, ...textCalls];
		this.calls = receivedCalls.filter((call) => !this.isEmptyCall(call));
		const { usage = usageFromTimings(this.timings), timings, model } = this;
		const { failure, hasAnswerInThinking } = judgeResponse(this.toReceived(), this.options);
		const answer = { text: this.reasoning, reasoning: '' };
		const completion: Completion = {
			...(hasAnswerInThinking ? answer : this.output),
			hasAnswerInThinking: hasAnswerInThinking || undefined,
			usage,
			timings,
			model,
			fingerprint: this.fingerprint,
			logprobs: this.logprobs.tokens,
			failure,
			ignoredEnd: failure === undefined ? this.getIgnoredEnd() : undefined,
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
		return { rest: hasAnswerInThinking ? answer : rest, completion };
	}

	private toReceived(): ReceivedResponse {
		const { finishReason, isTruncated, strayData, failure, lateFailure } = this;
		return {
			...this.output,
			calls: this.calls,
			hasTooManyCalls: this.toolCalls.hasTooMany,
			finishReason,
			isTruncated,
			hasEnded: this.isDone || this.lacksFinishReason || this.isDocument,
			hasOnlyReasoningField: this.receivedReasoning !== '' && this.receivedText.trim() === '',
			strayLines: this.strayLines.all,
			strayData,
			failure,
			lateFailure,
			// Blanks after a text do no harm.
			endsInRepetition: (hasContent) =>
				this.detectors.some(
					(detector) => (detector.isJson || !hasContent) && detector.endsInRepetition(),
				),
			normalize: (args) => this.normalize(args),
		};
	}

	private getIgnoredEnd(): Completion['ignoredEnd'] {
		const { errorEvent: event } = this.failure ?? this.lateFailure ?? {};
		return event !== undefined || this.hasUnreadableEvent ? { event } : undefined;
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
	private parseTextCalls(): TextCallDecision {
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
		const hasEnded = this.finishReason !== undefined || this.isDone || this.isDocument;
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

	/** vLLM reports `tool_calls` for a call that the token limit cut off. */
	private get isTruncated() {
		const { maxTokens = 0 } = this.options;
		const { completionTokens = 0 } = this.usage ?? {};
		return this.finishReason === 'length' || (maxTokens > 0 && completionTokens >= maxTokens);
	}
}

/** Whether a choice is one of a stream that goes on. */
function isChunk(choice: JsonRecord): boolean {
	return isRecord(choice.delta) && choice.finish_reason === null;
}
