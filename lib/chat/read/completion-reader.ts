/** Reads a response into a completion, and shows its text as it arrives: the one reader of completions. */
import type { PartialOutput } from '../../exchange/attempt';
import { asServerErrorOrThrow } from '../../errors/server-error';
import type { ServerError } from '../../errors/server-error';
import { BodyTooLargeError } from '../../http/body-limits';
import type { HttpResponse, StreamPart } from '../../http/types';
import type { Stage } from '../../stage';
import { yieldToEventLoop } from '../../http/yield-to-event-loop';
import type { TextAndReasoning } from '../../text/reasoning';
import { tryOrUndefined } from '../../values/try-or-undefined';
import type { Completion } from '../completion';
import type { AccumulatorOptions } from './completion-accumulator';
import { CompletionAccumulator } from './completion-accumulator';
import { createCompletionError } from './completion-error';
import type {
	HeldState,
	MaskState,
	ReceivedDelta,
	TextOptions,
	ThinkingState,
} from './text-stages';
import { chain, holdCalls, joinOutput, maskSecrets, NO_OUTPUT, splitThinking } from './text-stages';
import { maskDeep } from '../../errors/mask';
import { getWrittenSecrets, NO_SECRETS } from '../../errors/secrets';
import { withoutEndMarks } from '../../text/end-marks';
import type { TextCallDecision } from '../../text/calls/decide-text-calls';
import { decideTextCalls } from '../../text/calls/decide-text-calls';
import type { QuotationCheck } from '../../text/calls/quotations';
import { withoutStrayEnds } from '../../text/calls/stray-ends';
import type { RawToolCall } from '../../text/calls/types';
import { findIgnoredCall } from '../../text/calls/unread-calls';
import { normalizeArguments } from '../tools/arguments';
import type { ReceivedEnd, SentRequest } from './judge-response';
import { judgeResponse } from './judge-response';
import { usageFromTimings } from './usage';

/** What is known of a response before it arrives. */
export interface ReaderOptions extends AccumulatorOptions, TextOptions, CompletionOptions {
	/** Masked in all that is read. Default: none. */
	secrets?: readonly string[];
}

/** How a response is received. */
export interface ReceiveOptions {
	/** Called with the output of each event, and with what was held back to the end. A promise is awaited before the next one. */
	onDelta?(delta: TextAndReasoning): Promise<void> | void;
	/** Called after events with output. */
	onContent?(): void;
	/**
	 * Called with each completion before what was held back of it is shown.
	 *
	 * @returns the error of one that cannot be used. Default: every failure is an error
	 */
	findError?(completion: Completion): ServerError | undefined;
	signal?: AbortSignal;
}

/** A response that has ended. */
export interface EndedResponse {
	/** Output that `push` has not returned. */
	rest: TextAndReasoning;
	completion: Completion;
}

/** What the stages of a completion know. */
type ReadingState = readonly [ThinkingState, HeldState];

/** What was sent, as far as it decides what the text of a response is. */
interface CompletionOptions extends SentRequest {
	/** Names by which a text may call tools; empty if calls in text are ignored. Default: none. */
	callableNames?: readonly string[];
	/** Whether a call is quoted from the request. Default: none is. */
	findQuotation?: QuotationCheck;
}

/** The output of a response, thinking and text apart. */
interface SplitOutput extends TextAndReasoning {
	/** Whether the response began with the end of thinking that the prompt had begun. */
	hasEmptyReasoning: boolean;
}

/** One response, while it is read and after it. */
export class CompletionReader {
	private readonly received: CompletionAccumulator;
	/** The stages whose output is that of the completion, and what they know. */
	private readonly reading: Stage<ReceivedDelta, TextAndReasoning, ReadingState>;
	private readingState: ReadingState;
	/** The stage behind them, whose output is shown. */
	private readonly masking: Stage<TextAndReasoning, TextAndReasoning, MaskState>;
	private maskState: MaskState;
	/** What the stages of the completion have released. It is shown, so that nothing that comes later may change it. */
	private releasedText = '';
	/** The same of the thinking. */
	private releasedReasoning = '';

	constructor(private readonly options: ReaderOptions = {}) {
		this.received = new CompletionAccumulator(options);
		this.reading = chain(splitThinking(options), holdCalls(options));
		this.readingState = this.reading.start;
		this.masking = maskSecrets(options.secrets);
		this.maskState = this.masking.start;
	}

	/** Number of events with text, thinking or tool calls. */
	get contentEvents(): number {
		return this.received.contentEvents;
	}

	/** Whether the output is so long that each step of the work on it counts. */
	get isLong(): boolean {
		return this.received.isLong;
	}

	/** Text and thinking until now: at the end, all of them. */
	get output(): TextAndReasoning {
		const { text, reasoning } = this.reading.end(this.readingState);
		return { text: this.releasedText + text, reasoning: this.releasedReasoning + reasoning };
	}

	/** The same for the error of a response that fails: with the marks of thinking if there is nothing else, and the calls. */
	get partialOutput(): PartialOutput {
		const { output } = this;
		const { receivedText, receivedReasoning, toolCalls } = this.received;
		const isOnlyMarks = (output.text + output.reasoning).trim() === '';
		return {
			...(isOnlyMarks ? { text: '', reasoning: receivedReasoning + receivedText } : output),
			toolCalls: toolCalls.calls.map(({ name, arguments: args }) => ({ name, arguments: args })),
		};
	}

	/**
	 * Reads a response to its end. Errors of a stream that breaks after its last output, or after JSON that fits the schema that
	 * was sent, are ignored: the completion has arrived. Secrets are masked in all of it.
	 *
	 * @throws a `ServerError` for a stream that breaks before its last output, or was stopped, and for a completion that cannot
	 *   be used
	 */
	async receive(response: HttpResponse, options: ReceiveOptions = {}): Promise<Completion> {
		const {
			onDelta = () => {},
			findError = ({ failure }) => failure && createCompletionError(failure, response),
		} = options;
		await this.receiveParts(response, options);
		if (this.isLong) await yieldToEventLoop();
		const steps = this.prepareEnd();
		while (steps.next().done !== true) await yieldToEventLoop();
		const { rest, completion } = this.end();
		if (this.isLong) await yieldToEventLoop();
		const error = findError(completion);
		if (error !== undefined) throw error;
		await onDelta(rest);
		return completion;
	}

	private async receiveParts(
		response: HttpResponse,
		{ onDelta = () => {}, onContent = () => {}, signal }: ReceiveOptions,
	): Promise<void> {
		const { received } = this;
		try {
			for await (const parts of response.parts()) {
				const eventsBefore = this.contentEvents;
				for (const { text, type } of parts) {
					const written = onDelta(this.push(text, type));
					if (written) await written;
				}
				if (this.contentEvents > eventsBefore) {
					response.markContent();
					onContent();
				}
				if (received.isOver) break;
				if (received.isFinished) response.expectEnd();
			}
		} catch (error) {
			if (error instanceof BodyTooLargeError)
				tryOrUndefined(() => this.pushBeginning(error.received));
			const isComplete = received.isFinished || this.isWhole();
			if (!isComplete || signal?.aborted) throw asServerErrorOrThrow(error);
		}
	}

	/**
	 * @returns the output that can be shown now
	 * @throws {TooMuchTextError}
	 */
	push(data: string, type: StreamPart['type'] = 'event'): TextAndReasoning {
		const delta = this.received.push(data, type);
		return delta === undefined ? NO_OUTPUT : this.pass(delta);
	}

	/** Adds the output in the beginning of what is too large, so that an error contains it. */
	pushBeginning(received: string): void {
		for (const delta of this.received.readBeginning(received)) this.pass(delta);
	}

	private pass(delta: ReceivedDelta): TextAndReasoning {
		const [released, readingState] = this.reading.step(this.readingState, delta);
		this.readingState = readingState;
		this.releasedText += released.text;
		this.releasedReasoning += released.reasoning;
		const [shown, maskState] = this.masking.step(this.maskState, released);
		this.maskState = maskState;
		this.received.count(delta);
		return shown;
	}

	/** Whether the response is whole, although its stream has not said so. */
	private isWhole(): boolean {
		const hasCalls = this.received.toolCalls.calls.length > 0;
		return !hasCalls && this.options.fitsSchema?.(this.output.text) === true;
	}

	/** Reads the request in steps if calls in the text may have to be compared with it, before `end` compares them. */
	private *prepareEnd(): Generator<undefined, void> {
		const { callableNames = [], findQuotation } = this.options;
		const { text, reasoning } = this.output;
		const mayCall = callableNames.some((name) => text.includes(name) || reasoning.includes(name));
		const hasCalls = this.received.toolCalls.calls.length > 0;
		if (mayCall && !hasCalls) yield* findQuotation?.prepare?.() ?? [];
	}

	/** Ends the response. */
	end(): EndedResponse {
		const { output, releasedText, releasedReasoning } = this;
		const { hasEmptyReasoning } = this.readingState[0].split;
		const response = { ...output, hasEmptyReasoning };
		const completion = toCompletion(this.received, response, this.options);
		const { text, reasoning, hasAnswerInThinking } = completion;
		const rest = hasAnswerInThinking
			? { text, reasoning: '' }
			: {
					text: text.slice(releasedText.length),
					reasoning: reasoning.slice(releasedReasoning.length),
				};
		const [shown, maskState] = this.masking.step(this.maskState, rest);
		// Nothing is held back any more: a call in the text is none of it.
		this.releasedText = hasAnswerInThinking ? output.text : text;
		this.releasedReasoning = hasAnswerInThinking ? output.reasoning : reasoning;
		this.readingState = this.reading.start;
		return {
			rest: joinOutput(shown, this.masking.end(maskState)),
			completion: maskCompletion(completion, this.options.secrets),
		};
	}
}

/** Masks secrets that came in several events: those of a completion were masked one by one. */
function maskCompletion(
	completion: Completion,
	secrets: readonly string[] = NO_SECRETS,
): Completion {
	const { text, reasoning, toolCalls, failure, rejectedCall, ignoredEnd } = completion;
	return {
		...completion,
		...maskDeep(
			{ text, reasoning, toolCalls, failure, rejectedCall, ignoredEnd },
			getWrittenSecrets(secrets),
		),
	};
}

/** The completion of an ended response: its text, its calls, and what it means, by what was received beside its text. */
function toCompletion(
	received: CompletionAccumulator,
	output: SplitOutput,
	options: CompletionOptions,
): Completion {
	const { end, metadata, toolCalls } = received;
	const normalize = memoizeArguments();
	const { text, calls: textCalls, rejectedCall } = parseTextCalls(received, output, options);
	const receivedCalls = [...toolCalls.end(normalize), ...textCalls];
	const hasText = text.trim() !== '';
	const calls = receivedCalls.filter((call) => !(hasText && isEmptyCall(call, end)));
	const response = { ...end, text, reasoning: output.reasoning, calls, normalize };
	const { hasTooMany: hasTooManyCalls } = toolCalls;
	const { failure, hasAnswerInThinking } = judgeResponse({ ...response, hasTooManyCalls }, options);
	return {
		...(hasAnswerInThinking
			? { text: output.reasoning, reasoning: '' }
			: { text, reasoning: output.reasoning }),
		...metadata,
		usage: metadata.usage ?? usageFromTimings(metadata.timings),
		hasAnswerInThinking: hasAnswerInThinking || undefined,
		failure,
		ignoredEnd: failure === undefined ? toIgnoredEnd(end) : undefined,
		toolCalls: calls.map((call) => ({
			...call,
			arguments: normalize(call.arguments) ?? call.arguments,
		})),
		finishReason: end.finishReason ?? 'unknown',
		hasEmptyReasoning: output.hasEmptyReasoning,
		maxTokens: options.maxTokens,
		isCutOff: end.isTruncated,
		isRefusal: received.isRefusal,
		hasEmptyCall: calls.length < receivedCalls.length,
		rejectedCall,
	};
}

/** Normalizes arguments: they are asked for several times, and a long text is normalized once. */
function memoizeArguments(): (args: string) => string | undefined {
	const normalized = new Map<string, string | undefined>();
	return (args) => {
		if (!normalized.has(args)) normalized.set(args, normalizeArguments(args));
		return normalized.get(args);
	};
}

/** Whether a call has neither a name nor arguments: beside text, it is not a call. */
function isEmptyCall({ name, arguments: args }: RawToolCall, { isTruncated }: ReceivedEnd) {
	return name === '' && args === '' && !isTruncated;
}

function toIgnoredEnd(end: ReceivedEnd): Completion['ignoredEnd'] {
	const { errorEvent: event } = end.failure ?? end.lateFailure ?? {};
	return event !== undefined || end.hasUnreadableEvent ? { event } : undefined;
}

/** Parses tool calls in the text if the response contains no others: a server that parses them leaves only mistakes there. */
function parseTextCalls(
	{ toolCalls, end }: CompletionAccumulator,
	output: TextAndReasoning,
	{ callableNames: tools = [], findQuotation = () => undefined, isRaw = false }: CompletionOptions,
): TextCallDecision {
	const text = isRaw ? output.text : withoutEndMarks(output.text);
	if (toolCalls.calls.length > 0) {
		const name = findIgnoredCall(text, tools, toolCalls.calls);
		const rejectedCall = name === undefined ? undefined : ({ name, reason: 'otherCalls' } as const);
		return { text, calls: [], rejectedCall };
	}
	if (tools.length === 0) return { text, calls: [] };
	const { isTruncated: isCutOff, isEndSaid: hasEnded } = end;
	const response = { tools, isCutOff, hasEnded, findQuotation };
	if (text.trim() !== '') {
		const decision = decideTextCalls({ ...response, text });
		const hasNoCall = decision.calls.length === 0 && decision.rejectedCall === undefined;
		return hasNoCall ? { ...decision, text: withoutStrayEnds(text) } : decision;
	}
	// Qwen3.5 calls before its thinking has ended, which vLLM does not expect (vLLM 39056).
	const decision = decideTextCalls({ ...response, text: output.reasoning });
	return { ...decision, text };
}
