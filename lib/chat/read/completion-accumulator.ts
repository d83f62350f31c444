/** Collects what is received of a streamed completion, from OpenAI's chunks, to which Ollama's are mapped. */
import { TextCount } from '../../http/body-limits';
import { RunawayDetector } from '../../text/runaway';
import type { JsonRecord } from '../../values/records';
import { asArray, asNonEmptyString, asRecord, isNonEmpty, isRecord } from '../../values/records';
import { parseCutJson } from '../../values/cut-json';
import { parseJson } from '../../values/json';
import type { StreamPart } from '../../http/types';
import { StrayLines } from '../../http/stray-lines';
import type { ReceivedEnd } from './judge-response';
import { isCompleteReason } from './judge-response';
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
import { toChunk } from './ollama-chunk';
import type { ReceivedDelta } from './text-stages';
import { ToolCallAccumulator } from './tool-call-accumulator';
import type { Completion, CompletionFailure } from '../completion';
import type { Timings, Usage } from '../chat-result';
import { parseOpenAiUsage, parseTimings } from './usage';

/** How a response is read. */
export interface AccumulatorOptions {
	/** Limit of the tokens of the response. Default: none. */
	maxTokens?: number;
	/** Whether the text is to be JSON. Default: false. */
	isJson?: boolean;
	/** Whether the probabilities of the tokens were requested. Otherwise they are not kept. */
	keepsLogprobs?: boolean;
}

/** What a server says of a response beside its content. */
export type ReceivedMetadata = Pick<
	Completion,
	'usage' | 'timings' | 'model' | 'fingerprint' | 'logprobs'
>;

/** Between events that no blank line separates. */
const EVENT_LINE = /[\r\n]+(?:data:\s*)*/;

/** Each costs an exception. */
const MAX_UNREADABLE_LINES = 100;

/** A line that a gateway may have taken out of its event: an object with a name. */
const OBJECT_START = /^\s*\{\s*"/;

/** Characters of the marker of the end, with blanks. Most events are longer, and not compared with it. */
const MAX_MARKER_LENGTH = 100;

const DONE_MARKER = /^"?\[?DONE\]?"?$/i;

/** Collects what a response consists of from its events. It decides neither what a text means nor when it is shown. */
export class CompletionAccumulator {
	/** Counts all that is kept of the response, so that a server without an end cannot fill the memory. */
	private readonly textCount = new TextCount();
	/** The calls that the server sends apart from the text. */
	readonly toolCalls: ToolCallAccumulator = new ToolCallAccumulator(this.textCount);
	/** Number of events with text, thinking or tool calls: the speed of a response, and whether a broken stream had begun. */
	contentEvents = 0;
	/**
	 * Text as it arrived, before anything was split. Perplexity sends the text so far beside each delta, which is told apart
	 * by what was received; an error shows it if only marks are left of it.
	 */
	receivedText = '';
	/** The same for thinking in a field of its own. */
	receivedReasoning = '';
	/** Whether a part of the text is in the field for refusals. With other text it is an answer that begins with one. */
	private hasRefusal = false;
	/** Whether a part of the text is in its own field, so that the response is more than a refusal. */
	private hasOwnContent = false;
	/** Notices a text that repeats itself without end, which would cost hours on a slow machine. */
	private readonly textRunaway: RunawayDetector;
	/** The same for thinking: a repetition in one is none in the other. */
	private readonly reasoningRunaway = new RunawayDetector();
	/** The two, and that of the arguments of calls. */
	private readonly detectors: readonly RunawayDetector[];
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
		this.textRunaway = new RunawayDetector(options.isJson);
		this.detectors = [this.textRunaway, this.reasoningRunaway, this.toolCalls.runaway];
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

	/**
	 * @param data - The text of a part of the stream.
	 * @param type - How it was framed. A line is an event if it is the object that was expected: GPUStack 2.0 omits the
	 *   `data: ` of lines that its gateway rewrites (gpustack issues 3950, 6155).
	 * @returns what it contains of the output, to be counted by `count`; undefined for nothing
	 * @throws {TooMuchTextError} for the arguments of calls
	 */
	push(data: string, type: StreamPart['type'] = 'event'): ReceivedDelta | undefined {
		if (data.length < MAX_MARKER_LENGTH && DONE_MARKER.test(data.trim())) this.isDone = true;
		if (this.isOver) return undefined;
		const event = type === 'line' && !OBJECT_START.test(data) ? undefined : parseEvent(data);
		if (event === undefined) this.noteUnreadable(data, type);
		else if (type === 'line' && !isCompletionObject(event)) this.strayLines.add(data);
		else return this.applyEvent(event, type);
		return undefined;
	}

	private applyEvent(event: JsonRecord, type: StreamPart['type']): ReceivedDelta | undefined {
		const failure = findEventFailure(event);
		if (failure && isCompleteReason(this.finishReason)) this.lateFailure ??= failure;
		else this.failure = failure;
		if (failure) return undefined;
		const chunk = toChunk(event);
		if (type === 'document') this.isDocument = !isChunk(this.selectChoice(chunk));
		return this.applyChunk(chunk);
	}

	/** A text may have been in what begins like JSON, unless the response was complete. */
	private noteUnreadable(data: string, type: StreamPart['type']) {
		const mayBeText = type === 'line' ? OBJECT_START.test(data) : /^\s*[{[]/.test(data);
		// Between events, a list that is JSON is whole, and of something else.
		const isBroken = mayBeText && (type === 'document' || parseJson(data) === undefined);
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
	 * Reads the output in the beginning of a document, or of events of which one is too large, so that an error contains it.
	 * A document over many lines is one value: its lines are none.
	 */
	*readBeginning(received: string): Generator<ReceivedDelta, void> {
		const document = parseCutJson(received);
		if (isRecord(document)) {
			yield* this.applyBeginning(document);
			return;
		}
		let unreadableLines = 0;
		for (const line of received.split(EVENT_LINE)) {
			if (!/^\s{0,99}\{/.test(line)) continue;
			const event = parseCutJson(line);
			if (isRecord(event) && isNonEmpty(event)) yield* this.applyBeginning(event);
			else if (++unreadableLines === MAX_UNREADABLE_LINES) return;
		}
	}

	private applyBeginning(event: JsonRecord): ReceivedDelta[] {
		const delta = this.applyChunk(toChunk(event));
		return delta === undefined ? [] : [delta];
	}

	/** How the response ended, if it ends here, and what else came with it. */
	get end(): ReceivedEnd {
		return {
			finishReason: this.finishReason,
			isTruncated: this.isTruncated,
			hasEnded: this.isDone || this.lacksFinishReason || this.isDocument,
			hasOnlyReasoningField: this.receivedReasoning !== '' && this.receivedText.trim() === '',
			strayLines: this.strayLines.all,
			strayData: this.strayData,
			failure: this.failure,
			lateFailure: this.lateFailure,
			hasUnreadableEvent: this.hasUnreadableEvent,
			// Blanks after a text do no harm.
			endsInRepetition: (hasContent) =>
				this.detectors.some(
					(detector) => (detector.isJson || !hasContent) && detector.endsInRepetition(),
				),
			isEndSaid: this.finishReason !== undefined || this.isDone || this.isDocument,
		};
	}

	/** Whether the text is a refusal, in the field that OpenAI's API has for it. */
	get isRefusal(): boolean {
		return this.hasRefusal && !this.hasOwnContent;
	}

	/** What the server said of the response beside its content. */
	get metadata(): ReceivedMetadata {
		const { usage, timings, model, fingerprint } = this;
		return { usage, timings, model, fingerprint, logprobs: this.logprobs.tokens };
	}

	private applyChunk(chunk: JsonRecord): ReceivedDelta | undefined {
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
		const reasoning = extractReasoning(message);
		this.receivedReasoning += reasoning;
		if (content === '' && reasoning === '' && !hasCalls) return undefined;
		this.contentEvents += 1;
		return { content, reasoning, hasCalls };
	}

	/**
	 * Counts a delta, after it was taken: an error of a response that is too long has all of it. Ends the response if it repeats
	 * itself without end, or has only blanks after its JSON.
	 *
	 * @throws {TooMuchTextError}
	 */
	count({ content, reasoning }: ReceivedDelta): void {
		this.textCount.add(reasoning.length + content.length);
		this.textRunaway.push(content);
		this.reasoningRunaway.push(reasoning);
		if (this.finishReason !== undefined) return;
		const { detectors } = this;
		if (detectors.every(({ state }) => state === 'normal')) return;
		if (detectors.some(({ state }) => state === 'runaway'))
			this.failure = { errorType: 'runawayOutput' };
		else {
			this.finishReason = 'stop';
			this.isDone = true;
		}
	}

	private applyMetadata({ usage, timings, model, system_fingerprint: fingerprint }: JsonRecord) {
		this.fingerprint ??= asNonEmptyString(fingerprint);
		this.usage = parseOpenAiUsage(usage) ?? this.usage;
		if (isRecord(timings)) this.timings = parseTimings(timings);
		this.model = asNonEmptyString(model) ?? this.model;
	}

	/**
	 * Only one choice is requested. The first index counts, because some servers count from 1. Custom servers stream their
	 * text without choices.
	 */
	private selectChoice(chunk: JsonRecord) {
		const { choices = [chunk] } = chunk;
		for (const candidate of asArray(choices)) {
			const choice = asRecord(candidate);
			const index = Number(choice.index ?? 0);
			this.choiceIndex ??= index;
			if (index === this.choiceIndex) return choice;
		}
		return asRecord(undefined);
	}

	/** vLLM reports `tool_calls` for a call that the token limit cut off. */
	private get isTruncated() {
		const { maxTokens = Infinity } = this.options;
		const { completionTokens = 0 } = this.usage ?? {};
		return this.finishReason === 'length' || completionTokens >= maxTokens;
	}
}

/** Whether a choice is one of a stream that goes on. */
function isChunk(choice: JsonRecord): boolean {
	return isRecord(choice.delta) && choice.finish_reason === null;
}
