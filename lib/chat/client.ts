import { asFailed, type ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import type { Place } from '../http/place';
import { requireModel } from '../servers/model-names';
import { TurnMemory } from './answer/turn-memory';
import { finishAnswer } from './finish';
import { tracedAnswer } from './traced-answer';
import { openAnswer, type OpenedAnswer } from './open';
import { prepareCall, type PreparedCall } from './prepare';
import { readAnswer, showsThinking } from './read';
import { checkParameters } from './request/parameters';
import type { ChatCall, ChatSettings } from './request/request';
import type { FinishedAnswer } from './types';
import type { ChatProtocol } from './wire/protocol';
import { optional } from '../values';

/** A source of chat answers. */
export interface AnswerSource {
	/** Whether it follows `pieceMs` of a call; otherwise pieces are yielded as they arrive. */
	readonly keepsPace?: boolean;
	/** As `ChatClient.generate`. */
	generate(call: ChatCall): AsyncGenerator<string, FinishedAnswer>;
}

const sharedMemory = new TurnMemory();

/** Runs generations with one set of settings. Independent of LangChain and n8n, whose bridge uses it. */
export class ChatClient implements AnswerSource {
	readonly keepsPace = true;

	constructor(
		private readonly connection: Connection,
		readonly settings: ChatSettings,
		/** Default: the server's protocol that supports the request. */
		private readonly protocol?: ChatProtocol,
		private readonly memory: TurnMemory = sharedMemory,
	) {
		requireModel(settings.model);
		checkParameters(settings.parameters);
	}

	/**
	 * One generation. Yields pieces of text as they arrive and returns the checked answer.
	 *
	 * @throws {ServerError} with the text that had arrived in `partialText` and `partialReasoning`
	 */
	async *generate(call: ChatCall): AsyncGenerator<string, FinishedAnswer> {
		const prepared = prepareCall(this.settings, this.memory, call);
		const { place } = prepared;
		const { signal } = prepared.call;
		for (let failures = 0; ; ) {
			const attempted = { ...prepared.call, signal: place.begin(signal) };
			try {
				return yield* this.attempt({ ...prepared, call: attempted });
			} catch (error) {
				if (place.wasGivenUp && signal?.aborted !== true) continue;
				const { failed } = asFailed(error);
				if (failures++ > 0 || !isWorthRetrying(failed, this.settings)) throw failed;
			}
		}
	}

	private async *attempt(prepared: PreparedCall): AsyncGenerator<string, FinishedAnswer> {
		let span: OpenedAnswer['span'] | undefined;
		try {
			const opened = await openAnswer(this.connection, prepared, this.protocol);
			({ span } = opened);
			const read = yield* readAnswer(opened, prepared);
			const answer = await finishAnswer(prepared, opened, read);
			span.note(tracedAnswer(answer, prepared.startedAt));
			return { ...answer, ...optional({ log: queueLog(prepared.place) }) };
		} catch (error) {
			throw span?.fail(error) ?? error;
		} finally {
			span?.end();
		}
	}
}

/** What the execution log shows of the queue; undefined if the request did not wait. */
function queueLog({ waitedMs, wasGiven, timesGivenUp }: Place): FinishedAnswer['log'] {
	if (waitedMs < 1 && !wasGiven && timesGivenUp === 0) return undefined;
	const log: FinishedAnswer['log'] = { waitedInN8nMs: Math.round(waitedMs) };
	if (wasGiven) log.placeGivenByBatch = true;
	if (timesGivenUp > 0) log.placesGivenUp = timesGivenUp;
	return log;
}

/**
 * Whether to retry an answer that llama-server could not parse and dropped: with another seed, the next one may be
 * valid. Only if nothing was yielded, be it text or thinking.
 */
function isWorthRetrying(
	{ kind, partialText, partialReasoning }: ServerError,
	settings: ChatSettings,
): boolean {
	const { seed, extraBody } = settings.parameters;
	const isShown = partialText || (partialReasoning && showsThinking(settings));
	const isDropped = kind === 'outputUnreadable' && !isShown;
	return isDropped && (seed ?? extraBody?.seed ?? -1) === -1;
}
