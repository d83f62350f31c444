import { failureInStream } from '../../errors/http-failure';
import type { FailureDetails } from '../../errors/server-error';
import { optional } from '../../values';
import type { Family } from '../text-formats/families';
import type { ReadCall, UnrunCall } from '../text-formats/text-calls';
import type { AnswerContent, SplitText, ToolDefinition, Usage, WireChunk } from '../types';
import { usageOf } from '../wire/counts';
import type { Chunk, StreamEnd } from './chunk';
import {
	CALLS_FOLLOW,
	failedBy,
	moreTellingReason,
	NO_FINISH_REASON,
	NOTE_NO_END,
	NOTE_NO_FINISH_REASON,
	notesOnEnd,
} from './finish-reason';
import { matchOfferedTools } from './offered-tools';
import { strayFailure } from './stray-lines';
import type { AssembledCall, CallFailure } from './tool-call-assembly';

/** Why an answer cannot be used. The caller adds URL, model and limits. */
export interface AnswerFailure
	extends SplitText,
		Pick<FailureDetails, 'kind' | 'serverText' | 'status' | 'facts'> {
	tool?: string;
	usage?: Usage;
}

export type JudgedAnswer = { answer: AnswerContent } | { failed: AnswerFailure };

/** What is known about the end of an answer. */
interface Ending {
	finishReason?: string;
	/** The server has the field of the reason. */
	sendsReason: boolean;
	/** Its end may be that of the body: nothing in its chunks promises another one. */
	isMinimal: boolean;
	/** Content came after a finish reason: then only the end of the stream counts. */
	wasEarly: boolean;
	/** Token counts came with or after the reason. */
	hasCounts: boolean;
	isDone: boolean;
	error?: Partial<AnswerFailure> & Pick<AnswerFailure, 'kind'>;
}

/** The calls of an answer. */
interface Calls {
	/** Whether calls have begun, and whether all of them are whole. */
	areWhole?: boolean;
	returned: AssembledCall[];
	failed?: CallFailure;
	inText: ReadCall[];
	format?: Family;
	/** The tool whose call was cut, and arrived as text. */
	cut?: string;
	unrun?: UnrunCall;
}

type Counts = Pick<WireChunk, 'usage' | 'timings' | 'model' | 'madeBy'> & { loadMs?: number };

/** Collects the chunks at the end of the chain, and decides what the end of the answer means. */
export class Collector {
	readonly content: SplitText = { text: '', reasoning: '' };
	readonly calls: Calls = { returned: [], inText: [] };
	readonly ending: Ending = {
		sendsReason: false,
		isMinimal: true,
		wasEarly: false,
		hasCounts: false,
		isDone: false,
	};
	readonly counts: Counts = {};
	arrived: 'nothing' | 'space' | 'words' = 'nothing';
	readonly notes: string[] = [];
	thinks = false;

	/** @returns what is shown of a chunk */
	take(chunk: Chunk): SplitText {
		const { text = '', reasoning = '', hiddenText = '' } = chunk;
		if (chunk.isLiteral) this.content.reasoning = '';
		this.content.text += text + hiddenText;
		this.content.reasoning += reasoning;
		if (chunk.arrived !== undefined && this.arrived !== 'words') this.arrived = chunk.arrived;
		this.thinks = chunk.thinks ?? this.thinks;
		for (const note of chunk.notes ?? []) this.notes.push(note);
		this.takeCalls(chunk);
		this.takeCounts(chunk);
		this.takeEnding(chunk);
		return { text, reasoning };
	}

	/** How the stream ended, when nothing more comes. */
	get end(): StreamEnd {
		if (this.ending.error !== undefined) return 'failed';
		return this.ending.isDone ? 'done' : 'closed';
	}

	get hasCalls(): boolean {
		return this.calls.areWhole !== undefined;
	}

	/** Whether there is a finish reason, and all announced content. */
	get isFinished(): boolean {
		const { finishReason, wasEarly, error } = this.ending;
		if (finishReason === undefined || wasEarly || error !== undefined) return false;
		if (finishReason === 'length') return true;
		if (CALLS_FOLLOW.test(finishReason) && !this.hasCalls) return false;
		return this.calls.areWhole !== false;
	}

	/** The checked answer, or the failure. `strayLines`: lines of the body that were no events. */
	result(
		tools: readonly ToolDefinition[],
		strayLines: readonly string[],
		ids: CallIds,
	): JudgedAnswer {
		const matched = matchOfferedTools(this.calls.returned, tools);
		const outcome: Outcome = { collected: this, tools, matched, strayLines };
		for (const failureIn of FAILURES) {
			const failure = failureIn(outcome);
			if (failure !== undefined) return { failed: this.failed(failure) };
		}
		const { finishReason = NO_FINISH_REASON, sendsReason, isDone } = this.ending;
		const calls: AssembledCall[] = [...matched.calls, ...this.calls.inText];
		const ownIds = ids(calls.map(({ id }) => id));
		const toolCalls = calls.map((call, index) => ({ ...call, id: ownIds[index]! }));
		const isUnknown = finishReason === NO_FINISH_REASON;
		const { timings, model, loadMs } = this.counts;
		const { usage } = this;
		return {
			answer: {
				...this.content,
				toolCalls,
				finishReason,
				...optional({ usage, timings: withLoadTime(timings, loadMs), model }),
				notes: [
					...(isUnknown && sendsReason ? [NOTE_NO_FINISH_REASON] : []),
					...(isUnknown && !isDone ? [NOTE_NO_END] : []),
					...notesOnEnd(finishReason, toolCalls.length),
					...matched.notes,
					...this.notes,
				],
			},
		};
	}

	get usage(): Usage | undefined {
		return this.counts.usage ?? usageOf(this.counts.timings);
	}

	private takeCalls(chunk: Chunk): void {
		const { calls } = this;
		calls.areWhole = chunk.callsAreWhole ?? calls.areWhole;
		calls.returned = chunk.calls ?? calls.returned;
		calls.failed ??= chunk.failedCall;
		calls.inText = chunk.callsInText?.calls ?? calls.inText;
		calls.format ??= chunk.callsInText?.format;
		calls.cut ??= chunk.cutCall;
		calls.unrun ??= chunk.unrunCall;
	}

	private takeCounts({ usage, timings, model, madeBy, loadMs }: Chunk): void {
		Object.assign(this.counts, optional({ usage, timings, madeBy, loadMs }));
		if (model) this.counts.model = model;
	}

	private takeEnding(chunk: Chunk): void {
		const { ending } = this;
		if (chunk.error !== undefined) ending.error = errorOf(chunk.error);
		if (chunk.finishReason)
			ending.finishReason = moreTellingReason(ending.finishReason, chunk.finishReason);
		if (chunk.usage) ending.hasCounts = ending.finishReason !== undefined;
		ending.sendsReason ||= chunk.sendsReason === true;
		if (chunk.isNamed || ending.sendsReason) ending.isMinimal = false;
		ending.wasEarly ||= chunk.isAfterReason === true;
		ending.isDone ||= chunk.done === true;
	}

	private failed({ facts, ...failure }: Failure): AnswerFailure {
		if (this.ending.error !== undefined) return { ...failure, ...this.content };
		const { usage } = this;
		return { ...failure, ...this.content, usage, facts: { ...optional({ usage }), ...facts } };
	}
}

function errorOf({ message, type, status }: NonNullable<WireChunk['error']>): Ending['error'] {
	return failureInStream(JSON.stringify({ error: { message, type, code: status } }));
}

/** Makes our own ids for calls from those of the server. */
export type CallIds = (serverIds: ReadonlyArray<string | undefined>) => string[];

type Failure = Partial<AnswerFailure> & Pick<AnswerFailure, 'kind'>;

interface Outcome {
	collected: Collector;
	tools: readonly ToolDefinition[];
	matched: ReturnType<typeof matchOfferedTools>;
	strayLines: readonly string[];
}

/** What an end means: the first row that applies is the failure; without any, the answer is good. */
const FAILURES: ReadonlyArray<(outcome: Outcome) => Failure | undefined> = [
	// The server reported an error.
	({ collected }) => collected.ending.error,
	// It never said that the answer is over.
	({ collected, strayLines }) =>
		collected.ending.finishReason === undefined
			? { kind: 'streamEndedEarly', ...strayFailure(strayLines) }
			: undefined,
	// The reason is a failure.
	({ collected: { ending } }) => {
		const kind = failedBy(ending.finishReason!);
		return kind && { kind, serverText: `finish_reason: ${ending.finishReason!}` };
	},
	// A call was cut, or is no JSON.
	({ collected }) => collected.calls.failed,
	({ collected }) => {
		const { cut } = collected.calls;
		return cut === undefined ? undefined : { kind: 'toolCallCut', tool: cut };
	},
	// Only unknown tools were called.
	({ matched, tools }) => {
		const [tool] = matched.unknown;
		if (tool === undefined || matched.calls.length > 0) return undefined;
		const offeredTools = tools.map(({ name }) => name);
		return { kind: 'toolCallInvalid', tool, facts: { offeredTools } };
	},
	// Nothing arrived that can be used.
	({ collected, matched }) => {
		const { content, calls, ending } = collected;
		const hasCalls = matched.calls.length + calls.inText.length > 0;
		if (hasCalls || content.text.trim() !== '') return undefined;
		return {
			kind: content.reasoning.trim() === '' ? 'emptyAnswer' : 'onlyThinking',
			facts: {
				finishReason: ending.finishReason,
				...optional({ callInThinking: calls.unrun?.name }),
			},
		};
	},
];

function withLoadTime(
	timings: WireChunk['timings'],
	loadMs: number | undefined,
): WireChunk['timings'] {
	return loadMs === undefined ? timings : { ...timings, load_ms: loadMs };
}
