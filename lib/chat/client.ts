import { ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import { requireModel } from '../servers/model-names';
import { ServerPool } from '../servers/pool/server-pool';
import { TurnMemory } from './answer/turn-memory';
import { finishAnswer } from './finish';
import { tracedAnswer, tokensPerSecond } from './traced-answer';
import { rememberSpeed } from './thinking-limit';
import { keyOf, openAnswer, type OpenedAnswer } from './open';
import { prepareCall } from './prepare';
import { readAnswer } from './read';
import { checkParameters } from './request/parameters';
import type { ChatCall, ChatSettings } from './request/request';
import type { FinishedAnswer } from './types';
import type { ChatProtocol } from './wire/protocol';

/** What gives the answers of a chat model. */
export interface AnswerSource {
	/** Whether `pieceMs` of a call is kept: otherwise its pieces come as they come. */
	readonly keepsPace?: boolean;
	/** As `ChatClient.generate`. */
	generate(call: ChatCall | (() => ChatCall)): AsyncGenerator<string, FinishedAnswer>;
}

const sharedMemory = new TurnMemory();

/** Runs generations on one server with one set of settings. Free of LangChain and n8n: the host bridge stands on it. */
export class ChatClient implements AnswerSource {
	readonly keepsPace = true;
	private readonly servers: ServerPool;

	constructor(
		servers: Connection | ServerPool,
		readonly settings: ChatSettings,
		/** Default: whichever the server has that can do what is asked for. */
		private readonly protocol?: ChatProtocol,
		private readonly memory: TurnMemory = sharedMemory,
	) {
		this.servers = ServerPool.of(servers);
		requireModel(settings.model);
		checkParameters(settings.parameters);
	}

	/**
	 * One generation. Yields pieces of text as they arrive and returns the checked answer.
	 *
	 * @throws {ServerError} with what had arrived in `partialText` and `partialReasoning`
	 */
	async *generate(call: ChatCall | (() => ChatCall)): AsyncGenerator<string, FinishedAnswer> {
		const prepared = await prepareCall(this.settings, this.servers, this.memory, call);
		for (let tries = 1; ; tries++) {
			let span: OpenedAnswer['span'] | undefined;
			try {
				const opened = await openAnswer(this.servers, prepared, this.protocol);
				({ span } = opened);
				const read = yield* readAnswer(opened, prepared);
				const answer = await finishAnswer(prepared, opened, read, this.servers.hasSeveral);
				span.note(tracedAnswer(answer, prepared.startedAt));
				rememberSpeed(keyOf(opened), tokensPerSecond(answer));
				return answer;
			} catch (error) {
				const told = span?.fail(error) ?? error;
				if (tries > 1 || !isWorthRetrying(error, this.settings)) throw told;
			} finally {
				span?.end();
			}
		}
	}
}

/**
 * An answer that llama-server could not read and dropped: with another seed the next one may be as it expects. Only where
 * nothing but thinking was passed on.
 */
function isWorthRetrying(error: unknown, { parameters: { seed, extraBody } }: ChatSettings): boolean {
	const isDropped = error instanceof ServerError && error.kind === 'outputUnreadable' && !error.partialText;
	return isDropped && (seed ?? extraBody?.seed ?? -1) === -1;
}
