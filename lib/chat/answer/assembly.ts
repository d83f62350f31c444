import type { FailureKind } from '../../errors/kinds';
import { optional } from '../../values';
import type { FailureDetails } from '../../errors/server-error';
import { kindOfMessage } from '../../errors/message-kinds';
import type { KindName } from '../../servers/kinds';
import { cutCallIn } from './cut-call';
import { NewText } from './new-text';
import { matchOfferedTools } from './offered-tools';
import { OtherChoice } from './other-choice';
import {
	CALLS_FOLLOW,
	failedBy,
	moreTellingReason,
	NATURAL_END,
	NOTE_NO_FINISH_REASON,
	notesOnEnd,
	NO_FINISH_REASON,
} from './finish-reason';
import { strayFailure } from './stray-lines';
import type { ThinkingSeen } from './thinking-habits';
import { callsSeen } from '../text-formats/call-detector';
import type { Family } from '../text-formats/families';
import { QuotedInput } from '../text-formats/quoted-input';
import { type UnrunCall, TextCalls } from '../text-formats/text-calls';
import { hasClosingTagOnItsOwnLine, ThinkSplitter } from '../text-formats/thinking';
import { type AssembledCall, ToolCallAssembly } from './tool-call-assembly';
import { ownToolCallIds } from '../tool-call-ids';
import type { ChatAnswer, SplitText, ToolDefinition, Usage, WireChunk } from '../types';

export interface AssemblyOptions {
	/** Hold text back until a closing thinking tag decides, see `ThinkSplitter`. */
	openingThinkTagMayBeMissing?: boolean | 'always';
	/** Text of a trailing assistant message: servers repeat it at the beginning of the answer. */
	prefill?: string;
	/** Templates that open the thinking tag leave line breaks at the beginning of an answer without thinking. */
	thinkingIsOff?: boolean;
	/** All offered tools: a call of any other is an error. */
	tools?: readonly ToolDefinition[];
	/** Tools whose calls are read from the text, see `TextCalls`; without them the text is unchanged. */
	toolsInText?: readonly ToolDefinition[];
	/** The format in which the model writes its thinking and its calls. */
	family?: Family;
	/** Messages of users and tools: a call that also occurs there is a quotation. */
	input?: readonly string[];
	/** Makes our own ids for the calls. Replaced in tests. */
	callIds?: (serverIds: ReadonlyArray<string | undefined>) => string[];
}

/** Why an answer cannot be used. The caller adds URL, model and limits. */
export interface AssemblyFailure
	extends SplitText,
		Pick<FailureDetails, 'kind' | 'serverText' | 'status' | 'facts'> {
	tool?: string;
	usage?: Usage;
}

export type AssemblyResult = { answer: ChatAnswer } | { failed: AssemblyFailure };

const MIN_REPETITION = 20;

/**
 * Assembles an answer from wire chunks, independent of how they were split. Pure: no clock, socket or LangChain. Tool
 * calls are collected and checked at the end.
 */
export class Assembly {
	private readonly splitter: ThinkSplitter;
	private readonly calls: ToolCallAssembly;
	/** Undefined if no calls are to be read from the text. */
	private readonly textCalls: TextCalls | undefined;
	private thoughts: ThinkSplitter | undefined;
	private readonly toolsInText: ReadonlyMap<string, ToolDefinition>;
	private callsInText: ReturnType<TextCalls['end']> = { text: '', calls: [] };
	private readonly newText: NewText;
	private readonly newReasoning = new NewText();
	private text = '';
	private reasoning = '';
	private finishReason: string | undefined;
	/** Content came after a finish reason: then only the end of the stream counts. */
	private finishedTooEarly = false;
	private countsAtEnd = false;
	private readonly otherChoice = new OtherChoice();
	private hasDeltas = false;
	private textPieces = 0;
	private said: Pick<WireChunk, 'usage' | 'timings' | 'model'> = {};
	/** The kind of server that made this answer, if the answer tells. */
	madeBy: KindName | undefined;
	private receivedText = false;
	private receivedWords = false;
	private thinking = false;
	private done = false;
	private sendsReason = false;
	private failed: AssemblyFailure | undefined;

	constructor(private readonly options: AssemblyOptions = {}) {
		const { family, tools = [], toolsInText = [] } = options;
		this.newText = new NewText(options.prefill);
		this.calls = new ToolCallAssembly(tools.map(({ name }) => name));
		this.splitter = new ThinkSplitter(
			options.openingThinkTagMayBeMissing,
			family?.id === 'harmony',
		);
		this.toolsInText = new Map(toolsInText.map((tool) => [tool.name, tool]));
		if (toolsInText.length > 0) this.textCalls = new TextCalls(toolsInText, family);
	}

	/** Whether anything generated has arrived: from then on the idle limit applies, not the first-token limit. */
	get started(): boolean {
		return this.receivedText || this.calls.begun || this.finishReason !== undefined;
	}

	/** Whether more than white space has arrived, with which many answers begin. */
	get speaks(): boolean {
		return this.receivedWords || this.calls.begun || this.finishReason !== undefined;
	}

	/** Whether the latest content is thinking. */
	get thinks(): boolean {
		return this.thinking && !this.calls.begun && this.finishReason === undefined;
	}

	/**
	 * Whether there is a finish reason, and all announced content: then only token counts and the end marker may follow.
	 */
	get finished(): boolean {
		if (this.finishReason === undefined || this.finishedTooEarly || this.failed !== undefined)
			return false;
		return this.finishReason === 'length' || (this.calls.isWhole && !this.missesItsCalls);
	}

	private get missesItsCalls(): boolean {
		return CALLS_FOLLOW.test(this.finishReason ?? '') && !this.calls.begun;
	}

	/** Whether token counts came with or after the finish reason, where servers send them: then nothing is missing. */
	get countsCameLast(): boolean {
		return this.finished && this.countsAtEnd;
	}

	/** Whether the answer is over; further chunks are ignored. */
	get complete(): boolean {
		return this.done || this.failed !== undefined;
	}

	/**
	 * Whether the end marker came without a finish reason. Minimal servers send nothing else; for others it proves
	 * nothing: vLLM sends the marker after an error, and gateways after a lost backend.
	 */
	get endedWithoutReason(): boolean {
		return (
			this.done && this.failed === undefined && this.finishReason === undefined && !this.calls.begun
		);
	}

	/** Accepts such an end as a complete answer. To be called before `finish`. */
	acceptEndWithoutReason(): void {
		if (this.endedWithoutReason && this.text.trim() !== '') this.finishReason = NO_FINISH_REASON;
	}

	/** The format of the calls that were read from the text; undefined without any. */
	get formatInText(): Family | undefined {
		return this.callsInText.calls.length > 0 ? this.options.family : undefined;
	}

	/** A possible call in the text or in the thinking that was not run. */
	get unrunCall(): UnrunCall | undefined {
		if (this.callsInText.seen !== undefined || this.toolsInText.size === 0) return this.callsInText.seen;
		const { own, foreign } = callsSeen(this.reasoning, this.toolsInText, this.options.family);
		const thought = own ?? foreign;
		if (thought === undefined) return undefined;
		return { name: thought.name, family: thought.family, because: 'inThinking' };
	}

	/** What has arrived so far, for errors from elsewhere. */
	get partial(): SplitText {
		return { text: this.text, reasoning: this.reasoning };
	}

	/** How the model marks its thinking, as seen in this answer. */
	get thinkingSeen(): ThinkingSeen {
		const { openingTagWasMissing, foundThinking } = this.splitter;
		const markedThinking = !openingTagWasMissing && (foundThinking || this.reasoning.trim() !== '');
		return {
			markedThinking,
			openingTagMissing:
				openingTagWasMissing || (!markedThinking && hasClosingTagOnItsOwnLine(this.text)),
		};
	}

	push(chunk: WireChunk): SplitText {
		if (this.complete || this.otherChoice.keep(chunk)) return { text: '', reasoning: '' };
		if (!chunk.done) return this.take(chunk);
		return sum([...this.otherChoice.take(), chunk].map((one) => this.take(one)));
	}

	private take(chunk: WireChunk): SplitText {
		const step: SplitText = { text: '', reasoning: '' };
		if (chunk.error !== undefined) {
			this.fail(chunk.error);
			return step;
		}
		const content = this.newContent(chunk);
		if (
			this.finishReason !== undefined &&
			(content.text || content.reasoning || content.toolCalls?.length)
		)
			this.finishedTooEarly = true;
		if (content.reasoning) {
			this.splitter.thinkingArrivesApart();
			this.thoughts ??= new ThinkSplitter();
			const thought = this.thoughts.push(content.reasoning);
			step.reasoning += thought.reasoning + thought.text;
			this.thinking = true;
		}
		if (chunk.text || chunk.reasoning) this.receivedText = true;
		this.receivedWords ||= /\S/.test(`${chunk.text ?? ''}${chunk.reasoning ?? ''}`);
		if (content.text) {
			const split = this.splitter.push(content.text);
			const shown = this.textCalls?.push(split.text) ?? split.text;
			step.text +=
				this.options.thinkingIsOff === true && this.text === ''
					? shown.replace(/^[\r\n]+/, '')
					: shown;
			step.reasoning += split.reasoning;
			if (split.text.trim() !== '') this.thinking = false;
			else this.thinking ||= split.reasoning !== '';
		}
		if (content.toolCalls) this.calls.add(content.toolCalls);
		const { usage, timings, model } = chunk;
		if (usage) this.said.usage = usage;
		if (timings) this.said.timings = timings;
		if (model) this.said.model = model;
		this.madeBy = chunk.madeBy ?? this.madeBy;
		if (chunk.finishReason)
			this.finishReason = moreTellingReason(this.finishReason, chunk.finishReason);
		if (usage) this.countsAtEnd = this.finishReason !== undefined;
		if (chunk.sendsReason) this.sendsReason = true;
		if (chunk.done) this.done = true;
		// Some servers never send a reason (vllm-mlx issue 628). Whether a call is complete can be seen from the call.
		if (chunk.done && !this.sendsReason && this.calls.begun && this.calls.isWhole)
			this.finishReason ??= 'tool_calls';
		const isCutCall =
			chunk.finishReason === 'length' && this.text === '' && this.cutCall(step.text) !== undefined;
		this.keep(step);
		return isCutCall ? { ...step, text: '' } : step;
	}

	private cutCall(text: string): string | undefined {
		return this.calls.begun ? undefined : cutCallIn(text, this.options.toolsInText ?? []);
	}

	/** Returns the text that was held back. To be called once, at the end of the stream and before `finish`. */
	flush(): SplitText {
		const other = this.complete ? [] : this.otherChoice.take().map((chunk) => this.take(chunk));
		const late = this.newReasoning.end();
		if (late !== '') this.thoughts ??= new ThinkSplitter();
		const thought = sum(
			this.thoughts === undefined ? [] : [this.thoughts.push(late), this.thoughts.end()],
		);
		const rest = sum([this.splitter.push(this.newText.end()), this.splitter.end()]);
		const shown = this.textCalls?.push(rest.text) ?? rest.text;
		const step = { text: '', reasoning: thought.reasoning + thought.text + rest.reasoning };
		this.keep(step);
		this.callsInText =
			this.textCalls?.end({
				isNatural: NATURAL_END.test(this.finishReason ?? ''),
				isBroken: this.failed !== undefined || (this.finishReason === undefined && !this.done),
				hasOthers: this.calls.begun,
				input: new QuotedInput(this.options.input ?? []),
			}) ?? this.callsInText;
		step.text = shown + this.callsInText.text + this.literalAnswer();
		this.text += step.text;
		return sum([...other, step]);
	}

	/**
	 * The text of an answer that is about a thinking tag and begins with it: the tag is never closed, a sentence
	 * continues after it, and the model is not known to think in tags. Empty for other answers.
	 */
	private literalAnswer(): string {
		const { open } = this.splitter;
		const mayBe =
			open !== undefined &&
			this.text === '' &&
			!this.calls.begun &&
			this.options.family === undefined;
		if (!mayBe || this.finishReason !== 'stop' || !/^[ \t.,:;!?)'"`]/.test(this.reasoning))
			return '';
		const text = open + this.reasoning;
		this.reasoning = '';
		return text;
	}

	private keep({ text, reasoning }: SplitText): void {
		this.text += text;
		this.reasoning += reasoning;
	}

	/** The checked answer, or the failure. `strayLines`: lines of the body that were no events. */
	finish(strayLines: readonly string[] = []): AssemblyResult {
		if (this.failed !== undefined) return { failed: { ...this.failed, ...this.partial } };
		if (this.finishReason === undefined)
			return this.failure('streamEndedEarly', strayFailure(strayLines));
		const failed = failedBy(this.finishReason);
		if (failed !== undefined)
			return this.failure(failed, { serverText: `finish_reason: ${this.finishReason}` });
		const calls = this.calls.finish(this.finishReason === 'length');
		if ('failed' in calls) return this.failure(calls.failed.kind, calls.failed);
		const cut = this.finishReason === 'length' ? this.cutCall(this.text) : undefined;
		if (cut !== undefined) return this.failure('toolCallCut', { tool: cut });
		const { tools = [] } = this.options;
		const meant = matchOfferedTools(calls.calls, tools);
		const [unknown] = meant.unknown;
		if (meant.calls.length === 0 && unknown !== undefined)
			return this.failure('toolCallInvalid', {
				tool: unknown,
				facts: { offeredTools: tools.map(({ name }) => name) },
			});
		const all: AssembledCall[] = [...meant.calls, ...this.callsInText.calls];
		const ids = (this.options.callIds ?? ownToolCallIds)(all.map(({ id }) => id));
		const toolCalls = all.map((call, index) => ({ ...call, id: ids[index]! }));
		const answer: ChatAnswer = {
			text: this.text,
			reasoning: this.reasoning,
			toolCalls,
			finishReason: this.finishReason,
			...this.said,
			notes: [
				...(this.finishReason === NO_FINISH_REASON && this.sendsReason
					? [NOTE_NO_FINISH_REASON]
					: []),
				...notesOnEnd(this.finishReason, toolCalls.length),
				...meant.notes,
			],
		};
		if (answer.toolCalls.length === 0 && this.text.trim() === '')
			return this.failure(this.reasoning.trim() === '' ? 'emptyAnswer' : 'onlyThinking', {
				facts: {
					finishReason: this.finishReason,
					...optional({ callInThinking: this.unrunCall?.name }),
				},
			});
		return { answer };
	}

	/** The new content of a chunk. Some servers end a stream of deltas with the whole message, which repeats them. */
	private newContent(chunk: WireChunk): SplitText & Pick<WireChunk, 'toolCalls'> {
		let { text = '', reasoning = '', toolCalls } = chunk;
		if (!chunk.isMessage) {
			if (text || reasoning || toolCalls) this.hasDeltas = true;
			// Some repeat the whole text in the delta of the last chunk. After a single piece, equal text proves nothing.
			const repeats = chunk.finishReason !== undefined && this.textPieces > 1 && text === this.text;
			if (repeats && this.text.length >= MIN_REPETITION) text = '';
			else if (text) this.textPieces += 1;
		} else if (this.hasDeltas) {
			this.calls.addRepetition(toolCalls ?? []);
			toolCalls = undefined;
			if (this.receivedText) [text, reasoning] = ['', ''];
		}
		return {
			text: this.newText.push(text),
			reasoning: this.newReasoning.push(reasoning),
			toolCalls,
		};
	}

	private failure(
		kind: FailureKind,
		more: Partial<AssemblyFailure> = {},
	): { failed: AssemblyFailure } {
		const { usage } = this.said;
		const facts = { ...optional({ usage }), ...more.facts };
		return { failed: { kind, ...more, ...this.partial, usage, facts } };
	}

	private fail({ message, type, status }: NonNullable<WireChunk['error']>): void {
		this.failed = {
			kind: kindOfMessage(message, type) ?? 'streamError',
			serverText: message,
			...optional({ status }),
			...this.partial,
		};
	}
}

function sum(steps: readonly SplitText[]): SplitText {
	return {
		text: steps.map(({ text }) => text).join(''),
		reasoning: steps.map(({ reasoning }) => reasoning).join(''),
	};
}
